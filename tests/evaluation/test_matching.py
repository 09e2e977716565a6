import random
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raretag.corpus.document import Mention
from raretag.evaluation.matching import SCHEMES, Scheme, overlap_matches, strict_matches, type_matches


def span(start: int, end: int, label: str = "SIGN") -> Mention:
    return Mention(label=label, start=start, end=end)


def pieces(*parts: tuple[int, int], label: str = "SIGN") -> Mention:
    return Mention(label=label, start=parts[0][0], end=parts[-1][1], fragments=parts)


@st.composite
def mentions(draw: st.DrawFn) -> Mention:
    cuts = sorted(draw(st.sets(st.integers(0, 12), min_size=2, max_size=4)))
    parts = tuple(zip(cuts[::2], cuts[1::2], strict=False))
    return pieces(*parts, label=draw(st.sampled_from(["DISEASE", "RARE_DISEASE"])))


def characters(mention: Mention) -> set[int]:
    return {k for start, end in mention.parts for k in range(start, end)}


def fits(scheme: Scheme, one: Mention, other: Mention) -> bool:
    left, right = characters(one), characters(other)
    shared = len(left & right)
    rule = {
        "strict": left == right,
        "overlap": 2 * shared / (len(left) + len(right)) >= 0.5,
        "type": shared > 0,
    }
    return one.label == other.label and rule[scheme]


def best(scheme: Scheme, gold: list[Mention], predicted: list[Mention]) -> int:
    """The most pairs that any assignment gives: all orders of the longer side against the shorter."""
    short, long = sorted((gold, predicted), key=len)
    return max(
        sum(fits(scheme, a, b) for a, b in zip(short, order, strict=True)) for order in permutations(long, len(short))
    )


few = st.lists(mentions(), max_size=5)


@pytest.mark.parametrize("scheme", SCHEMES)
@given(gold=few, predicted=few)
def test_matches_are_valid_pairs_and_as_many_as_brute_force_finds(
    scheme: Scheme, gold: list[Mention], predicted: list[Mention]
) -> None:
    found = SCHEMES[scheme](gold, predicted)
    assert len({i for i, _ in found}) == len({j for _, j in found}) == len(found)
    assert all(fits(scheme, gold[i], predicted[j]) for i, j in found)
    assert len(found) == best(scheme, gold, predicted)


@pytest.mark.parametrize("scheme", SCHEMES)
@given(gold=few, predicted=few, rng=st.randoms())
def test_the_matched_mentions_do_not_depend_on_any_order(
    scheme: Scheme, gold: list[Mention], predicted: list[Mention], rng: random.Random
) -> None:
    def pairs(left: list[Mention], right: list[Mention]) -> list[str]:
        return sorted(repr((left[i], right[j])) for i, j in SCHEMES[scheme](left, right))

    before = pairs(gold, predicted)
    assert before == pairs(rng.sample(gold, len(gold)), rng.sample(predicted, len(predicted)))


def test_a_greedy_choice_would_lose_a_match() -> None:
    gold = [span(0, 10), span(10, 12)]
    predicted = [span(8, 12), span(0, 3)]
    assert type_matches(gold, predicted) == ((0, 1), (1, 0))


def test_an_exact_match_survives_a_prediction_that_overlaps_its_gold() -> None:
    gold = [span(0, 5), span(5, 9)]
    predicted = [span(0, 9), span(0, 5), span(5, 9)]
    assert strict_matches(gold, predicted) == ((0, 1), (1, 2))
    assert strict_matches(gold[::-1], predicted[::-1]) == ((0, 0), (1, 1))


@pytest.mark.parametrize("scheme", SCHEMES)
def test_labels_are_compared_whole(scheme: Scheme) -> None:
    assert SCHEMES[scheme]([span(0, 5, "DISEASE")], [span(0, 5, "RARE_DISEASE")]) == ()


@pytest.mark.parametrize("scheme", SCHEMES)
def test_duplicates_need_a_partner_each(scheme: Scheme) -> None:
    assert len(SCHEMES[scheme]([span(0, 5)] * 2, [span(0, 5)] * 3)) == 2
    assert len(SCHEMES[scheme]([span(0, 5)] * 3, [span(0, 5)])) == 1


def test_the_overlap_scheme_begins_at_a_dice_of_one_half() -> None:
    # Dice of [0, 3) with [2, 3) is 2 x 1 / (3 + 1); with [2, 4) it is 2 x 1 / (3 + 2)
    assert overlap_matches([span(0, 3)], [span(2, 3)]) == ((0, 0),)
    assert overlap_matches([span(0, 3)], [span(2, 4)]) == ()
    assert type_matches([span(0, 3)], [span(2, 4)]) == ((0, 0),)
    assert type_matches([span(0, 3)], [span(3, 4)]) == ()


def test_fragments_count_by_the_characters_they_cover() -> None:
    gold = pieces((0, 2), (8, 10))
    assert strict_matches([gold], [span(0, 10)]) == ()
    assert overlap_matches([gold], [span(0, 10)]) == ((0, 0),)
    assert overlap_matches([gold], [span(0, 13)]) == ()
    assert type_matches([gold], [span(2, 8)]) == ()
    assert strict_matches([pieces((0, 2), (2, 5))], [span(0, 5)]) == ((0, 0),)


def test_a_very_long_chain_of_overlaps_is_matched_in_full() -> None:
    gold = [span(4 * k, 4 * k + 4) for k in range(20_000)]
    predicted = [span(4 * k + 2, 4 * k + 6) for k in range(20_000)]
    assert len(type_matches(gold, predicted)) == 20_000
