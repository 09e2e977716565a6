"""Stretches of tokens that a person looks at: where they begin and end, and how they join a decision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, final

import numpy as np
import numpy.typing as npt

from raretag.corpus import Mention
from raretag.decision.decided import Decision, RoutedMention
from raretag.probability.candidates import Candidates
from raretag.tagging import Schema

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.int64]

# tokens that one look takes in: about as many as the longest mentions have
LOOK: Final = 10


@final
class Cuts:
    """Between which tokens a document's candidates begin or end, and the characters there.

    tokens: int64 (cuts,), ascending; cut t lies before token t. begins: int64 (cuts,), the character where a stretch
    from there begins. ends: int64 (cuts,), the character where one up to there ends; <= begins.
    """

    def __init__(self, found: Candidates) -> None:
        self.tokens = np.unique(np.concatenate([found.firsts, found.lasts + 1]))
        unknown = np.iinfo(np.int64).max
        begins = np.full(len(self.tokens), unknown)
        ends = np.full(len(self.tokens), unknown)
        begins[self.places(found.firsts)] = found.starts
        ends[self.places(found.lasts + 1)] = found.ends
        # where candidates only end, what follows begins at their end, and the other way round
        self.begins: Integers = np.where(begins == unknown, ends, begins)
        self.ends: Integers = np.where(ends == unknown, begins, ends)

    def places(self, tokens: Integers) -> Integers:
        """The numbers of the cuts before these tokens."""
        return np.asarray(np.searchsorted(self.tokens, tokens), dtype=np.int64)

    def covered_by(self, mention: Mention) -> slice:
        """The tokens of a stretch that begins and ends at cuts. Raises ValueError for another one."""
        first = np.flatnonzero(self.begins == mention.start)
        last = np.flatnonzero(self.ends == mention.end)
        if not len(first) or not len(last):
            raise ValueError(f"[{mention.start}, {mention.end}) is no stretch of these candidates")
        return slice(int(self.tokens[first[-1]]), int(self.tokens[last[0]]))


def reviewed_tokens(decision: Decision, cuts: Cuts) -> Mask:
    """bool (tokens,): what a person is asked to look at."""
    mask = np.zeros(decision.tokens, dtype=bool)
    for mention in decision.reviewed:
        mask[cuts.covered_by(mention)] = True
    return mask


def looks(tokens: Integers) -> Integers:
    """Reviews that stretches of so many tokens are: one for each ten begun, int64 of the same shape.

    What a person is asked about a stretch grows with it: were a long one as cheap as a short one, reading everything
    would be the cheapest review.
    """
    return np.asarray(-(-tokens // LOOK), dtype=np.int64)


def reviews(stretches: Sequence[Mention], cuts: Cuts) -> int:
    """The looks of all stretches together."""
    covered = [cuts.covered_by(mention) for mention in stretches]
    return int(looks(np.array([one.stop - one.start for one in covered], dtype=np.int64)).sum())


def runs(mask: Mask) -> list[tuple[int, int]]:
    """Maximal runs of true, as half-open (first, last + 1)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def send_to_review(decision: Decision, found: Candidates, *, tokens: Mask, doubts: Array, schema: Schema) -> Decision:
    """The decision with more to look at; accepted mentions stay, stretches that touch become one.

    tokens: bool (tokens,), each run of which begins and ends where candidates do. doubts: float64 (tokens,), >= 0, the
    largest of which, at most 1, is the stretch's probability. A stretch has the label of its likeliest candidate that
    is not accepted. Expected costs are left out of what is new; `priced` knows them.
    """
    cuts = Cuts(found)
    before = reviewed_tokens(decision, cuts)
    if not (tokens & ~before).any():
        return decision
    after = before | tokens
    accepted = found.among(decision.accepted, schema=schema)
    kept = [one for one in decision.routed if one.route != "review"]
    older = [(cuts.covered_by(one.mention), one) for one in decision.routed if one.route == "review"]
    for first, end in runs(after):
        if before[first:end].all():
            kept += [one for covered, one in older if first <= covered.start < end]
            continue
        inside = np.flatnonzero((found.firsts < end) & (found.lasts >= first) & ~accepted)
        likeliest = inside[np.argmax(found.probabilities[inside])]
        first_cut, last_cut = cuts.places(np.array([first, end]))
        base = max((one.mention.score or 0.0 for covered, one in older if first <= covered.start < end), default=0.0)
        mention = Mention(
            label=schema.labels[int(found.labels[likeliest])],
            start=int(cuts.begins[first_cut]),
            end=int(cuts.ends[last_cut]),
            score=min(1.0, max(base, float(doubts[first:end].max()))),
        )
        kept.append(RoutedMention(mention=mention, route="review"))
    routed = in_order(kept)
    return replace(
        decision,
        routed=routed,
        reviewed_tokens=int(after.sum()),
        reviews=reviews([one.mention for one in routed if one.route == "review"], cuts),
        expected_cost=None,
    )


def decided(found: Candidates, *, accepted: Integers, reviewed: Integers, schema: Schema) -> Decision:
    """A decision from numbers of candidates."""
    mask = np.zeros(found.tokens, dtype=bool)
    for number in reviewed:
        mask[found.firsts[number] : found.lasts[number] + 1] = True
    routed = [RoutedMention(mention=found.mention(int(n), schema=schema), route="accept") for n in accepted]
    routed += [RoutedMention(mention=found.mention(int(n), schema=schema), route="review") for n in reviewed]
    return Decision(
        document=found.document,
        routed=in_order(routed),
        tokens=found.tokens,
        reviewed_tokens=int(mask.sum()),
        reviews=int(looks(found.lasts[reviewed] - found.firsts[reviewed] + 1).sum()),
    )


def in_order(routed: list[RoutedMention]) -> tuple[RoutedMention, ...]:
    """By start, end, then label."""
    return tuple(sorted(routed, key=lambda one: (one.mention.start, one.mention.end, one.mention.label, one.route)))
