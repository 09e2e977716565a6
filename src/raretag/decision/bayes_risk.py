"""Mentions to accept and stretches to review such that the expected cost is least."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from raretag.decision.cost_table import CostTable
from raretag.decision.scheduling import best_together
from raretag.decision.stretches import looks
from raretag.probability.candidates import Candidates

Array = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


def least_expected_cost(found: Candidates, *, table: CostTable, layered: bool = False) -> tuple[Integers, Integers]:
    """Numbers of the candidates to accept and of those whose stretch goes to review, both int64 and ascending.

    Minimum Bayes risk over sets of candidates that share no token. Against dropping everything,

        accept s of label k:  p_s miss_k − (1 − p_s) false_alarm_k
                              + Σ_{k' ≠ k, same span} p_k' (false_alarm_k + miss_k' − wrong_label_{k',k})
        review s:             Σ p_s' miss_s' − review · looks(s), over s' more than half of whose characters are in s

    is gained, and gains of mentions apart from each other add up, since expectations do. A mention that two stretches
    find only together, a part each, is held to be missed: the true cost, that of `priced`, is never higher. Labels of a
    layered schema are decided by themselves: no wrong label, and a review finds its own label alone.
    """
    accepting = _accepting(found, table, layered=layered)
    spans, gains = _reviewing(found, table, layered=layered)
    both = np.concatenate([np.arange(len(found)), spans])
    chosen = best_together(
        found.firsts[both],
        found.lasts[both],
        np.concatenate([accepting, gains]),
        layers=found.labels[both] if layered else None,
    )
    return both[chosen[chosen < len(found)]], np.sort(both[chosen[chosen >= len(found)]])


def _accepting(found: Candidates, table: CostTable, *, layered: bool) -> Array:
    p, labels = found.probabilities, found.labels
    gains = p * table.miss[labels] - (1 - p) * table.false_alarm[labels]
    spared = table.false_alarm[None, :] + table.miss[:, None] - table.wrong_label
    np.fill_diagonal(spared, 0.0)
    if layered or not spared.any() or not len(found):
        return np.asarray(gains)
    span = _spans(found)
    chances = np.zeros((span[-1] + 1, len(table.miss)))
    chances[span, labels] = p
    return np.asarray(gains + (chances @ spared)[span, labels])


def _reviewing(found: Candidates, table: CostTable, *, layered: bool) -> tuple[Integers, Array]:
    """Candidates that stand for a stretch each, and what its review gains."""
    if table.review is None or not len(found):
        return np.zeros(0, dtype=np.int64), np.zeros(0)
    worth = found.probabilities * table.miss[found.labels]
    if layered:
        gains = np.zeros(len(found))
        for label in np.unique(found.labels):
            own = np.flatnonzero(found.labels == label)
            gains[own] = _worth_inside(found.starts[own], found.ends[own], worth[own])
        return np.arange(len(found)), gains - table.review * looks(found.lasts - found.firsts + 1)
    span = _spans(found)
    # the likeliest of a span's labels speaks for it
    order = np.lexsort([-found.probabilities, span])
    spokesman = order[np.concatenate([[True], np.diff(span[order]) > 0])]
    summed = np.bincount(span, weights=worth).astype(np.float64)
    price = table.review * looks(found.lasts[spokesman] - found.firsts[spokesman] + 1)
    return spokesman, _worth_inside(found.starts[spokesman], found.ends[spokesman], summed) - price


def _spans(found: Candidates) -> Integers:
    """The number of each candidate's span: candidates come by first and last token."""
    new = (np.diff(found.firsts) > 0) | (np.diff(found.lasts) > 0)
    # from one first token to the next the last token may stay or fall
    new |= np.diff(found.lasts) < 0
    return np.concatenate([[0], np.cumsum(new)]).astype(np.int64)


def _worth_inside(starts: Integers, ends: Integers, worth: Array) -> Array:
    """For each span the worth of all spans that have more than half of their characters in it."""
    order = np.argsort(starts, kind="stable")
    sorted_starts, sorted_ends, sorted_worth = starts[order], ends[order], worth[order]
    longest = int((ends - starts).max())
    low = np.searchsorted(sorted_starts, starts - longest, side="left")
    high = np.searchsorted(sorted_starts, ends, side="left")
    numbers = high - low
    rows = np.repeat(np.arange(len(starts)), numbers)
    columns = np.arange(numbers.sum()) - np.repeat(np.cumsum(numbers) - numbers, numbers) + np.repeat(low, numbers)
    shared = np.minimum(sorted_ends[columns], ends[rows]) - np.maximum(sorted_starts[columns], starts[rows])
    inside = 2 * shared > sorted_ends[columns] - sorted_starts[columns]
    summed = np.bincount(rows[inside], weights=sorted_worth[columns[inside]], minlength=len(starts))
    return summed.astype(np.float64)
