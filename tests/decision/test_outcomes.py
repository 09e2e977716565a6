"""Outcomes: every gold mention and every accepted mention is counted once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raretag.corpus import Document, Mention
from raretag.decision.decided import Decision, RoutedMention
from raretag.decision.outcomes import Outcomes, outcomes
from raretag.errors import DataError
from raretag.evaluation.matching import strict_matches


def judged(gold: list[Mention], accepted: list[Mention], reviewed: list[Mention] | None = None) -> Outcomes:
    routed = [RoutedMention(mention=m, route="accept") for m in accepted]
    routed += [RoutedMention(mention=m, route="review") for m in reviewed or []]
    decision = Decision(document="a", routed=tuple(routed), tokens=20, reviewed_tokens=3, reviews=1)
    return outcomes([Document(id="a", text=" " * 400, mentions=tuple(gold))], {"a": decision}, labels=["X", "Y"])


def counted(found: Outcomes, name: str) -> list[int]:
    return list(getattr(found, name)[0])


def test_each_outcome(make: Any) -> None:
    gold = [make.span("X", 0, 1), make.span("X", 4, 6), make.span("X", 8, 8), make.span("Y", 10, 10)]
    accepted = [make.span("X", 0, 1), make.span("Y", 8, 8), make.span("Y", 12, 12)]
    found = judged(gold, accepted, [make.span("Y", 4, 5)])
    assert counted(found, "gold") == [3, 1]
    assert counted(found, "found") == [1, 0]
    assert counted(found, "reviewed") == [1, 0]
    assert counted(found, "wrong_label") == [1, 0]
    assert counted(found, "wrong_label_as") == [0, 1]
    # document, gold label, decided label
    assert found.mislabelled.tolist() == [[0, 0, 1]]
    assert counted(found, "missed") == [0, 1]
    assert counted(found, "false_alarms") == [0, 1]
    assert found.reviews.tolist() == [1]
    assert found.reviewed_tokens.tolist() == [3]


def test_half_of_the_characters_is_not_enough() -> None:
    gold = [Mention(label="X", start=0, end=8)]
    assert counted(judged(gold, [], [Mention(label="X", start=4, end=9)]), "missed") == [1, 0]
    assert counted(judged(gold, [], [Mention(label="X", start=3, end=9)]), "reviewed") == [1, 0]
    # the same characters looked at twice are no more than once
    twice = [Mention(label="X", start=0, end=3), Mention(label="Y", start=1, end=3)]
    assert counted(judged(gold, [], twice), "missed") == [1, 0]


def test_a_reviewed_mention_takes_no_accepted_one_along(make: Any) -> None:
    found = judged([make.span("X", 2, 2)], [make.span("Y", 2, 2)], [make.span("X", 1, 3)])
    assert counted(found, "reviewed") == [1, 0]
    assert counted(found, "false_alarms") == [0, 1]
    assert counted(found, "wrong_label") == [0, 0]


def test_fragments_that_touch_are_one() -> None:
    parts = Mention(label="X", start=0, end=5, fragments=((0, 2), (2, 5)))
    whole = Mention(label="X", start=0, end=5)
    gap = Mention(label="X", start=0, end=5, fragments=((0, 2), (3, 5)))
    assert counted(judged([parts], [whole]), "found") == [1, 0]
    assert counted(judged([gap], [whole]), "found") == [0, 0]


MENTION = st.builds(
    lambda label, start, size: Mention(label=label, start=start, end=start + size),
    st.sampled_from("XYZ"),
    st.integers(0, 3),
    st.integers(1, 3),
)


@given(
    gold=st.lists(MENTION, max_size=6),
    accepted=st.lists(MENTION, max_size=6),
    reviewed=st.lists(MENTION, max_size=2),
    order=st.randoms(),
)
@settings(max_examples=200, deadline=None)
def test_counts_add_up_in_any_order(
    gold: list[Mention], accepted: list[Mention], reviewed: list[Mention], order: Any
) -> None:
    found = judged(gold, accepted, reviewed)
    parts = found.found + found.reviewed + found.wrong_label + found.missed
    assert (parts == found.gold).all()
    assert found.gold.sum() == len(gold)
    assert (found.found + found.wrong_label_as + found.false_alarms).sum() == len(accepted)
    for column, name in ((1, "wrong_label"), (2, "wrong_label_as")):
        numbers = np.bincount(found.mislabelled[:, column], minlength=len(found.labels))
        assert (numbers == getattr(found, name)[0]).all()
    assert min(array.min(initial=0) for array in (found.false_alarms, found.missed, found.wrong_label_as)) >= 0
    assert found.found.sum() == len(strict_matches(gold, accepted))
    shuffled = [order.sample(one, len(one)) for one in (gold, accepted, reviewed)]
    again = judged(*shuffled)
    for name in ("found", "reviewed", "wrong_label", "missed", "wrong_label_as", "false_alarms", "mislabelled"):
        assert (getattr(again, name) == getattr(found, name)).all(), name


def test_documents_and_decisions_belong_together() -> None:
    decision = Decision(document="b", routed=(), tokens=1, reviewed_tokens=0, reviews=0)
    for gold, decisions in (
        ([Document(id="a", text=" " * 400)], {}),
        ([], {"b": decision}),
        ([Document(id="b", text=" " * 400)] * 2, {}),
    ):
        with pytest.raises(DataError):
            outcomes(gold, decisions)


def test_who_reads_every_token_reads_the_whole_note(make: Any) -> None:
    # a mention of blanks behind the last token
    mention = Mention(label="X", start=90, end=95)
    stretch = RoutedMention(mention=make.span("X", 0, 19), route="review")
    for read, missed in ((20, 0), (19, 1)):
        decision = Decision(document="a", routed=(stretch,), tokens=20, reviewed_tokens=read, reviews=2)
        judged = outcomes([Document(id="a", text=" " * 400, mentions=(mention,))], {"a": decision})
        assert judged.missed.sum() == missed
    nothing = Decision(document="a", routed=(), tokens=0, reviewed_tokens=0, reviews=0)
    assert outcomes([Document(id="a", text=" " * 400, mentions=(mention,))], {"a": nothing}).missed.sum() == 1
