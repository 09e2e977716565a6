"""Labels, file names and paths are users' own words: never markup, never a reason to fail."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from raretag.cli import main

from .conftest import Run

ODD = ("[/b]", "[red]", ":pill:", "[bold]x[/bold]")


def jsonl(path: Path, *labels: str, name: str = "a") -> Path:
    spans = [{"label": label, "start": k, "end": k + 1} for k, label in enumerate(labels)]
    path.parent.mkdir(parents=True, exist_ok=True)
    record = {"id": name, "text": "abcdefghijklmnop", "mentions": spans}
    path.write_text(json.dumps(record, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def test_labels_are_shown_as_they_are(raretag: Run, tmp_path: Path) -> None:
    shown = raretag("inspect", jsonl(tmp_path / "a.jsonl", *ODD))
    assert shown.code == 0, shown.err
    assert set(ODD) <= set(shown.out.split())


def test_paths_are_shown_as_they_are(raretag: Run, tmp_path: Path) -> None:
    source, target = jsonl(tmp_path / "[/b]:pill:" / "a.jsonl", "A"), tmp_path / "[/b][red].jsonl"
    shown = raretag("convert", source, target, "--to", "jsonl")
    assert shown.code == 0, shown.err
    assert str(target) in shown.err


def test_paths_in_the_commands_of_train(raretag: Run, notes: Path, tiny_encoder: Path, tmp_path: Path) -> None:
    run = tmp_path / "[/b]" / "[red]"
    shown = raretag("train", notes, "--out", run, "--encoder", tiny_encoder, "--set", "optimiser.epochs=1")
    assert shown.code == 0, shown.err
    assert f"raretag evaluate {run} {notes}" in shown.err
    evaluated = raretag("evaluate", run, notes, "--resamples", 10)
    assert evaluated.code == 0, evaluated.err
    assert str(run / "evaluation.json") in evaluated.err


def test_findings_name_odd_files(raretag: Run, tmp_path: Path) -> None:
    folder = tmp_path / "notes"
    (folder / "[").mkdir(parents=True)
    (folder / "[" / "b]\x1b[31m.txt").write_text("fever\n", encoding="utf-8")
    (folder / "[" / "b]\x1b[31m.ann").write_text("T1\tSign 0 5\tfever\nnonsense\n", encoding="utf-8")
    shown = raretag("inspect", folder)
    assert shown.code == 0, shown.err
    assert "[/b]\\x1b[31m.ann" in shown.err
    assert "\x1b" not in shown.out + shown.err


def test_control_characters_are_escaped(raretag: Run, tmp_path: Path) -> None:
    shown = raretag("inspect", jsonl(tmp_path / "a.jsonl", "A\x1b[31mB", "C\u202eD"))
    assert shown.code == 0, shown.err
    assert {"A\\x1b[31mB", "C\\u202eD"} <= set(shown.out.split())
    wrong = raretag("inspect", tmp_path / "absent\x1b[31m")
    assert wrong.code == 1
    assert "absent\\x1b[31m" in wrong.err


@pytest.mark.parametrize("json_wanted", [False, True])
def test_a_terminal_without_the_labels_script(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, json_wanted: bool
) -> None:
    source = jsonl(tmp_path / "a.jsonl", "病名", "😀")
    printed = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", printed)
    monkeypatch.setattr(sys, "argv", ["raretag", "inspect", str(source), *(["--json", "-"] if json_wanted else [])])
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code
    printed.seek(0)
    text = printed.read()
    if json_wanted:
        assert {row["label"] for row in json.loads(text)["labels"]} == {"病名", "😀"}
    else:
        assert "\\u75c5\\u540d" in text


def test_in_a_pipe_nothing_is_folded(raretag: Run, tmp_path: Path) -> None:
    label = "x" * 400
    assert label in raretag("inspect", jsonl(tmp_path / "a.jsonl", label)).out
