"""Nothing is written among the notes, or under no name; the figures outlive a target that cannot be written."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from raretag.cli.targets import check_figures
from raretag.corpus.formats import read_corpus

from .conftest import Run


@pytest.fixture
def own_notes(notes: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(notes, tmp_path / "notes"))


@pytest.mark.parametrize("below", ["machine", "deep/er", "../notes/machine", ""])
def test_targets_inside_the_notes(raretag: Run, own_notes: Path, run_folder: Path, below: str) -> None:
    before = sorted(own_notes.rglob("*"))
    target = own_notes / below
    for command in (
        ("annotate", run_folder, own_notes, target),
        ("convert", own_notes, target, "--to", "brat"),
        ("train", own_notes, "--out", target),
    ):
        shown = raretag(*command)
        assert shown.code == 2, command
        assert "lies inside" in shown.err
        assert "outside" in shown.err
    assert sorted(own_notes.rglob("*")) == before


def test_figures_among_the_notes(raretag: Run, own_notes: Path, run_folder: Path, tmp_path: Path) -> None:
    """They would take the place of annotations; told before anything is read, as is a place that cannot be."""
    gold = next(own_notes.glob("*.ann"))
    before = gold.read_bytes()
    (tmp_path / "file").touch()
    for command in (
        ("inspect", own_notes),
        ("evaluate", run_folder, own_notes),
        ("calibrate", run_folder, own_notes),
        ("compare", own_notes, "--out", tmp_path / "out"),
        ("tune", own_notes, "--out", tmp_path / "out"),
        ("biaslab", "--data", own_notes, "--out", tmp_path / "out"),
    ):
        for target, told in ((gold, "--json lies inside"), (tmp_path / "file" / "x.json", "cannot be written")):
            shown = raretag(*command, "--json", target)
            assert shown.code in {1, 2}, command
            assert told in shown.err
    assert gold.read_bytes() == before
    assert not (tmp_path / "out").exists()


def test_a_link_into_the_notes(raretag: Run, own_notes: Path, run_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(own_notes)
    shown = raretag("annotate", run_folder, own_notes, tmp_path / "link" / "machine")
    assert (shown.code, "OUT lies inside IN" in shown.err) == (2, True)


@pytest.mark.parametrize("name", ["", ".", "-", ".."])
def test_no_name(
    raretag: Run, notes: Path, run_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    for command in (
        ("annotate", run_folder, notes, name),
        ("convert", notes, name, "--to", "brat"),
        ("train", notes, "--out", name),
        ("demo", "--out", name),
    ):
        shown = raretag(*command)
        assert shown.code == 2, command
        assert "no name for a new file or folder" in shown.err
    assert not list((tmp_path / "here").iterdir())


@pytest.mark.parametrize("name", ["x.csv", "x.json", "x.txt"])
def test_a_suffix_that_tells_no_format(raretag: Run, notes: Path, run_folder: Path, tmp_path: Path, name: str) -> None:
    shown = raretag("annotate", run_folder, notes, tmp_path / name)
    assert (shown.code, "--to" in shown.err) == (2, True)
    assert not (tmp_path / name).exists()
    assert raretag("annotate", run_folder, notes, tmp_path / name, "--to", "jsonl").code == 0
    assert read_corpus(tmp_path / name).format == "jsonl"


def test_an_unknown_format_is_told_before_the_work(raretag: Run, notes: Path, tmp_path: Path) -> None:
    shown = raretag("annotate", tmp_path / "no-run", notes, tmp_path / "x", "--to", "nonsense")
    assert (shown.code, "nonsense" in shown.err) == (2, True)


def test_figures_outlive_a_run_folder_that_cannot_be_written(
    raretag: Run, notes: Path, run_folder: Path, tmp_path: Path
) -> None:
    run = Path(shutil.copytree(run_folder, tmp_path / "run"))
    (run / "evaluation.json").unlink(missing_ok=True)
    (run / "evaluation.json").mkdir()
    shown = raretag("evaluate", run, notes, "--resamples", 10, "--json", tmp_path / "figures.json")
    assert shown.code == 1
    assert "micro, all mentions" in shown.out
    assert "--json" in shown.err
    assert json.loads((tmp_path / "figures.json").read_text(encoding="utf-8"))["counts"]["documents"] == 8


def test_figures_outlive_a_json_file_that_cannot_be_written(
    raretag: Run, notes: Path, run_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone_since(target: Path, *, source: Path) -> None:
        check_figures(target, source=source)
        target.parent.rmdir()

    (tmp_path / "no").mkdir()
    monkeypatch.setattr("raretag.cli.evaluate.check_figures", gone_since)
    run = Path(shutil.copytree(run_folder, tmp_path / "run"))
    (run / "evaluation.json").unlink(missing_ok=True)
    shown = raretag("evaluate", run, notes, "--resamples", 10, "--json", tmp_path / "no" / "figures.json")
    assert shown.code == 1
    assert "micro, all mentions" in shown.out
    assert "Choose another --json" in shown.err
    assert json.loads((run / "evaluation.json").read_text(encoding="utf-8"))["counts"]["documents"] == 8


def test_labels_that_the_model_does_not_know(raretag: Run, notes: Path, run_folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.jsonl"
    spans = [{"label": label, "start": k, "end": k + 1} for k, label in enumerate(("Zeta", "[/b]", "Zeta"))]
    other.write_text(json.dumps({"id": "new", "text": "unseen words", "mentions": spans}) + "\n", encoding="utf-8")
    shown = raretag("evaluate", run_folder, other, "--resamples", 0)
    assert shown.code == 0, shown.err
    assert "3 of 3 gold mentions have labels the model was not trained for: Zeta, [/b]" in shown.err
    assert "not trained for: Zeta" not in raretag("evaluate", run_folder, notes, "--resamples", 0).err


def test_the_demo_leaves_notes_alone(raretag: Run, notes: Path, tmp_path: Path) -> None:
    shutil.copytree(notes, tmp_path / "demo" / "notes")
    shown = raretag("demo", "--out", tmp_path / "demo")
    assert (shown.code, "--resume" in shown.err) == (2, True)
    assert [path.name for path in (tmp_path / "demo").iterdir()] == ["notes"]
