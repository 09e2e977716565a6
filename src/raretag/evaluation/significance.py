"""Whether two systems differ by more than chance: approximate randomisation over documents, and Holm's correction."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from raretag.evaluation.rates import F1, macro_rates, micro_rates
from raretag.evaluation.reliability import Floats

_BATCH: Final = 500
# differences this near, relatively to the figures, are held to be equal: the rest is rounding
_ROUNDING: Final = 1e-9


def paired_p_value(
    one: NDArray[Any],
    other: NDArray[Any],
    *,
    groups: Sequence[Hashable],
    figure: Callable[[Floats], Floats],
    permutations: int = 10_000,
    seed: int = 0,
) -> float | None:
    """The two-sided p-value, in (0, 1], of a difference of `figure` between two systems on the same documents.

    Null hypothesis: within a group (a document, or all documents of a patient) it does not matter which system is
    which. Groups are swapped at random, each as a whole (Yeh 2000, arXiv cs/0008005); p = (1 + permutations with
    |difference| at least as large) / (1 + permutations), as Phipson & Smyth (2010, arXiv 1603.05766) have it. Where all
    2^groups swaps are no more than `permutations`, all of them are looked at and p is exact.

    one, other: (documents, ...), what adds up over documents: `Counts.values`, or costs (documents,). groups: of each
    document. figure: totals (m, ...) to float64 (m,), such as `micro_f1`; where it is undefined (NaN) for the
    data as they are, the result is None, and an undefined permutation counts against a difference.
    permutations >= 1, seed >= 0. Raises ValueError for anything else.
    """
    if one.shape != other.shape or len(groups) != len(one) or permutations < 1 or seed < 0:
        raise ValueError(
            f"{one.shape} and {other.shape} of {len(groups)} documents, {permutations} permutations, seed {seed}"
        )
    place = {group: unit for unit, group in enumerate(dict.fromkeys(groups))}
    exchanged = np.zeros((len(place), *one.shape[1:]))
    np.add.at(exchanged, [place[group] for group in groups], other.astype(np.float64) - one)
    totals = one.sum(axis=0, dtype=np.float64), other.sum(axis=0, dtype=np.float64)
    figures = np.concatenate([figure(side[None]) for side in totals])
    if np.isnan(figures).any():
        return None
    least = np.abs(figures[0] - figures[1]) - _ROUNDING * np.abs(figures).max()
    exact = len(place) < 63 and 2 ** len(place) <= permutations
    swaps = _every_swap(len(place)) if exact else _random_swaps(len(place), number=permutations, seed=seed)
    at_least = tried = 0
    flat = exchanged.reshape(len(place), -1)
    for swapped in swaps:
        moved = (swapped.astype(np.float64) @ flat).reshape(len(swapped), *one.shape[1:])
        apart = np.abs(figure(totals[0] + moved) - figure(totals[1] - moved))
        at_least += int((np.isnan(apart) | (apart >= least)).sum())
        tried += len(swapped)
    # all swaps include the one that swaps nothing
    return at_least / tried if exact else (1 + at_least) / (1 + tried)


def micro_f1(counts: Floats) -> Floats:
    """F1 of the counts pooled over labels, (..., labels, 3) -> (...), as `micro_rates` has it."""
    return micro_rates(counts)[..., F1]


def macro_f1(counts: Floats) -> Floats:
    """The mean F1 over labels with gold, (..., labels, 3) -> (...), as `macro_rates` has it."""
    return macro_rates(counts)[..., F1]


def total(costs: Floats) -> Floats:
    """For costs per document, which need no more than a sum."""
    return costs


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """p-values of a family, adjusted so that one below α is a false discovery with chance <= α (Holm 1979).

    p̃_(i) = max_{j <= i} min(1, (m − j + 1) p_(j)), in ascending order of p, given back in the order they came in.
    Raises ValueError for p outside [0, 1].
    """
    p = np.asarray(p_values, dtype=np.float64)
    if not ((p >= 0) & (p <= 1)).all():
        raise ValueError("p-values must be in [0, 1]")
    order = np.argsort(p, kind="stable")
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)))
    return tuple(adjusted.tolist())


def _random_swaps(units: int, *, number: int, seed: int) -> Iterator[NDArray[np.bool_]]:
    """bool (batch, units), each True with chance one half."""
    rng = np.random.default_rng(seed)
    for first in range(0, number, _BATCH):
        yield rng.integers(0, 2, size=(min(_BATCH, number - first), units)).astype(np.bool_)


def _every_swap(units: int) -> Iterator[NDArray[np.bool_]]:
    for first in range(0, 2**units, _BATCH):
        numbers = np.arange(first, min(first + _BATCH, 2**units))
        yield (numbers[:, None] >> np.arange(units)) % 2 == 1
