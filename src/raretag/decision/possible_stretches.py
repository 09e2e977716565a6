"""Stretches that are worth a thought: from where a candidate begins to where one ends, if a review could pay there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
import numpy.typing as npt

from raretag.decision.stretches import LOOK, looks
from raretag.probability.candidates import Candidates

Array = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PossibleStretches:
    """int64 (stretches,) each: first and last token, and half-open characters."""

    firsts: Integers
    lasts: Integers
    starts: Integers
    ends: Integers


def possible_stretches(found: Candidates, *, worth: Array, review: float | None) -> PossibleStretches:
    """Stretches of up to one look, and longer ones that are a candidate's span.

    worth: float64 (candidates,), >= 0, the most that finding each can spare. Left out are stretches where all that they
    touch is worth no more than the review, the price of one look, in the currency; None: nobody reviews, no stretch.
    """
    begins, begin_at = np.unique(found.firsts, return_index=True)
    behinds, behind_at = np.unique(found.lasts + 1, return_index=True)
    low = np.searchsorted(behinds, begins, side="right")
    numbers = np.searchsorted(behinds, begins + LOOK, side="right") - low
    rows = np.repeat(np.arange(len(begins)), numbers)
    columns = np.arange(numbers.sum()) - np.repeat(np.cumsum(numbers) - numbers, numbers) + np.repeat(low, numbers)
    long = np.flatnonzero(found.lasts - found.firsts >= LOOK)
    pairs = np.stack([found.firsts[long], found.lasts[long] + 1])
    far = np.unique(pairs, axis=1) if len(long) else pairs
    rows = np.concatenate([rows, np.searchsorted(begins, far[0])])
    columns = np.concatenate([columns, np.searchsorted(behinds, far[1])])
    if review is None:
        rows = columns = rows[:0]
    else:
        up_to = np.concatenate([[0.0], np.cumsum(worth)])[np.searchsorted(found.firsts, behinds, side="left")]
        by_last = np.argsort(found.lasts, kind="stable")
        past = np.concatenate([[0.0], np.cumsum(worth[by_last])])
        before = past[np.searchsorted(found.lasts[by_last], begins, side="left")]
        # sums from the left round
        pays = up_to[columns] - before[rows] > review * looks(behinds[columns] - begins[rows]) - 1e-9
        rows, columns = rows[pays], columns[pays]
    return PossibleStretches(
        firsts=begins[rows],
        lasts=behinds[columns] - 1,
        starts=found.starts[begin_at][rows],
        ends=found.ends[behind_at][columns],
    )


def mostly_inside(found: Candidates, stretches: PossibleStretches) -> tuple[Integers, Integers]:
    """All pairs of a stretch and a candidate with more than half of its characters in it: their numbers, int64 each."""
    starts, ends = stretches.starts, stretches.ends
    order = np.argsort(found.starts, kind="stable")
    sorted_starts, sorted_ends = found.starts[order], found.ends[order]
    longest = int((found.ends - found.starts).max(initial=0))
    low = np.searchsorted(sorted_starts, starts - longest, side="left")
    numbers = np.searchsorted(sorted_starts, ends, side="left") - low
    rows = np.repeat(np.arange(len(starts)), numbers)
    columns = np.arange(numbers.sum()) - np.repeat(np.cumsum(numbers) - numbers, numbers) + np.repeat(low, numbers)
    shared = np.minimum(sorted_ends[columns], ends[rows]) - np.maximum(sorted_starts[columns], starts[rows])
    inside = 2 * shared > sorted_ends[columns] - sorted_starts[columns]
    return rows[inside], order[columns[inside]]
