"""How far predicted shares of the labels are from their empirical probabilities, and in which direction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# shares that differ by less, relatively, are held to be equal: the rest is rounding
ROUNDING = 1e-9


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Fidelity:
    """Predicted shares p̂ against empirical shares p of K labels, the first of which is outside all others (`O`).

    predicted, empirical: p̂ and p in the order of the labels, each summing to 1.

    tv: total variation ½ Σ |p̂ − p|, in [0, 1]; the share of tokens that would have to change their label.

    kl: KL(p ‖ p̂) = Σ p log(p / p̂) in nats, >= 0, with both smoothed: (p + ε) / (1 + K ε), ε = 1 / (2 tokens).

    relative_error: the mean of |p̂ − p| / p over the labels with p > 0, with both smoothed likewise, which makes it
    the mean of |p̂ − p| / (p + ε); >= 0. kl, relative error and smoothing: Sebastiani (2020, arXiv 1809.01991); there
    the relative error is over all labels, here labels without any empirical token are left out of it.

    amplification: slope β of log p̂ on log p by ordinary least squares over the labels where both are > 0, not
    smoothed. β > 1 amplifies the differences between frequent and rare labels, β < 1 flattens them, β = 1 preserves
    the ratios; p̂ ∝ p² has β = 2. None with fewer than two such labels, or where their p are all equal.
    amplification_among_labels: the same without the first label.

    never_predicted: the labels with p > 0 and p̂ exactly 0, in order. They have no logarithm, so that the slopes say
    nothing of them: read both together.

    A label with p = 0 that is predicted all the same counts in tv and kl. It is left out of the other measures, which
    see only what it takes from the shares of the labels with p > 0.
    """

    predicted: tuple[float, ...]
    empirical: tuple[float, ...]
    tv: float
    kl: float
    relative_error: float
    amplification: float | None
    amplification_among_labels: float | None
    never_predicted: tuple[str, ...]


def fidelity(predicted: Floats, empirical: Floats, *, labels: Sequence[str], tokens: int) -> Fidelity:
    """Compare the shares that a model predicts with those that the data have.

    predicted, empirical: float64 (labels,), finite, >= 0, counts or shares: each is divided by its sum. predicted
    are counts of decided tags, sums of probabilities, or counts of tags drawn from them. labels: their names, what is
    outside all of them first. tokens: >= 1, the number of tokens that the shares are of; it sets the smoothing.
    Raises ValueError for repeated labels, shapes that do not fit them, unusable values and tokens < 1.
    """
    if len({*labels}) != len(labels):
        raise ValueError(f"{len(labels)} labels have only {len({*labels})} different names")
    if tokens < 1:
        raise ValueError(f"shares of {tokens} tokens: give 1 or more")
    p = normalised(empirical, name="empirical", labels=len(labels))
    q = normalised(predicted, name="predicted", labels=len(labels))
    present = p > 0
    smooth_p, smooth_q = smoothed(p, tokens=tokens), smoothed(q, tokens=tokens)
    return Fidelity(
        predicted=tuple(q.tolist()),
        empirical=tuple(p.tolist()),
        tv=min(float(np.abs(q - p).sum()) / 2, 1.0),
        kl=float(kl_divergence(smooth_p, smooth_q)),
        relative_error=float((np.abs(smooth_q - smooth_p) / smooth_p)[present].mean()),
        amplification=_slope(p, q),
        amplification_among_labels=_slope(p[1:], q[1:]),
        never_predicted=tuple(label for label, lost in zip(labels, present & (q == 0), strict=True) if lost),
    )


def normalised(values: Floats, *, name: str, labels: int) -> Floats:
    """Values divided by their sum: float64 (labels,). Raises ValueError that tells `name` where they are no shares."""
    array = np.asarray(values, dtype=np.float64)
    if array.shape != (labels,):
        raise ValueError(f"{name} has shape {array.shape}, but there are {labels} labels")
    total = float(array.sum())
    if not np.isfinite(total) or total <= 0 or (array < 0).any():
        raise ValueError(f"{name} {array.tolist()}: give finite numbers >= 0 with a sum > 0")
    return np.asarray(array / total)


def smoothed(shares: Floats, *, tokens: float) -> Floats:
    """(p + ε) / (1 + K ε) with ε = 1 / (2 tokens) over the last axis of K labels: > 0, and the sum stays 1."""
    epsilon = 1 / (2 * tokens)
    return np.asarray((shares + epsilon) / (1 + shares.shape[-1] * epsilon))


def kl_divergence(empirical: Floats, predicted: Floats) -> Floats:
    """KL(empirical ‖ predicted) in nats over the last axis, >= 0, for smoothed shares that broadcast to one shape."""
    ratio = predicted / empirical
    # both sums are 1, so that Σ p (r − 1) adds 0; with it no term cancels another and nearby shares stay exact
    return np.asarray(np.maximum((empirical * (ratio - 1 - np.log(ratio))).sum(axis=-1), 0.0))


def _slope(empirical: Floats, predicted: Floats) -> float | None:
    both = (empirical > 0) & (predicted > 0)
    x, y = np.log(empirical[both]), np.log(predicted[both])
    if len(x) < 2 or x.max() - x.min() <= ROUNDING:
        return None
    # both centred, so that equal shares have a slope of exactly 1 however close together they are
    centred = x - x.mean()
    return float(centred @ (y - y.mean()) / (centred @ centred))
