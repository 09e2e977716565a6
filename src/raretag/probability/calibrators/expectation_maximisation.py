"""The prior of a new place, from what the model says of its documents; no gold is needed."""

from __future__ import annotations

from typing import Final, final

import numpy as np
import numpy.typing as npt

from raretag.options import Options
from raretag.probability.calibrators.base import Array, Calibration, Calibrator, Context
from raretag.probability.calibrators.prior_shift import PriorShift, prior_shift
from raretag.probability.evidence import Evidence

# steps at most, and the total variation between two of them at which the prior is taken for found
_STEPS: Final = 1000
_STILL: Final = 1e-8
# rows that are held at once as float64, beside the probabilities as they came
_ROWS: Final = 4096


@final
class ExpectationMaximisation(Calibrator[Options]):
    """π ← mean_t p_t ∘ π/π̃ / Σ_k p_tk π_k/π̃_k, until it stays (Saerens, Latinne and Decaestecker 2002).

    The maximum of the likelihood of the documents where the same text means the same everywhere and only shares of
    tags differ. π̃ is the prior that the probabilities hold, `Context.effective`; π starts at `Context.empirical`.
    Wants calibrated probabilities. Time: two matrix-vector products a step, at most 1,000 steps.
    """

    calibration_type = PriorShift
    needs_gold = False
    needs_taught_prior = True

    def _fit(self, evidence: Evidence, *, context: Context) -> Calibration:
        shape, tags = evidence.schema.shape, evidence.schema.shape[-1]
        taught, start = context.effective.reshape(-1, tags), context.empirical.reshape(-1, tags)
        p = evidence.probabilities.reshape(len(evidence), -1, tags)
        found = np.stack([_estimated(p[:, layer], taught[layer], start[layer]) for layer in range(p.shape[1])])
        return prior_shift(taught=context.effective, target=found.reshape(shape), schema=evidence.schema)


def _estimated(p: npt.NDArray[np.float32], taught: Array, start: Array) -> Array:
    """The prior of rows p, float32 (rows, tags), in a unit of its own."""
    open_ = taught > 0
    base = np.where(open_, taught / taught.sum(), 1.0)
    # a little for every tag that training taught, for a start of 0 would stay there
    prior = np.where(open_, np.maximum(start, 0.0), 0.0)
    prior = np.where(open_, prior / max(prior.sum(), 1e-300) + 1e-6, 0.0)
    prior /= prior.sum()
    for _ in range(_STEPS):
        ratio, summed, counted = prior / base, np.zeros(len(prior)), 0
        for first in range(0, len(p), _ROWS):
            block = p[first : first + _ROWS].astype(np.float64)
            mass = block @ ratio
            told = mass > 0
            counted += int(told.sum())
            summed += (1.0 / mass[told]) @ block[told]
        if not counted:
            return prior
        new = ratio * summed / counted
        moved, prior = 0.5 * float(np.abs(new - prior).sum()), new
        if moved < _STILL:
            break
    return prior
