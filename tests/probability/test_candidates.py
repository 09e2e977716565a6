"""Candidates: every mention above the floor and no other, with the probability that enumeration gives."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from raretag.corpus import Mention
from raretag.probability import Candidates, Scores, candidates, mention_probabilities
from raretag.tagging import Schema, Tokens, build_schema, decode


def scored(p: Any, *, starts: list[int] | None = None, ends: list[int] | None = None) -> Scores:
    """A document of tokens of three characters with a blank between them."""
    n = len(p)
    tokens = Tokens(
        ids=np.zeros(n, np.int64),
        starts=np.array(starts if starts is not None else [4 * t for t in range(n)], dtype=np.int64),
        ends=np.array(ends if ends is not None else [4 * t + 3 for t in range(n)], dtype=np.int64),
    )
    return Scores(document="a", tokens=tokens, probabilities=np.asarray(p, dtype=np.float32))


def enumerated(scores: Scores, schema: Schema) -> dict[tuple[str, int, int], float]:
    """P of every mention by adding up all valid paths, one layer at a time."""
    found: dict[tuple[str, int, int], float] = {}
    layers = (
        [(scores.probabilities[:, k], schema.of_label(k)) for k in range(len(schema.labels))]
        if schema.layered
        else [(scores.probabilities, schema)]
    )
    for p, alone in layers:
        total = 0.0
        sums: dict[tuple[str, int, int], float] = {}
        for path in itertools.product(range(len(alone.tags)), repeat=len(p)):
            before = (0, *path[:-1])
            inside = alone.scheme == "BIO"
            if inside and any(t and t % 2 == 0 and b not in (t - 1, t) for b, t in zip(before, path, strict=True)):
                continue
            weight = float(np.prod([p[t, tag] for t, tag in enumerate(path)], dtype=np.float64))
            total += weight
            for mention in decode(list(path), scores.tokens, schema=alone):
                key = (mention.label, mention.start, mention.end)
                sums[key] = sums.get(key, 0.0) + weight
        found |= {key: value / total for key, value in sums.items()}
    return found


def as_dict(found: Candidates, schema: Schema) -> dict[tuple[str, int, int], float]:
    mentions = [found.mention(n, schema=schema) for n in range(len(found))]
    return {(m.label, m.start, m.end): float(m.score or 0) for m in mentions}


@pytest.mark.parametrize("layered", [False, True])
@pytest.mark.parametrize("scheme", ["BIO", "IO"])
@example(seed=525, tokens=2, least=1e-6)
@given(seed=st.integers(0, 10_000), tokens=st.integers(1, 4), least=st.sampled_from([1e-6, 0.01, 0.1]))
@settings(max_examples=15, deadline=None)
def test_all_mentions_above_the_floor_with_their_enumerated_probability(
    scheme: Any, layered: bool, seed: int, tokens: int, least: float
) -> None:
    schema = build_schema(["X", "Y"], scheme=scheme, layered=layered)
    p = np.random.default_rng(seed).dirichlet(np.full(schema.shape[-1], 0.5), size=(tokens, *schema.shape[:-1]))
    scores = scored(p)
    expected = enumerated(scores, schema)
    found = as_dict(candidates(scores, schema=schema, least=least), schema)
    clear = {key for key, value in expected.items() if value >= least * (1 + 1e-4)}
    possible = {key for key, value in expected.items() if value >= least * (1 - 1e-4)}
    assert clear <= found.keys() <= possible
    for key, value in found.items():
        assert value == pytest.approx(expected[key], rel=1e-4)


def test_the_probability_is_that_of_the_mention() -> None:
    schema = build_schema(["X", "Y"])
    scores = scored(np.random.default_rng(3).dirichlet(np.ones(5), size=12))
    found = candidates(scores, schema=schema)
    told = mention_probabilities(scores, [found.mention(n, schema=schema) for n in range(len(found))], schema=schema)
    assert len(found) > 20
    np.testing.assert_allclose(found.probabilities, np.array(told, dtype=float))


def test_in_order_of_first_last_and_label() -> None:
    schema = build_schema(["X", "Y", "Z"])
    found = candidates(scored(np.random.default_rng(1).dirichlet(np.ones(7), size=6)), schema=schema, least=1e-5)
    rows = list(zip(found.firsts.tolist(), found.lasts.tolist(), found.labels.tolist(), strict=True))
    assert rows == sorted(rows)
    assert (found.starts == 4 * found.firsts).all()
    assert (found.ends == 4 * found.lasts + 3).all()
    assert found.tokens == 6


def test_no_mention_is_parted_within_a_character() -> None:
    schema = build_schema(["X"])
    # the second token is a byte of the first one's last character
    scores = scored(np.full((3, 3), 1 / 3), starts=[0, 2, 4], ends=[3, 3, 7])
    found = as_dict(candidates(scores, schema=schema), schema)
    assert {(start, end) for _, start, end in found} == {(0, 3), (0, 7), (4, 7)}


def test_an_empty_document_and_no_label_have_none() -> None:
    assert len(candidates(scored(np.zeros((0, 3))), schema=build_schema(["X"]))) == 0
    assert len(candidates(scored(np.ones((2, 1))), schema=build_schema([]))) == 0


@pytest.mark.parametrize("least", [0.0, -1.0, 1.5, float("nan")])
def test_a_floor_that_is_no_probability_is_refused(least: float) -> None:
    with pytest.raises(ValueError, match="least probability"):
        candidates(scored(np.ones((2, 3)) / 3), schema=build_schema(["X"]), least=least)


def test_a_mention_is_what_it_says() -> None:
    schema = build_schema(["X", "Y"])
    found = candidates(scored([[0.1, 0, 0, 0.9, 0]]), schema=schema)
    mention = found.mention(0, schema=schema)
    assert (mention.label, mention.start, mention.end) == ("Y", 0, 3)
    assert mention.score == pytest.approx(0.9)


def test_the_characters_of_a_document_are_those_of_its_tokens() -> None:
    schema = build_schema(["X"])
    assert candidates(scored(np.ones((2, 3)) / 3, starts=[5, 9], ends=[7, 12]), schema=schema).characters == (5, 12)
    assert candidates(scored(np.zeros((0, 3))), schema=schema).characters == (0, 0)


@settings(max_examples=100, deadline=None)
@example([Mention(label="X", start=0, end=7, fragments=((0, 3), (4, 7)))])
@example([Mention(label="X", start=0, end=7, fragments=((0, 4), (4, 7)))])
@example([Mention(label="X", start=0, end=55)])
@given(
    mentions=st.lists(
        st.builds(
            lambda label, start, length, gap: Mention(
                label=label,
                start=start,
                end=start + length + gap,
                # a gap parts it in two
                fragments=((start, start + 1), (start + 1 + gap, start + length + gap)) if gap and length > 1 else (),
            ),
            label=st.sampled_from(["X", "Y", "of no schema"]),
            start=st.integers(0, 12),
            length=st.integers(1, 30),
            gap=st.sampled_from([0, 0, 0, 1]),
        )
    )
)
def test_those_among_mentions_have_their_label_and_characters(mentions: list[Mention]) -> None:
    schema = build_schema(["X", "Y"])
    found = candidates(scored(np.full((3, 5), 0.2)), schema=schema)
    expected = [
        any(one.covered == ((start, end),) and one.label == schema.labels[label] for one in mentions)
        for label, start, end in zip(found.labels, found.starts, found.ends, strict=True)
    ]
    assert found.among(mentions, schema=schema).tolist() == expected
    with pytest.raises(ValueError, match="not of a schema of 1"):
        found.among(mentions, schema=build_schema(["X"]))


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"labels": np.array([0])}, "different lengths"),
        ({"probabilities": np.array([0.1, 0.2, 0.3])}, "different lengths"),
        ({"tokens": 2}, "out of range"),
        ({"firsts": np.array([-1, 1])}, "out of range"),
        ({"lasts": np.array([0, 0])}, "out of range"),
        ({"labels": np.array([-1, 0])}, "out of range"),
        ({"characters": (9, 3)}, "cannot be"),
        ({"characters": (0, 10)}, "outside the characters"),
        ({"characters": (1, 11)}, "outside the characters"),
        ({"firsts": np.array([1, 0]), "lasts": np.array([2, 2])}, "not in the order"),
        ({"firsts": np.array([0, 0]), "lasts": np.array([2, 1])}, "not in the order"),
        ({"firsts": np.array([0, 0]), "lasts": np.array([2, 2]), "labels": np.array([1, 0])}, "not in the order"),
        ({"firsts": np.array([0, 0]), "lasts": np.array([2, 2]), "labels": np.array([1, 1])}, "there twice"),
        ({"probabilities": np.array([0.1, 1.1])}, "not in"),
        ({"probabilities": np.array([-0.1, 1.0])}, "not in"),
        ({"probabilities": np.array([float("nan"), 1.0])}, "not in"),
    ],
)
def test_arrays_that_cannot_be_candidates(change: dict[str, Any], part: str) -> None:
    good = Candidates(
        document="note-7",
        tokens=3,
        characters=(0, 11),
        labels=np.array([0, 1]),
        firsts=np.array([0, 1]),
        lasts=np.array([1, 2]),
        starts=np.array([0, 4]),
        ends=np.array([7, 11]),
        probabilities=np.array([0.0, 1.0]),
    )
    with pytest.raises(ValueError, match="'note-7'") as told:
        replace(good, **change)
    assert part in str(told.value)
