"""95 % intervals by resampling whole documents, or whole patients where documents name them."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from raretag.errors import UsageError

LEVEL = 0.95
BATCH = 200

Interval = tuple[float, float]


def bootstrap_weights(units: int, *, resamples: int, seed: int) -> Iterator[NDArray[np.int64]]:
    """How often each of `units` (>= 1) is drawn in each resample: int64 (resamples of a batch, units).

    Each row sums to `units`: as many draws with replacement (Efron 1979). Batches keep memory small.
    """
    rng = np.random.default_rng(seed)
    chances = np.full(units, 1.0 / units)
    for first in range(0, resamples, BATCH):
        yield rng.multinomial(units, chances, size=min(BATCH, resamples - first))


def resample(
    values: NDArray[np.int64], *, groups: Sequence[Hashable], resamples: int, seed: int
) -> NDArray[np.float64]:
    """Total counts of each resample: values (documents, ...) -> float64 (resamples, ...), whole numbers.

    `groups` names for each document what it is drawn with, so that a patient comes or goes as a whole. With
    fewer than two groups a resample could only repeat the data: the result is then empty, shape (0, ...).
    Raises UsageError for a negative number of resamples or a negative seed.
    """
    if resamples < 0 or seed < 0:
        raise UsageError(
            f"cannot resample with resamples = {resamples}, seed = {seed}", remedy="Give whole numbers from 0"
        )
    place = {group: unit for unit, group in enumerate(sorted(set(groups), key=repr))}
    if len(place) < 2 or resamples == 0:
        return np.empty((0, *values.shape[1:]))
    # float64 is exact for counts below 2**53 and, unlike int64, multiplied by BLAS
    of_unit = np.zeros((len(place), *values.shape[1:]))
    np.add.at(of_unit, [place[group] for group in groups], values)
    flat = of_unit.reshape(len(place), -1)
    weights = bootstrap_weights(len(place), resamples=resamples, seed=seed)
    return np.concatenate([w.astype(np.float64) @ flat for w in weights]).reshape(resamples, *values.shape[1:])


def percentile_interval(samples: NDArray[np.float64]) -> Interval | None:
    """The percentile interval of a figure over its resamples: float64 (resamples,), NaN where undefined.

    Undefined resamples are left out; None where fewer than half are defined, or there are none at all.
    """
    defined = samples[~np.isnan(samples)]
    if len(defined) == 0 or 2 * len(defined) < len(samples):
        return None
    low, high = np.quantile(defined, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
