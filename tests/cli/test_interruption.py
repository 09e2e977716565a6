"""Ctrl-C ends with one line that says how to go on, and exit code 130."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import Run


def interrupted(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("command", "place"),
    [
        ("train", "raretag.training.fine_tuning.plan_training"),
        ("demo", "raretag.training.fine_tuning.plan_training"),
        ("biaslab", "raretag.experiments.biaslab.lab.cut_text"),
        ("inspect", "raretag.corpus.inventory.inventory"),
    ],
)
def test_interruption(
    raretag: Run, notes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, place: str
) -> None:
    monkeypatch.setattr(place, interrupted)
    words = {
        "train": (notes, "--out", tmp_path / "run"),
        "demo": ("--out", tmp_path / "demo"),
        "biaslab": ("--out", tmp_path / "lab"),
        "inspect": (notes,),
    }
    shown = raretag(command, *words[command])
    goes_on = "" if command == "inspect" else "; the same command with --resume goes on"
    assert shown.code == 130
    assert shown.err.splitlines()[-1] == f"raretag: interrupted{goes_on}"
    assert "Traceback" not in shown.err


def test_other_ends_keep_their_code(raretag: Run, tmp_path: Path) -> None:
    assert raretag("--help").code == 0
    assert raretag("[/b]").code == 2
    assert raretag("inspect", "--nonsense").code == 2
    assert raretag("inspect", tmp_path / "absent").code == 1
