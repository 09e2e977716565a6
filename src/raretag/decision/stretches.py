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
    """Between which tokens a document's candidates begin or end, and the characters there; its own ends are cuts, too.

    tokens: int64 (cuts,), ascending; cut t lies before token t. begins: int64 (cuts,), the character where a stretch
    from there begins. ends: int64 (cuts,), the character where one up to there ends; <= begins.
    """

    def __init__(self, found: Candidates) -> None:
        self.tokens = np.unique(np.concatenate([found.firsts, found.lasts + 1, [0, found.tokens]])).astype(np.int64)
        unknown = np.iinfo(np.int64).max
        begins = np.full(len(self.tokens), unknown)
        ends = np.full(len(self.tokens), unknown)
        begins[0], ends[-1] = found.characters
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

    tokens: bool (tokens,), each run of which begins and ends where candidates or the document do. doubts: float64
    (tokens,), >= 0, the largest of which, at most 1, is the stretch's probability. A stretch has the label of its
    likeliest candidate that is not accepted, and without any the one most frequent in training.
    Expected costs are left out of what is new; `priced` knows them.
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
        base = max((one.mention.score or 0.0 for covered, one in older if first <= covered.start < end), default=0.0)
        score = min(1.0, max(base, float(doubts[first:end].max())))
        kept.append(_stretch(found, cuts, (first, end), stands=accepted, schema=schema, score=score))
    return _with_stretches(decision, kept, cuts)


def decided(found: Candidates, *, accepted: Integers, reviewed: Mask, schema: Schema) -> Decision:
    """A decision from the numbers of the candidates that stand and the tokens that go to review, bool (tokens,).

    Each run of these, which begins and ends where candidates or the document do, is one stretch. It has the label and
    the probability of its likeliest candidate that is not accepted.
    """
    empty = Decision(document=found.document, routed=(), tokens=found.tokens, reviewed_tokens=0, reviews=0)
    stands = np.isin(np.arange(len(found)), accepted)
    routed = [RoutedMention(mention=found.mention(int(n), schema=schema), route="accept") for n in accepted]
    cuts = Cuts(found)
    routed += [_stretch(found, cuts, run, stands=stands, schema=schema) for run in runs(reviewed)]
    return _with_stretches(empty, routed, cuts)


def _stretch(
    found: Candidates, cuts: Cuts, run: tuple[int, int], *, stands: Mask, schema: Schema, score: float | None = None
) -> RoutedMention:
    """The tokens from the first of `run` to before the second; without a candidate the label is the most frequent."""
    label, p = int(np.argmax(schema.mention_counts)), 0.0
    inside = np.flatnonzero((found.firsts < run[1]) & (found.lasts >= run[0]) & ~stands)
    if len(inside):
        likeliest = inside[np.argmax(found.probabilities[inside])]
        label, p = int(found.labels[likeliest]), float(found.probabilities[likeliest])
    begin, behind = cuts.places(np.array(run))
    mention = Mention(
        label=schema.labels[label],
        start=int(cuts.begins[begin]),
        end=int(cuts.ends[behind]),
        score=p if score is None else score,
    )
    return RoutedMention(mention=mention, route="review")


def _with_stretches(decision: Decision, routed: list[RoutedMention], cuts: Cuts) -> Decision:
    """The decision with these routes, in order, and its reviews counted; what it is expected to cost is left out."""
    told = replace(decision, routed=in_order(routed), expected_cost=None)
    return replace(
        told,
        reviewed_tokens=int(reviewed_tokens(told, cuts).sum()),
        reviews=reviews(told.reviewed, cuts),
    )


def in_order(routed: list[RoutedMention]) -> tuple[RoutedMention, ...]:
    """By start, end, then label."""
    return tuple(sorted(routed, key=lambda one: (one.mention.start, one.mention.end, one.mention.label, one.route)))
