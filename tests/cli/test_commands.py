"""One test on real parts for every command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from raretag.corpus import Corpus
from raretag.corpus.formats import read_corpus
from raretag.training.recipes import RECIPES

from .conftest import Run


def test_inspect(raretag: Run, notes: Path, corpus: Corpus, tmp_path: Path) -> None:
    shown = raretag("inspect", notes, "--json", tmp_path / "figures.json")
    assert shown.code == 0
    figures = json.loads((tmp_path / "figures.json").read_text(encoding="utf-8"))
    assert figures["documents"] == 40
    assert figures["mentions"] == sum(len(document.mentions) for document in corpus.documents)
    assert all(label in shown.out for label in corpus.labels)


def test_inspect_prints_json_alone(raretag: Run, notes: Path) -> None:
    shown = raretag("inspect", notes, "--json", "-")
    assert json.loads(shown.out)["format"] == "brat"


@pytest.mark.parametrize("target", ["brat", "jsonl", "label-studio"])
def test_convert_there_and_back(raretag: Run, notes: Path, corpus: Corpus, tmp_path: Path, target: str) -> None:
    there = tmp_path / ("there.jsonl" if target == "jsonl" else "there.json" if target == "label-studio" else "there")
    assert raretag("convert", notes, there, "--to", target).code == 0
    assert raretag("convert", there, tmp_path / "back", "--to", "brat").code == 0
    back = {document.id: document for document in read_corpus(tmp_path / "back").documents}
    for document in corpus.documents:
        assert back[document.id].text == document.text
        expected = sorted((m.label, m.parts) for m in document.mentions)
        assert sorted((m.label, m.parts) for m in back[document.id].mentions) == expected


def test_train_and_resume(raretag: Run, notes: Path, tiny_encoder: Path, tmp_path: Path) -> None:
    command: list[object] = ["train", notes, "--out", tmp_path / "run", "--recipe", "inverse-sqrt"]
    command += ["--encoder", tiny_encoder, "--set", "optimiser.epochs=1", "--set", "objective.cap=5"]
    shown = raretag(*command)
    assert shown.code == 0, shown.err
    assert "raretag evaluate" in shown.err
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["settings"]["objective"] == {"name": "weighted", "start": 0.0, "gamma": 0.5, "cap": 5}
    assert raretag(*command).code == 2
    assert raretag(*command, "--resume").code == 0
    told = (tmp_path / "run" / "recipe.json").read_text(encoding="utf-8")
    refused = raretag(*command, "--resume", "--set", "policy.rule=thresholds")
    assert refused.code == 2
    assert "another calibration or policy" in refused.err
    assert (tmp_path / "run" / "recipe.json").read_text(encoding="utf-8") == told


def test_evaluate(raretag: Run, notes: Path, run_folder: Path, corpus: Corpus) -> None:
    shown = raretag("evaluate", run_folder, notes, "--json", "-", "--resamples", 1000)
    assert shown.code == 0, shown.err
    figures = json.loads(shown.out)
    assert json.loads((run_folder / "evaluation.json").read_text(encoding="utf-8")) == figures
    test = json.loads((run_folder / "manifest.json").read_text(encoding="utf-8"))["data"]["test"]
    held_out = [document for document in corpus.documents if document.id in test]
    assert figures["counts"]["documents"] == len(held_out) == 8
    assert figures["strict"]["micro"]["gold"] == sum(len(document.mentions) for document in held_out)
    assert set(figures["strict"]["labels"]) == set(corpus.labels)
    for scheme in ("strict", "overlap", "type"):
        assert {"micro", "macro", "macro10", "groups", "labels"} <= figures[scheme].keys()
        assert set(figures[scheme]["groups"]) == {"head", "medium", "tail"}
        assert {"precision", "recall", "f1", "gold", "predicted", "correct", "f1_interval"} <= set(
            figures[scheme]["micro"]
        )


def test_evaluate_shows_every_label(raretag: Run, notes: Path, run_folder: Path, corpus: Corpus) -> None:
    shown = raretag("evaluate", run_folder, notes)
    assert shown.code == 0
    assert all(label in shown.out for label in corpus.labels)


@pytest.mark.parametrize("target", ["out.jsonl", "out"])
def test_annotate(raretag: Run, notes: Path, run_folder: Path, corpus: Corpus, tmp_path: Path, target: str) -> None:
    shown = raretag("annotate", run_folder, notes, tmp_path / target)
    assert shown.code == 0, shown.err
    annotated = read_corpus(tmp_path / target)
    assert annotated.format == ("jsonl" if target == "out.jsonl" else "brat")
    assert {d.id: d.text for d in annotated.documents} == {d.id: d.text for d in corpus.documents}
    scores = [mention.score for document in annotated.documents for mention in document.mentions]
    assert scores
    assert all(score is not None and 0 <= score <= 1 for score in scores)


def test_annotate_plain_text(raretag: Run, run_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain" / "one.txt").write_text("The patient has fever.\n", encoding="utf-8")
    assert raretag("annotate", run_folder, tmp_path / "plain", tmp_path / "out.jsonl").code == 0
    assert (tmp_path / "out.jsonl").read_text(encoding="utf-8").count("\n") == 1


def test_annotate_tells_what_was_not_read(raretag: Run, run_folder: Path, tmp_path: Path) -> None:
    lines = ['{"id": "a", "text": "no fever"}', '{"id": "b"}', '{"id": "a", "text": "fever"}']
    (tmp_path / "in.jsonl").write_text("\n".join(lines), encoding="utf-8")
    done = raretag("annotate", run_folder, tmp_path / "in.jsonl", tmp_path / "out.jsonl")
    assert done.code == 0
    assert "json.record" in done.err
    assert "id.duplicate" in done.err


def test_annotate_finds_out_beforehand_that_it_cannot_write(
    raretag: Run, notes: Path, run_folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("x")
    refused = raretag("annotate", run_folder, notes, tmp_path / "file" / "deep" / "out.jsonl")
    assert refused.code == 1
    assert "nothing can be written here" in refused.err
    assert "is a file" in refused.err
    assert raretag("annotate", run_folder, notes, tmp_path / "new" / "deep" / "out.jsonl").code == 0


def test_recipes(raretag: Run) -> None:
    shown = raretag("recipes")
    assert shown.code == 0
    assert all(name in shown.out for name in RECIPES)


def test_demo(raretag: Run, tmp_path: Path) -> None:
    """The embedded encoder and corpus, one epoch: the real thing, short."""
    shown = raretag("demo", "--out", tmp_path / "demo", "--epochs", 1)
    assert shown.code == 0, shown.err
    figures = json.loads((tmp_path / "demo" / "run" / "evaluation.json").read_text(encoding="utf-8"))
    # the policy sends much of what one epoch taught to review
    assert figures["decisions"]["argmax"]["strict"]["micro"]["f1"] > 0.3
    assert figures["cost"]["per_1000_notes"] < figures["cost"]["argmax_per_1000_notes"]
    assert raretag("demo", "--out", tmp_path / "demo", "--epochs", 1, "--resume").code == 0


def test_help_and_version(raretag: Run) -> None:
    assert "annotate" in raretag("--help").out
    assert raretag("--version").out.startswith("raretag ")
    assert raretag("nonsense").code == 2
