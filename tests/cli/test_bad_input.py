"""Bad input: one clear error that names file, line and remedy; no traceback, no note text, nothing half-written."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from .conftest import Outcome, Run

SECRET = "Mrs Doe of Elm Street"


def clear(outcome: Outcome, *words: str, code: int) -> None:
    assert outcome.code == code, outcome.err
    assert "Traceback" not in outcome.err + outcome.out
    assert "unforeseen" not in outcome.err
    assert SECRET not in outcome.err + outcome.out
    for word in words:
        assert word in outcome.err.replace("\n", " "), outcome.err


def brat(
    folder: Path, *, text: str | None = f"{SECRET} has fever.\n", ann: str | None = "T1\tSign 26 31\tfever\n"
) -> Path:
    folder.mkdir(parents=True)
    if text is not None:
        (folder / "a.txt").write_text(text, encoding="utf-8")
    if ann is not None:
        (folder / "a.ann").write_text(ann, encoding="utf-8")
    return folder


def test_missing_folder(raretag: Run, tmp_path: Path) -> None:
    for command in (("inspect",), ("train", "--out", tmp_path / "run"), ("convert", tmp_path / "x", "--to", "jsonl")):
        name, *rest = command
        clear(raretag(name, tmp_path / "absent", *rest), "absent", code=1)
    assert not list(tmp_path.iterdir())


def test_empty_folder(raretag: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    clear(raretag("inspect", tmp_path / "empty"), "empty", code=1)


def test_annotations_without_text(raretag: Run, tmp_path: Path) -> None:
    clear(raretag("inspect", brat(tmp_path / "notes", text=None)), "a.", code=1)


@pytest.mark.parametrize(
    ("ann", "rule"),
    [
        ("T1\tSign 26 99\tfever\n", "brat."),
        ("T1\tSign 26 31\tsomething else\n", "brat.text-differs"),
        ("T1\tSign of illness 26 31\tfever\n", "brat."),
        ("T1\tSign 31 26\tfever\n", "brat."),
        (f"T1 Sign 26 31 {SECRET}\n", "brat."),
    ],
)
def test_odd_annotations_are_findings(raretag: Run, tmp_path: Path, ann: str, rule: str) -> None:
    shown = raretag("inspect", brat(tmp_path / "notes", ann=ann + "T2\tSign 0 3\tMrs\n"))
    clear(shown, rule, "a.ann", "line 1", code=0)


def test_wrong_encoding(raretag: Run, tmp_path: Path) -> None:
    folder = brat(tmp_path / "notes")
    (folder / "a.txt").write_bytes("müde".encode("utf-16"))
    clear(raretag("inspect", folder), "a.txt", "UTF-8", code=1)


def test_conll_with_a_wrong_number_of_columns(raretag: Run, tmp_path: Path) -> None:
    (tmp_path / "a.conll").write_text(f"fever\tB-Sign\n\ncough\t{SECRET}\tO\n", encoding="utf-8")
    clear(raretag("inspect", tmp_path / "a.conll"), "a.conll:3", "column", code=1)


def test_unknown_keys_and_values_together(raretag: Run, notes: Path, tmp_path: Path) -> None:
    config = tmp_path / "settings.yaml"
    config.write_text("optimiser: {epoch: 3, warmup: 7}\nsplits: {}\nobjective: {name: weighted, gama: 1}\n")
    shown = raretag("train", notes, "--out", tmp_path / "run", "--config", config)
    clear(
        shown, "settings.yaml", "optimiser.epoch", "did you mean epochs", "optimiser.warmup", "splits", "gama", code=2
    )
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (("--set", "optimiser.epochs"), "key=value"),
        (("--set", "optimiser.epochs=many"), "optimiser.epochs"),
        (("--set", "windows.max_tokens=16", "--set", "windows.context=30"), "windows"),
        (("--recipe", "nonsense"), "inverse-sqrt"),
        (("--encoder", "nonsense"), "minilm"),
        (("--encoder", "./nonsense"), "minilm"),
        (("--format", "nonsense"), "brat"),
        (("--config", "nonsense.yaml"), "nonsense.yaml"),
    ],
)
def test_unusable_options(raretag: Run, notes: Path, tmp_path: Path, options: tuple[str, ...], word: str) -> None:
    clear(raretag("train", notes, "--out", tmp_path / "run", *options), word, code=2)
    assert not (tmp_path / "run").exists()


def test_settings_that_are_not_yaml(raretag: Run, notes: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("a: 1\n b: [\n")
    shown = raretag("train", notes, "--out", tmp_path / "run", "--config", tmp_path / "bad.yaml")
    clear(shown, "bad.yaml:", code=2)


def test_encoder_without_a_fast_tokenizer(raretag: Run, notes: Path, tiny_encoder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "encoder"
    shutil.copytree(tiny_encoder, folder)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).unlink()
    clear(raretag("train", notes, "--out", tmp_path / "run", "--encoder", folder), "tokenizer", code=1)
    assert not (tmp_path / "run").exists()


def test_encoder_with_damaged_weights(raretag: Run, notes: Path, tiny_encoder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "encoder"
    shutil.copytree(tiny_encoder, folder)
    (folder / "model.safetensors").write_bytes(b"damaged")
    clear(raretag("train", notes, "--out", tmp_path / "run", "--encoder", folder), "loaded", code=1)
    assert not (tmp_path / "run").exists()


def test_no_mention_in_the_training_part(raretag: Run, tmp_path: Path) -> None:
    folder = tmp_path / "notes"
    folder.mkdir()
    for number in range(6):
        (folder / f"{number}.txt").write_text(f"{SECRET} {number}", encoding="utf-8")
    clear(raretag("train", folder, "--out", tmp_path / "run"), "no mention", code=1)
    assert not (tmp_path / "run").exists()


def test_too_few_documents(raretag: Run, tmp_path: Path) -> None:
    clear(raretag("train", brat(tmp_path / "notes"), "--out", tmp_path / "run"), "document", code=1)


@pytest.mark.parametrize("command", ["evaluate", "annotate"])
def test_not_a_run_folder(raretag: Run, notes: Path, tmp_path: Path, command: str) -> None:
    words = (command, tmp_path, notes, *((tmp_path / "out",) if command == "annotate" else ()))
    clear(raretag(*words), "not a run folder", "raretag train", code=1)


@pytest.mark.parametrize("name", ["manifest.json", "schema.json", "model/config.json", "model/model.safetensors"])
def test_damaged_run_folder(raretag: Run, notes: Path, run_folder: Path, tmp_path: Path, name: str) -> None:
    damaged = tmp_path / "run"
    shutil.copytree(run_folder, damaged)
    (damaged / name).write_text("{")
    clear(raretag("evaluate", damaged, notes), "run", code=1)
    (damaged / name).unlink()
    clear(raretag("evaluate", damaged, notes), "run", code=1)


def test_all_documents_were_trained_on(raretag: Run, notes: Path, run_folder: Path, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    seen.mkdir()
    trained = json.loads((run_folder / "manifest.json").read_text(encoding="utf-8"))["data"]["train"]
    for name in trained:
        for suffix in (".txt", ".ann"):
            shutil.copy(notes / f"{name}{suffix}", seen / f"other-{name}{suffix}")
    clear(raretag("evaluate", run_folder, seen), "training saw all", code=1)


def test_targets_are_never_overwritten(raretag: Run, notes: Path, run_folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "taken.jsonl"
    target.write_text("precious")
    assert raretag("annotate", run_folder, notes, target).code == 2
    assert raretag("convert", notes, target, "--to", "jsonl").code in {1, 2}
    assert target.read_text() == "precious"


def test_unwritable_json(raretag: Run, notes: Path, tmp_path: Path) -> None:
    clear(raretag("inspect", notes, "--json", tmp_path / "no" / "such" / "x.json"), "x.json", code=1)
