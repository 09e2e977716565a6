"""What can be chosen about a document, and what it is expected to cost: mentions to accept, stretches to review."""

from __future__ import annotations

from typing import final

import numpy as np
import numpy.typing as npt

from raretag.decision.cost_table import CostTable
from raretag.decision.possible_stretches import PossibleStretches, mostly_inside, possible_stretches
from raretag.decision.scheduling import best_together
from raretag.decision.stretches import looks, runs
from raretag.probability.candidates import Candidates

Array = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@final
class Choices:
    """A document's candidates and their costs.

    Accepted are numbers of candidates, reviewed numbers of possible stretches; each int64 and ascending.
    """

    def __init__(self, found: Candidates, table: CostTable, *, layered: bool) -> None:
        self._found, self._table = found, table
        self._layers = found.labels if layered else None
        p, labels = found.probabilities, found.labels
        self._missed = p * table.miss[labels]
        self._alarm = (1 - p) * table.false_alarm[labels]
        # what a wrong label costs beyond the false alarm, gold by decided label; layered labels are no wrong ones
        self._instead = None if layered else table.wrong_label - table.false_alarm[None, :]
        self._span = _spans(found)
        most = (
            self._missed if self._instead is None else np.maximum(self._missed, p * self._instead.max(axis=1)[labels])
        )
        self._possible: PossibleStretches = possible_stretches(found, worth=most, review=table.review)
        self._price = (table.review or 0.0) * looks(self._possible.lasts - self._possible.firsts + 1)
        self._rows, self._inside = mostly_inside(found, self._possible)

    def accept(self, reviewed: Integers) -> Integers:
        """The candidates of least cost to accept where these stretches are reviewed, exactly."""
        gains = np.where(self._found_in(reviewed), -self._alarm, self._accepting())
        return best_together(self._found.firsts, self._found.lasts, gains, layers=self._layers)

    def review(self, accepted: Integers) -> Integers:
        """The stretches of least cost where these are accepted, of all that share no token, exactly."""
        return best_together(self._possible.firsts, self._possible.lasts, self._reviewing(self._left(accepted)))

    def apart(self) -> tuple[Integers, Integers]:
        """Accepted and reviewed of least cost where none shares a token with another, exactly."""
        number = len(self._found)
        chosen = best_together(
            np.concatenate([self._found.firsts, self._possible.firsts]),
            np.concatenate([self._found.lasts, self._possible.lasts]),
            np.concatenate([self._accepting(), self._reviewing(self._missed)]),
        )
        return chosen[chosen < number], chosen[chosen >= number] - number

    def cost(self, accepted: Integers, reviewed: Integers) -> float:
        """As `priced`: stretches that touch are one."""
        lengths = np.array([end - first for first, end in runs(self.tokens(reviewed))], dtype=np.int64)
        paid = (self._table.review or 0.0) * looks(lengths).sum() + self._alarm[accepted].sum()
        return float(paid + self._left(accepted)[~self._found_in(reviewed)].sum())

    def tokens(self, reviewed: Integers) -> Mask:
        """bool (tokens,): what is reviewed."""
        mask = np.zeros(self._found.tokens, dtype=bool)
        for number in reviewed:
            mask[self._possible.firsts[number] : self._possible.lasts[number] + 1] = True
        return mask

    def _accepting(self) -> Array:
        """What accepting each candidate gains where it is not reviewed."""
        gains, instead = self._missed - self._alarm, self._instead
        if instead is None or not len(self._found):
            return np.asarray(gains)
        spared = self._table.miss[:, None] - instead
        np.fill_diagonal(spared, 0.0)
        if not spared.any():
            return np.asarray(gains)
        chances = np.zeros((self._span[-1] + 1, len(spared)))
        chances[self._span, self._found.labels] = self._found.probabilities
        return np.asarray(gains + (chances @ spared)[self._span, self._found.labels])

    def _left(self, accepted: Integers) -> Array:
        """What each candidate costs where it is not reviewed, but for the false alarm of an accepted one."""
        left = self._missed.copy()
        if self._instead is not None and len(accepted):
            # at most one of a span is accepted
            instead = np.full(self._span[-1] + 1, -1)
            instead[self._span[accepted]] = self._found.labels[accepted]
            wrong = np.flatnonzero(instead[self._span] >= 0)
            prices = self._instead[self._found.labels[wrong], instead[self._span[wrong]]]
            left[wrong] = self._found.probabilities[wrong] * prices
        left[accepted] = 0.0
        return left

    def _reviewing(self, left: Array) -> Array:
        """What each stretch gains where candidates cost that much unless they are reviewed."""
        return np.bincount(self._rows, weights=left[self._inside], minlength=len(self._price)) - self._price

    def _found_in(self, reviewed: Integers) -> Mask:
        """bool (candidates,): more than half of the characters lie in these stretches, which come in order."""
        if not len(reviewed):
            return np.zeros(len(self._found), dtype=bool)
        possible, edges, behind = self._possible, list[int](), -1
        for number in reviewed[np.argsort(possible.firsts[reviewed])]:
            if possible.firsts[number] == behind:
                edges.pop()
            else:
                edges.append(int(possible.starts[number]))
            edges.append(int(possible.ends[number]))
            behind = possible.lasts[number] + 1
        # how many characters before each edge are looked at
        looked_at = np.concatenate([[0], np.cumsum(np.diff(edges) * (np.arange(len(edges) - 1) % 2 == 0))])
        before, after = (np.interp(places, edges, looked_at) for places in (self._found.starts, self._found.ends))
        return np.asarray(2 * (after - before) > self._found.ends - self._found.starts)


def _spans(found: Candidates) -> Integers:
    """int64 (candidates,): the number of each one's span; candidates come by first and last token."""
    new = (np.diff(found.firsts) != 0) | (np.diff(found.lasts) != 0)
    return np.concatenate([np.zeros(min(1, len(found)), dtype=np.int64), np.cumsum(new)]).astype(np.int64)
