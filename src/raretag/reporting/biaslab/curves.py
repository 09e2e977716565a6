"""What is measured along training, over the seeds of a mechanism."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
import numpy.typing as npt

from raretag.experiments.biaslab.results import Measurement, Run

Array = npt.NDArray[np.float64]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """A figure along training. steps: int64 (steps,), ascending.

    mean, low, high: float64 (steps,) over the seeds for which the figure is defined at that step, NaN where there is
    none; low and high are the least and the greatest.
    """

    steps: npt.NDArray[np.int64]
    mean: Array
    low: Array
    high: Array

    @property
    def last(self) -> float | None:
        """The last mean that is defined; None where none is."""
        defined = self.mean[~np.isnan(self.mean)]
        return float(defined[-1]) if len(defined) else None


def amplification_curve(runs: Sequence[Run]) -> Curve:
    """The amplification exponent of soft sums on held-out documents, before the prior is restored."""
    return _over_seeds([{at.step: _soft_held_out(at) for at in run.curve} for run in runs])


def memorised_curve(runs: Sequence[Run]) -> Curve:
    """The share of what the training labels tell beyond their frequencies that the model knows."""
    return _over_seeds([{at.step: at.memorised for at in run.curve} for run in runs])


def _soft_held_out(at: Measurement) -> float | None:
    return next(
        cell.amplification for cell in at.cells if (cell.part, cell.reading, cell.prior) == ("held_out", "soft", "raw")
    )


def _over_seeds(seeds: Sequence[Mapping[int, float | None]]) -> Curve:
    steps = sorted({step for seed in seeds for step in seed})
    defined = [[value for seed in seeds if (value := seed.get(step)) is not None] for step in steps]
    nothing = [float("nan")]
    return Curve(
        steps=np.array(steps, dtype=np.int64),
        mean=np.array([np.mean(values or nothing) for values in defined], dtype=np.float64),
        low=np.array([min(values or nothing) for values in defined], dtype=np.float64),
        high=np.array([max(values or nothing) for values in defined], dtype=np.float64),
    )
