"""The ledger of a training, in windows of equal numbers of steps, whenever it was saved or interrupted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from raretag.experiments.biaslab.results import Shares
from raretag.training.ledger_records import read_ledger

Array = npt.NDArray[np.float64]


def ledger_shares(history: Path, *, steps: int) -> Shares:
    """Shares of loss and gradient, pull and push, by windows of `steps` steps.

    A checkpoint ends a record of the ledger early; such pieces of a window are joined, weighted by their steps. Figures
    have five significant digits, the last of which may change with when a training was saved. Raises DataError where
    the history holds no ledger.
    """
    books = read_ledger(history)
    windows = -(-books.steps // steps)
    ends = [int(books.steps[windows == window].max()) for window in np.unique(windows)]

    def joined(figures: Array) -> Array:
        return np.stack(
            [
                np.average(figures[windows == window], axis=0, weights=books.lengths[windows == window])
                for window in np.unique(windows)
            ]
        )

    return Shares(
        labels=books.labels,
        steps=tuple(ends),
        loss=_rows(_shared(joined(books.loss))),
        gradient=_rows(_shared(joined(books.gradient))),
        pull=_rows(joined(books.pull)),
        push=_rows(joined(books.push)),
    )


def _shared(figures: Array) -> Array:
    """Each row by its sum, NaN where that is not above 0."""
    totals = figures.sum(axis=1, keepdims=True)
    return np.asarray(np.where(totals > 0, figures / np.where(totals > 0, totals, 1.0), np.nan))


def _rows(figures: Array) -> tuple[tuple[float | None, ...], ...]:
    return tuple(tuple(float(f"{x:.5g}") if np.isfinite(x) else None for x in row) for row in figures)
