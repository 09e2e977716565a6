"""Votes of neighbours mixed with what the model says."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt

from raretag.probability.neighbours.settings import NeighbourSettings
from raretag.tagging.schema import OUTSIDE

FloatT = TypeVar("FloatT", bound=np.floating)


def mixed(probabilities: npt.NDArray[FloatT], votes: npt.NDArray[np.floating], *, weight: float) -> npt.NDArray[FloatT]:
    """p = λ p_kNN + (1 − λ) p_model (kNN-NER, arXiv 2203.17103), λ = `weight` in [0, 1].

    probabilities: float (..., tags), what the model says, whose type is kept. votes: float, of the same shape.
    Raises ValueError where shapes differ and for a weight outside [0, 1].
    """
    _check(probabilities, votes, weight=weight)
    return np.asarray((weight * votes + (1 - weight) * probabilities).astype(probabilities.dtype))


def mixed_within_mentions(
    probabilities: npt.NDArray[FloatT], votes: npt.NDArray[np.floating], *, weight: float
) -> npt.NDArray[FloatT]:
    """p(O) = p_model(O); p(y) = λ (1 − p_model(O)) p_kNN(y) + (1 − λ) p_model(y) for the tags y of mentions.

    For votes of a store that holds no token outside mentions, which can tell what a token in a mention is but not
    whether it is in one. Arguments and errors as of `mixed`; votes must be 0 for tag 0, `O`. Raises ValueError if not.
    """
    _check(probabilities, votes, weight=weight)
    if votes[..., OUTSIDE].any():
        raise ValueError("votes of tokens in mentions alone cannot be for O")
    inside = probabilities.sum(axis=-1, keepdims=True) - probabilities[..., OUTSIDE, None]
    found = weight * np.maximum(inside, 0) * votes + (1 - weight) * probabilities
    found[..., OUTSIDE] = probabilities[..., OUTSIDE]
    return np.asarray(found.astype(probabilities.dtype))


def mixture(
    probabilities: npt.NDArray[FloatT], votes: npt.NDArray[np.floating], *, settings: NeighbourSettings
) -> npt.NDArray[FloatT]:
    """`mixed`, or `mixed_within_mentions` where `settings.store` is mentions, by `settings.weight`."""
    if settings.store == "all":
        return mixed(probabilities, votes, weight=settings.weight)
    return mixed_within_mentions(probabilities, votes, weight=settings.weight)


def _check(probabilities: npt.NDArray[FloatT], votes: npt.NDArray[np.floating], *, weight: float) -> None:
    if probabilities.shape != votes.shape:
        raise ValueError(f"votes {votes.shape} must have the shape of probabilities, {probabilities.shape}")
    if not 0 <= weight <= 1:
        raise ValueError(f"the weight of votes must be in [0, 1], not {weight}")
