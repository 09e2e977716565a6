"""Expected calibration error: by how much confidence and share of right answers differ."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from raretag.evaluation.intervals import Interval, percentile_interval, resample
from raretag.evaluation.reliability import BINS, Binning, Integers, bin_numbers, bin_sums, check, gap


def calibration_error(
    confidences: NDArray[Any], correct: NDArray[Any], *, binning: Binning = "equal_width", bins: int = BINS
) -> float | None:
    """ECE = Σ_b |B_b| / n · |share correct in b − mean confidence in b|, in [0, 1]; None without items.

    confidences: float (n,) in [0, 1]. correct: bool, or 0 and 1, (n,). Bins of equal width: Guo et al. (2017, arXiv
    1706.04599); of equal mass ("adaptive"): Nixon et al. (2019, arXiv 1904.01685), ties kept together. Finite samples
    bias it upwards (Kumar et al. 2019, arXiv 1909.10155): read it beside `calibration_noise`.
    Raises ValueError for other values or shapes.
    """
    check(confidences, correct)
    error = float(gap(bin_sums(bin_numbers(confidences, binning=binning, bins=bins), confidences, correct, bins=bins)))
    return None if np.isnan(error) else error


def calibration_error_interval(
    confidences: NDArray[Any],
    correct: NDArray[Any],
    *,
    owners: Integers,
    groups: Sequence[Hashable],
    binning: Binning = "equal_width",
    bins: int = BINS,
    resamples: int = 2000,
    seed: int = 0,
) -> Interval | None:
    """Central 95 % of `calibration_error` over resamples of whole documents, or patients; None as for other intervals.

    owners: int64 (n,), the number of each item's document. groups: what each document is drawn with; documents without
    items belong here, too. Bins of equal mass stay those of all items. Each document enters by its sums per bin, so a
    resample is one row of a matrix product. A resample has the noise of the sample and its own, both of which bias
    upwards: near perfect calibration the interval lies too high.
    Raises ValueError as `calibration_error`, or where an owner has no group.
    """
    check(confidences, correct)
    _check_owners(owners, confidences=confidences, documents=len(groups))
    numbers = bin_numbers(confidences, binning=binning, bins=bins)
    places = owners * bins + numbers
    sums: NDArray[Any] = bin_sums(places, confidences, correct, bins=len(groups) * bins).reshape(len(groups), bins, 3)
    return percentile_interval(gap(resample(sums, groups=groups, resamples=resamples, seed=seed)))


def calibration_noise(confidences: NDArray[Any], *, binning: Binning = "equal_width", bins: int = BINS) -> float | None:
    """About the ECE that these confidences would have if every one of them were exactly true; None without items.

    Σ_b √(2/π · Σ_{i in b} c_i (1 − c_i)) / n: the mean of |Σ (correct − c)| of independent items where each bin's
    sum is taken to be normal. An ECE near it may be nothing but noise. It stands for the simulation of Bröcker & Smith
    (2007, Weather and Forecasting 22, "consistency resampling").
    """
    check(confidences, np.zeros(confidences.shape))
    if not len(confidences):
        return None
    c = np.minimum(confidences.astype(np.float64), 1.0)
    numbers = bin_numbers(confidences, binning=binning, bins=bins)
    variances = np.bincount(numbers, weights=c * (1 - c), minlength=bins)
    return float(np.sqrt(2 / np.pi * variances).sum() / len(c))


def _check_owners(owners: Integers, *, confidences: NDArray[Any], documents: int) -> None:
    if owners.shape != confidences.shape or (len(owners) and not (owners.min() >= 0 and owners.max() < documents)):
        raise ValueError(f"{len(confidences)} items need an owner each, among {documents} documents")
