"""How the ledger is written into `history.jsonl`, and read back as arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, final

import numpy as np
import numpy.typing as npt

from raretag.errors import DataError
from raretag.training.history import read_history

Array = npt.NDArray[np.float64]

OUTSIDE_NAME: Final = "O"
FIGURES: Final = ("targets", "loss", "gradient", "pull", "push")
_SHARED: Final = ("loss", "gradient")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerRecords:
    """The ledger of a run: figures are float64 (windows, labels), NaN where undefined; `O` is the first label
    (`O*` where a label has that name).

    steps: int64 (windows,), the optimiser step at which each window of steps ends. lengths: int64 (windows,), its
    number of steps. targets: their number in the window. loss: Σ ℓ / N; gradient: L2 norm; pull and push as
    `Targets.forces` has them; all means over the window's steps. The shares sum to 1 over the labels.
    """

    labels: tuple[str, ...]
    steps: npt.NDArray[np.int64]
    lengths: npt.NDArray[np.int64]
    targets: Array
    loss: Array
    loss_share: Array
    gradient: Array
    gradient_share: Array
    pull: Array
    push: Array


def outside_name(labels: Sequence[str]) -> str:
    """`O`, with stars where a label is called that."""
    name = OUTSIDE_NAME
    while name in labels:
        name += "*"
    return name


def figures_by_label(
    names: Sequence[str], sums: Mapping[str, Array], *, steps: int
) -> dict[str, dict[str, float | int | None]]:
    """One entry a label from sums (labels,) over `steps` steps: six significant digits, None where undefined.

    A share is undefined where its whole is not above 0.
    """
    columns: dict[str, list[float | int | None]] = {"targets": [int(number) for number in sums["targets"]]}
    for name in FIGURES[1:]:
        columns[name] = [_rounded(value / steps) for value in sums[name]]
        if name in _SHARED:
            whole = float(sums[name].sum())
            columns[f"{name}_share"] = [_rounded(value / whole) if whole > 0 else None for value in sums[name]]
    return {name: {key: values[place] for key, values in columns.items()} for place, name in enumerate(names)}


def read_ledger(path: Path) -> LedgerRecords:
    """The ledger in a `history.jsonl`. Raises DataError where there is none, or where it is damaged."""
    records = [record for record in read_history(path) if "ledger" in record]
    if not records:
        raise DataError("this history holds no ledger", remedy="Train with a ledger", file=path)
    labels = tuple(records[0]["ledger"]["labels"])
    fields = [name for name in LedgerRecords.__annotations__ if name not in ("labels", "steps", "lengths")]
    try:
        return LedgerRecords(
            labels=labels,
            steps=np.asarray([record["step"] for record in records], dtype=np.int64),
            lengths=np.asarray([record["ledger"]["steps"] for record in records], dtype=np.int64),
            **{name: np.asarray([_row(record, labels, name) for record in records]) for name in fields},
        )
    except (KeyError, TypeError, ValueError) as error:
        raise DataError("the ledger in this history is damaged", remedy="Train again", file=path) from error


def _row(record: Mapping[str, Any], labels: Sequence[str], name: str) -> list[float]:
    found = record["ledger"]["labels"]
    if set(found) != set(labels):
        raise ValueError("records of different labels")
    return [float("nan") if found[label][name] is None else float(found[label][name]) for label in labels]


def _rounded(value: float) -> float | None:
    """Six significant digits; JSON has no NaN."""
    return float(f"{value:.6g}") if np.isfinite(value) else None
