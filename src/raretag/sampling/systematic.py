"""Which windows come in an epoch when each has an expected number of visits, none of them left to luck."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from raretag.sampling.packing import Integers

# turning by the golden ratio leaves no part of a circle unvisited for long
_GOLDEN = (5**0.5 - 1) / 2


def systematic(expected: npt.NDArray[np.float64], *, seed: int, epoch: int) -> Integers:
    """Positions into `expected` (windows,), each as often as expected, rounded down or up: int64 (draws,).

    Windows lie in random order on a line, each as long as its expected visits, and come where points at distance 1
    hit them (Madow 1949). The order depends on the seed alone, and the points move by the golden ratio from epoch to
    epoch: a window with r > 0 expected visits an epoch comes at least once in any 3 / r epochs, as long as r stays.
    expected: >= 0, whose sum is a whole number >= 1, which is the number of draws.
    """
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(expected))
    ends = np.cumsum(expected[order])
    number = round(float(ends[-1]))
    points = np.arange(number) + (rng.uniform() + epoch * _GOLDEN) % 1
    # rounding must not carry a point over the end of the line
    hit = np.searchsorted(ends * (number / ends[-1]), points, side="right")
    return np.asarray(order[np.minimum(hit, len(expected) - 1)])
