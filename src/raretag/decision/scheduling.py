"""Which mentions to take together: those of the largest total gain, none of which overlap."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]


def best_together(
    firsts: Integers, lasts: Integers, gains: npt.NDArray[np.float64], *, layers: Integers | None = None
) -> Integers:
    """The intervals firsts..lasts (tokens, both included) of the largest total gain that share no token.

    Weighted interval scheduling, exact, in O(n log n) (Kleinberg & Tardos 2006, section 6.1). All arrays are (n,).
    layers: int64 (n,), intervals of different layers may overlap; None: one layer. Returns ascending places, int64.
    Gains that are not > 0 are never taken; of equal totals the one that ends earlier is kept.
    Raises ValueError where an interval ends before it begins.
    """
    if (lasts < firsts).any():
        raise ValueError("an interval ends before it begins")
    useful = np.flatnonzero(gains > 0)
    if layers is None:
        return _one_layer(useful, firsts, lasts, gains)
    taken = [_one_layer(useful[layers[useful] == layer], firsts, lasts, gains) for layer in np.unique(layers[useful])]
    return np.sort(np.concatenate([np.zeros(0, dtype=np.int64), *taken]))


def _one_layer(useful: Integers, firsts: Integers, lasts: Integers, gains: npt.NDArray[np.float64]) -> Integers:
    order = useful[np.argsort(lasts[useful], kind="stable")]
    # how many intervals end before this one begins
    before: list[int] = np.searchsorted(lasts[order], firsts[order], side="left").tolist()
    values: list[float] = gains[order].tolist()
    best = [0.0] * (len(order) + 1)
    for number, value in enumerate(values):
        best[number + 1] = max(best[number], value + best[before[number]])
    taken = []
    number = len(order)
    while number:
        if best[number] == best[number - 1]:
            number -= 1
        else:
            taken.append(int(order[number - 1]))
            number = before[number - 1]
    return np.array(sorted(taken), dtype=np.int64)
