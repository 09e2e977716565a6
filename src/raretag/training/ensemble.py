"""Further models of a run: the same encoder, documents and tags, other settings of learning; asked together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

# in the run folder: a run folder for each further model, by its number from 2
ENSEMBLE: Final = "ensemble"
# the least probability that a logarithm is taken of: float32 has no smaller normal number
_TINY: Final = float(np.finfo(np.float32).tiny)


def together(probabilities: Sequence[npt.NDArray[np.float32]]) -> npt.NDArray[np.float32]:
    """What models say together: Π_m p_m^(1/M), normalised over the last axis (Hinton 2002, a product of experts).

    probabilities: float32 arrays of one shape, one a model. Where all agree, that is what they say: a tag that all
    of them shut (p = 0) stays shut; that of one alone is open, at the least probability there is.
    """
    mean = np.mean([np.log(np.maximum(p, _TINY, dtype=np.float64)) for p in probabilities], axis=0)
    joint = np.exp(mean - mean.max(axis=-1, keepdims=True))
    joint[np.maximum.reduce(probabilities) <= 0] = 0
    return np.asarray(joint / joint.sum(axis=-1, keepdims=True), dtype=np.float32)


def prior_together(priors: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The `prior` of a manifest for models whose own are given: effective ones go together as probabilities do.

    A model whose p is true but for the factor effective / empirical leaves Π (effective_m / empirical)^(1/M) in theirs.
    """
    first = priors[0]
    effective = [one["effective"] for one in priors]
    layered = all(isinstance(value, dict) for value in first["effective"].values())
    joint = (
        {label: _mean([one[label] for one in effective]) for label in first["effective"]}
        if layered
        else _mean(effective)
    )
    return {**first, "effective": joint, "unique": all(one["unique"] for one in priors)}


def _mean(shares: Sequence[dict[str, float]]) -> dict[str, float]:
    """Normalised geometric mean by tag; what one of them holds impossible is impossible."""
    tags = list(shares[0])
    with np.errstate(divide="ignore"):
        values = np.exp(np.mean([np.log([one[tag] for tag in tags]) for one in shares], axis=0))
    total = values.sum()
    return dict(zip(tags, (values / total if total > 0 else values).tolist(), strict=True))
