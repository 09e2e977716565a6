"""Shares of loss and gradient by label and window of steps, over the seeds of a mechanism."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
import numpy.typing as npt

from raretag.experiments.biaslab.results import Run, Shares

Array = npt.NDArray[np.float64]
_Rows = tuple[tuple[float | None, ...], ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerShares:
    """Means over seeds. labels: as in the ledger. edges: int64 (windows + 1,), the steps between which windows lie.

    gradient, loss: float64 (windows, labels), rows that sum to 1, or of NaN where no seed has the share of every label,
    or where a share is negative, which a loss with negative terms can give.
    """

    labels: tuple[str, ...]
    edges: npt.NDArray[np.int64]
    gradient: Array
    loss: Array


def mean_shares(runs: Sequence[Run]) -> LedgerShares:
    """The ledgers of several seeds as one; windows of no runs, or of empty ledgers, are none."""
    ledgers = [run.ledger for run in runs]
    labels = ledgers[0].labels if ledgers else ()
    steps = sorted({step for ledger in ledgers for step in ledger.steps})
    return LedgerShares(
        labels=labels,
        edges=np.array([0, *steps], dtype=np.int64),
        gradient=_mean(ledgers, rows=lambda ledger: ledger.gradient, steps=steps, width=len(labels)),
        loss=_mean(ledgers, rows=lambda ledger: ledger.loss, steps=steps, width=len(labels)),
    )


def _mean(ledgers: Sequence[Shares], *, rows: Callable[[Shares], _Rows], steps: Sequence[int], width: int) -> Array:
    mean = np.full((len(steps), width), np.nan)
    for place, step in enumerate(steps):
        found = [
            row
            for ledger in ledgers
            for end, row in zip(ledger.steps, rows(ledger), strict=True)
            if end == step and all(share is not None and share >= 0 for share in row)
        ]
        if found:
            mean[place] = np.mean(np.array(found, dtype=np.float64), axis=0)
    return mean
