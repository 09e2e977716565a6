"""Precision, recall and F1 from counts, for one table or for thousands of resamples at once; 0/0 is NaN."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from raretag.evaluation.counts import CORRECT, GOLD, PREDICTED

PRECISION, RECALL, F1 = 0, 1, 2

Floats = NDArray[np.float64]


def rates(counts: Floats) -> Floats:
    """Counts (..., 3) gold, predicted, correct -> (..., 3) precision c/p, recall c/g and F1 2c/(g+p), in [0, 1].

    NaN is undefined: precision where nothing is predicted, recall where there is no gold, F1 where there is neither.
    """
    gold, predicted, correct = counts[..., GOLD], counts[..., PREDICTED], counts[..., CORRECT]
    return np.stack([_ratio(correct, predicted), _ratio(correct, gold), _ratio(2 * correct, gold + predicted)], axis=-1)


def micro_rates(counts: Floats) -> Floats:
    """Rates of the counts pooled over labels: (..., labels, 3) -> (..., 3)."""
    return rates(counts.sum(axis=-2))


def macro_rates(counts: Floats) -> Floats:
    """Rates averaged over the labels with gold > 0: (..., labels, 3) -> (..., 3); NaN where no label has gold.

    A label that is never predicted has F1 0 in the mean, but no precision: that mean is over the predicted ones.
    """
    single = rates(counts)
    averaged = np.broadcast_to((counts[..., GOLD] > 0)[..., None], single.shape) & ~np.isnan(single)
    return _ratio(np.where(averaged, single, 0.0).sum(axis=-2), averaged.sum(axis=-2))


def with_lost_labels(drawn: Floats, whole: Floats) -> Floats:
    """Counts of resamples (m, labels, 3) for `macro_rates`: a label without gold has those of `whole`, (labels, 3).

    A label of few mentions is in no document of many resamples. Left out there, the hard ones would be missing from
    the mean most often, and an interval would lie above its own figure.
    """
    return np.where(drawn[..., GOLD, None] > 0, drawn, whole)


def _ratio(part: Floats, whole: Floats | NDArray[np.int64]) -> Floats:
    ratio: Floats = np.full(part.shape, np.nan)
    np.divide(part, whole, out=ratio, where=whole > 0)
    return ratio
