"""Bins of confidence: how sure the model was on the mean, and how often it was right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, final, get_args

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Binning = Literal["equal_width", "equal_mass"]

BINS = 15
COUNT, CONFIDENCE, CORRECT = 0, 1, 2
# float32 probabilities may sum to a little more than 1
_ROUNDING = 1e-5


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ReliabilityBin:
    """Confidences in (above, up_to], the first bin from 0 on: their number, their mean, and the share that was right.

    The bounds of a bin of equal mass are the least confidence (itself included) and the greatest.
    """

    above: float
    up_to: float
    count: int
    confidence: float
    correct: float


def bin_numbers(confidences: NDArray[Any], *, binning: Binning, bins: int = BINS) -> Integers:
    """The bin of each confidence: (n,) in [0, 1] -> int64 (n,) in 0 … bins − 1.

    equal_width: (b / bins, (b + 1) / bins], and 0 in the first (Guo 2017, arXiv 1706.04599). equal_mass: about n / bins
    in each, by sorted confidence; equal confidences always share a bin, so bins may be fewer, and no order matters.
    Raises ValueError for another binning, or bins < 1.
    """
    if binning not in get_args(Binning) or bins < 1:
        raise ValueError(f"no such binning: {binning!r} with {bins} bins; there are {', '.join(get_args(Binning))}")
    if binning == "equal_width":
        edges = np.arange(1, bins) / bins
    else:
        ordered = np.sort(confidences)
        # ⌈b n / bins⌉ items lie in the first b bins
        last = -(-np.arange(1, bins) * len(ordered) // bins) - 1
        edges = np.unique(ordered[last]) if len(ordered) else np.zeros(0)
    return np.searchsorted(edges, confidences, side="left").astype(np.int64)


def bin_sums(numbers: Integers, confidences: NDArray[Any], correct: NDArray[Any], *, bins: int = BINS) -> Floats:
    """float64 (bins, 3): number of items, sum of confidences, and number that is right, of each bin."""
    weights = (None, confidences, correct)
    return np.stack([np.bincount(numbers, weights=w, minlength=bins).astype(np.float64) for w in weights], axis=-1)


def gap(sums: NDArray[Any]) -> Floats:
    """Σ_b |Σ correct − Σ confidence| / n: sums (..., bins, 3) -> float64 (...), in [0, 1]; NaN where n = 0."""
    total = np.asarray(sums[..., COUNT].sum(axis=-1), dtype=np.float64)
    apart = np.abs(sums[..., CORRECT] - sums[..., CONFIDENCE]).sum(axis=-1)
    result: Floats = np.full(total.shape, np.nan)
    np.divide(apart, total, out=result, where=total > 0)
    return result


def reliability_bins(
    confidences: NDArray[Any], correct: NDArray[Any], *, binning: Binning = "equal_width", bins: int = BINS
) -> tuple[ReliabilityBin, ...]:
    """The table of a reliability diagram, lowest confidence first; bins that hold nothing are left out."""
    check(confidences, correct)
    numbers = bin_numbers(confidences, binning=binning, bins=bins)
    rows = []
    for number, (count, sure, right) in enumerate(bin_sums(numbers, confidences, correct, bins=bins).tolist()):
        if count:
            inside = confidences[numbers == number]
            wide = binning == "equal_width"
            rows.append(
                ReliabilityBin(
                    above=number / bins if wide else float(inside.min()),
                    up_to=(number + 1) / bins if wide else float(inside.max()),
                    count=int(count),
                    confidence=sure / count,
                    correct=right / count,
                )
            )
    return tuple(rows)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Reliability:
    """How far a set of confidences can be trusted: ece and adaptive_ece as in `calibration_error`. No items: None."""

    count: int
    confidence: float | None
    correct: float | None
    ece: float | None
    adaptive_ece: float | None
    bins: tuple[ReliabilityBin, ...]


def reliability(confidences: NDArray[Any], correct: NDArray[Any], *, bins: int = BINS) -> Reliability:
    """Sum up confidences (n,) in [0, 1] and correct (n,), 0 or 1. Raises ValueError for anything else."""
    check(confidences, correct)
    errors: dict[Binning, float] = {}
    for binning in ("equal_width", "equal_mass"):
        numbers = bin_numbers(confidences, binning=binning, bins=bins)
        errors[binning] = float(gap(bin_sums(numbers, confidences, correct, bins=bins)))
    n = len(confidences)
    return Reliability(
        count=n,
        confidence=float(np.mean(confidences, dtype=np.float64)) if n else None,
        correct=float(np.mean(correct, dtype=np.float64)) if n else None,
        ece=errors["equal_width"] if n else None,
        adaptive_ece=errors["equal_mass"] if n else None,
        bins=reliability_bins(confidences, correct, bins=bins),
    )


def reliability_by_group(
    confidences: NDArray[Any], correct: NDArray[Any], *, labels: Integers, groups: Sequence[str], bins: int = BINS
) -> Mapping[str, Reliability]:
    """`reliability` of each group that a label has, such as its tail group, in order of first appearance.

    labels: int64 (n,), the number of each item's label. groups: the group of each label number.
    """
    check(confidences, correct)
    if labels.shape != confidences.shape or (len(labels) and not (labels.min() >= 0 and labels.max() < len(groups))):
        raise ValueError(f"{len(confidences)} confidences need a label each, among {len(groups)}")
    names = tuple(dict.fromkeys(groups))
    group_of_label = np.array([names.index(group) for group in groups], dtype=np.int64)
    own = group_of_label[labels]
    return {
        name: reliability(confidences[own == number], correct[own == number], bins=bins)
        for number, name in enumerate(names)
    }


def check(confidences: NDArray[Any], correct: NDArray[Any]) -> None:
    """Raises ValueError unless these are probabilities (n,) and as many zeros and ones."""
    if confidences.ndim != 1 or correct.shape != confidences.shape:
        raise ValueError(f"confidences {confidences.shape} and correct {correct.shape}: give two rows of one length")
    if len(confidences) and not (confidences.min() >= 0 and confidences.max() <= 1 + _ROUNDING):
        raise ValueError(f"confidences from {confidences.min()} to {confidences.max()}: give numbers in [0, 1]")
    if not np.isin(correct, (0, 1)).all():
        raise ValueError("correct is neither 0 nor 1 everywhere")
