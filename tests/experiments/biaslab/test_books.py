"""The ledger's windows: of equal numbers of steps, whatever ended a record early."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from raretag.errors import DataError
from raretag.experiments.biaslab.books import ledger_shares

FIGURES = ("targets", "loss", "loss_share", "gradient", "gradient_share", "pull", "push")


def write(path: Path, records: Sequence[tuple[int, int, Mapping[str, float | None]]]) -> Path:
    """Records of `O` and `A`, each with its last step, its steps and the loss of both; other figures are multiples."""
    lines = []
    for step, steps, losses in records:
        labels = {}
        for label, loss in losses.items():
            values: list[Any] = [10, loss, None, *(None if loss is None else n * loss for n in (2, None, 3, 4) if n)]
            labels[label] = dict(
                zip(("targets", "loss", "loss_share", "gradient", "pull", "push"), values, strict=True)
            ) | {"gradient_share": None}
        lines.append({"step": step, "seconds": 1.0, "ledger": {"steps": steps, "labels": labels}})
        lines.append({"step": step, "seconds": 1.0, "loss": 0.5})
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def test_windows_have_shares_of_their_means(tmp_path: Path) -> None:
    path = write(tmp_path / "h.jsonl", [(10, 10, {"O": 3.0, "A": 1.0}), (20, 10, {"O": 1.0, "A": 1.0})])
    found = ledger_shares(path, steps=10)
    assert (found.labels, found.steps) == (("O", "A"), (10, 20))
    assert found.loss == found.gradient == ((0.75, 0.25), (0.5, 0.5))
    assert found.pull == ((9.0, 3.0), (3.0, 3.0))
    assert found.push == ((12.0, 4.0), (4.0, 4.0))


def test_pieces_of_a_window_are_joined_by_their_steps(tmp_path: Path) -> None:
    whole = write(tmp_path / "whole.jsonl", [(10, 10, {"O": 2.5, "A": 0.5}), (14, 4, {"O": 1.0, "A": 4.0})])
    pieces = [(4, 4, {"O": 4.0, "A": 0.5}), (10, 6, {"O": 1.5, "A": 0.5}), (11, 1, {"O": 4.0, "A": 1.0}),
              (14, 3, {"O": 0.0, "A": 5.0})]  # fmt: skip
    cut = write(tmp_path / "cut.jsonl", pieces)
    found = ledger_shares(cut, steps=10)
    assert found == ledger_shares(whole, steps=10)
    assert found.steps == (10, 14)
    assert found.loss[0] == pytest.approx((5 / 6, 1 / 6), abs=1e-5)
    assert found.pull == ((7.5, 1.5), (3.0, 12.0))


def test_a_share_of_nothing_is_undefined(tmp_path: Path) -> None:
    path = write(tmp_path / "h.jsonl", [(5, 5, {"O": 0.0, "A": 0.0}), (10, 5, {"O": None, "A": 1.0})])
    found = ledger_shares(path, steps=5)
    assert found.loss == ((None, None), (None, None))
    assert found.pull == ((0.0, 0.0), (None, 3.0))


def test_a_history_without_a_ledger_is_told(tmp_path: Path) -> None:
    path = tmp_path / "h.jsonl"
    path.write_text('{"step": 1, "seconds": 1.0, "loss": 0.5}\n', encoding="utf-8")
    with pytest.raises(DataError, match="holds no ledger"):
        ledger_shares(path, steps=5)
