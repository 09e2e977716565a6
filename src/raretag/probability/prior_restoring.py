"""Probabilities with the data's prior put back: the partner of every weight and sampler that moves the prior."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
FloatT = TypeVar("FloatT", bound=np.floating)


def restore_prior(
    probabilities: npt.NDArray[FloatT], *, effective: npt.NDArray[np.floating], empirical: npt.NDArray[np.floating]
) -> npt.NDArray[FloatT]:
    """p'_y ∝ p_y · π_y / π̃_y over the last axis: a shift of each logit by log(π_y / π̃_y).

    Exact where training changed the prior π̃ and nothing else (Saerens, Latinne and Decaestecker 2002, Neural
    Computation 14). probabilities: float (..., tags), or (..., labels, tags of a label) with a layered
    schema; shape and type are kept, rows sum to 1. effective: π̃, what training taught, and empirical: π, what the
    data hold, both of the shape of one token's probabilities, in any unit: the last axis is normalised. A tag that
    either has at 0 gets 0; a row where nothing would be left gets π.
    Raises ValueError where shapes do not fit, and for values that are negative, not finite, or all 0 in a prior.
    """
    shape = effective.shape
    if not shape or empirical.shape != shape or probabilities.shape[-len(shape) :] != shape:
        raise ValueError(
            f"effective {shape} and empirical {empirical.shape} priors must have the shape of one token's "
            f"probabilities, the last axes of {probabilities.shape}"
        )
    _check(probabilities)
    taught, target = _normalised(effective, name="effective"), _normalised(empirical, name="empirical")
    # in logarithms, so that no quotient of small shares overflows; log 0 is the −∞ that is meant
    with np.errstate(divide="ignore"):
        shift = np.log(target) - np.log(np.where(taught > 0, taught, 1.0))
        logits = np.log(probabilities.astype(np.float64)) + np.where(taught > 0, shift, -np.inf)
    largest = logits.max(axis=-1, keepdims=True)
    nothing = np.isneginf(largest)
    mass = np.exp(logits - np.where(nothing, 0.0, largest))
    restored = np.where(nothing, target, mass / np.where(nothing, 1.0, mass.sum(axis=-1, keepdims=True)))
    return restored.astype(probabilities.dtype)


def undo_relabelling(
    probabilities: npt.NDArray[FloatT], *, shares: npt.NDArray[np.floating], groups: npt.NDArray[np.int64]
) -> npt.NDArray[FloatT]:
    """p_y = p̂_y / q_k for the tags y of label k, and p_O = 1 − Σ p_y: gives other labels back what `O` took of them.

    For BTL (Rehman et al. 2024, arXiv 2409.03238) whose batches about label k relabel all other labels as `O`: where
    a share q_k of them is about k, unweighted, and each holds windows as they come, cross-entropy learns
    p̂_y = q_k p_y and gives `O` the rest, so that no shift of logits undoes it. probabilities: float (..., tags); shape
    and type are kept, rows sum to 1. shares: float (labels,), q_k in any unit. groups: int64 (tags,), 0 for `O`, 1 + k
    for the tags of label k. A label with q_k = 0 was never learned and gets 0; `O` is clipped at 0, and rows are
    normalised. Raises ValueError where shapes do not fit, where not exactly one tag is `O`, and for values that are
    negative, not finite, or all 0 in `shares`.
    """
    if shares.ndim != 1 or groups.shape != probabilities.shape[-1:] or not probabilities.ndim:
        raise ValueError(
            f"groups {groups.shape} must be (tags,) of probabilities {probabilities.shape}, and shares "
            f"{shares.shape} one-dimensional"
        )
    if (groups == 0).sum() != 1 or groups.min() < 0 or groups.max() > len(shares):
        raise ValueError(f"groups must hold one 0, for O, and else 1 to {len(shares)}, not {groups.tolist()}")
    _check(probabilities)
    visits = np.concatenate([[0.0], _normalised(shares, name="batch")])[groups]
    found = np.where(visits > 0, probabilities / np.where(visits > 0, visits, 1.0), 0.0)
    found[..., groups == 0] = np.maximum(1.0 - found.sum(axis=-1, keepdims=True), 0.0)
    normalised: Array = found / found.sum(axis=-1, keepdims=True)
    return normalised.astype(probabilities.dtype)


def _check(probabilities: npt.NDArray[np.floating]) -> None:
    if not np.issubdtype(probabilities.dtype, np.floating):
        raise ValueError(f"probabilities must be floating-point numbers, not {probabilities.dtype}")
    if not (np.isfinite(probabilities) & (probabilities >= 0)).all():
        raise ValueError("probabilities must be finite and not below 0")


def _normalised(shares: npt.NDArray[np.floating], *, name: str) -> Array:
    """Shares that sum to 1 over the last axis, float64."""
    totals = shares.astype(np.float64).sum(axis=-1, keepdims=True)
    if not np.isfinite(shares).all() or (shares < 0).any() or not (totals > 0).all():
        raise ValueError(f"{name} shares must be finite, not below 0 and not all 0, not {shares.tolist()}")
    return np.asarray(shares / totals)
