"""The probability of a mention is what enumerating every valid path gives."""

from __future__ import annotations

from itertools import product

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raretag.corpus import Mention
from raretag.probability import TINY, Scores, mention_probabilities
from raretag.tagging import Schema, Tokens, build_schema
from raretag.tagging.schema import Scheme

Probabilities = npt.NDArray[np.float32]
Spans = dict[tuple[int, int, int], float]
SCHEMES: st.SearchStrategy[Scheme] = st.sampled_from(["BIO", "IO"])


def rows(seed: int, tokens: int, tags: int, *, sharpness: float = 1.0, unseen: int | None = None) -> Probabilities:
    """Random probabilities (tokens, tags); the tag `unseen` has none."""
    logits = sharpness * np.random.default_rng(seed).standard_normal((tokens, tags))
    if unseen is not None:
        logits[:, unseen] = -np.inf
    p = np.exp(logits)
    return np.asarray(p / p.sum(axis=1, keepdims=True), dtype=np.float32)


def scores_of(p: Probabilities) -> Scores:
    """Token t covers the characters [3t, 3t + 2)."""
    numbers = np.arange(len(p), dtype=np.int64)
    tokens = Tokens(ids=numbers, starts=3 * numbers, ends=3 * numbers + 2)
    return Scores(document="d", tokens=tokens, probabilities=p)


def all_spans(schema: Schema, tokens: int) -> list[tuple[int, int, int]]:
    return [(k, i, j) for k in range(len(schema.labels)) for i in range(tokens) for j in range(i, tokens)]


def given_by_raretag(p: Probabilities, schema: Schema, spans: list[tuple[int, int, int]]) -> list[float]:
    mentions = [Mention(label=schema.labels[k], start=3 * i, end=3 * j + 2) for k, i, j in spans]
    values = mention_probabilities(scores_of(p), mentions, schema=schema)
    assert all(value is not None and 0 <= value <= 1 for value in values)
    return [value for value in values if value is not None]


def spans_on(path: tuple[int, ...], schema: Schema) -> set[tuple[int, int, int]] | None:
    """(label, first, last) of the mentions on a path of tag ids; None where the path is not valid."""
    names = ["O", *(schema.tags[tag] for tag in path), "O"]
    found: set[tuple[int, int, int]] = set()
    first = 0
    for t in range(1, len(names)):
        same = names[t - 1] != "O" and names[t] == f"I-{names[t - 1][2:]}"
        if schema.scheme == "BIO" and names[t].startswith("I-") and not same:
            return None
        if names[t - 1] != "O" and not same:
            found.add((schema.labels.index(names[t - 1][2:]), first, t - 2))
        if not same:
            first = t - 1
    return found


def enumerated(p: Probabilities, schema: Schema) -> Spans:
    total, weights = 0.0, dict.fromkeys(all_spans(schema, len(p)), 0.0)
    floored = np.maximum(p.astype(np.float64), TINY)
    for path in product(range(len(schema.tags)), repeat=len(p)):
        spans = spans_on(path, schema)
        if spans is not None:
            weight = float(np.prod(floored[np.arange(len(p)), list(path)]))
            total += weight
            for span in spans:
                weights[span] += weight
    return {span: weight / total for span, weight in weights.items()}


@given(
    scheme=SCHEMES,
    seed=st.integers(0, 2**31),
    tokens=st.integers(1, 4),
    labels=st.integers(1, 2),
    sharpness=st.sampled_from([0.5, 3.0, 20.0]),
    data=st.data(),
)
@settings(deadline=None, derandomize=True, max_examples=60)
def test_probabilities_are_those_of_the_enumeration(
    scheme: Scheme, seed: int, tokens: int, labels: int, sharpness: float, data: st.DataObject
) -> None:
    schema = build_schema(["A", "B-A"][:labels], scheme=scheme)
    unseen = data.draw(st.none() | st.integers(1, len(schema.tags) - 1))
    p = rows(seed, tokens, len(schema.tags), sharpness=sharpness, unseen=unseen)
    expected = enumerated(p, schema)
    spans = list(expected)
    np.testing.assert_allclose(given_by_raretag(p, schema, spans), [expected[s] for s in spans], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("tokens", [1, 7, 30])
@pytest.mark.parametrize("scheme", ["BIO", "IO"])
def test_alternatives_of_a_token_sum_to_one(scheme: Scheme, tokens: int) -> None:
    """A token is outside, or in exactly one of the mentions that may cover it."""
    schema = build_schema(["A", "B", "C"], scheme=scheme)
    tags = len(schema.tags)
    p = rows(5, tokens, tags, sharpness=2.0)
    # the chance of O by sums over paths in plain probabilities, which so short a text allows
    follows = np.ones((tags, tags))
    first = np.ones(tags)
    if scheme == "BIO":
        for inside in range(2, tags, 2):
            follows[:, inside] = np.isin(np.arange(tags), [inside - 1, inside])
            first[inside] = 0
    forward, backward = [first * p[0]], [np.ones(tags)]
    for t in range(1, tokens):
        forward.append((forward[-1] @ follows) * p[t])
        backward.insert(0, follows @ (p[tokens - t] * backward[0]))
    outside = [f[0] * b[0] / (f * b).sum() for f, b in zip(forward, backward, strict=True)]
    spans = all_spans(schema, tokens)
    values = given_by_raretag(p, schema, spans)
    for t in range(tokens):
        covering = sum(value for (_, i, j), value in zip(spans, values, strict=True) if i <= t <= j)
        assert covering + outside[t] == pytest.approx(1, abs=1e-5)


def test_what_no_run_of_whole_tokens_expresses_has_no_probability() -> None:
    schema = build_schema(["A"])
    scores = scores_of(rows(0, 3, 3))
    mentions = [
        Mention(label="A", start=0, end=5),
        Mention(label="B", start=0, end=5),
        Mention(label="A", start=1, end=5),
        Mention(label="A", start=0, end=4),
        Mention(label="A", start=2, end=3),
        Mention(label="A", start=0, end=8, fragments=((0, 2), (6, 8))),
        Mention(label="A", start=0, end=100),
    ]
    values = mention_probabilities(scores, mentions, schema=schema)
    assert values[0] is not None
    assert values[1:] == [None] * 6


@pytest.mark.parametrize("scheme", ["BIO", "IO"])
def test_a_document_without_tokens_or_mentions(scheme: Scheme) -> None:
    schema = build_schema(["A"], scheme=scheme)
    empty = scores_of(np.zeros((0, len(schema.tags)), dtype=np.float32))
    assert mention_probabilities(empty, [Mention(label="A", start=0, end=1)], schema=schema) == [None]
    assert mention_probabilities(empty, [], schema=schema) == []
    assert mention_probabilities(scores_of(rows(0, 2, len(schema.tags))), [], schema=schema) == []


def test_a_text_without_any_possible_path_is_undecided() -> None:
    """The model is sure of an `I-` that cannot be: what remains is equally unlikely."""
    schema = build_schema(["A"])
    p = np.array([[0, 0, 1]], dtype=np.float32)
    assert given_by_raretag(p, schema, [(0, 0, 0)]) == [pytest.approx(0.5)]


@pytest.mark.parametrize("scheme", ["BIO", "IO"])
def test_long_texts_and_certain_tags_neither_overflow_nor_vanish(scheme: Scheme) -> None:
    schema = build_schema(["A", "B"], scheme=scheme)
    tags = len(schema.tags)
    p = np.tile(np.eye(tags, dtype=np.float32)[0], (5000, 1))
    p[2000] = np.eye(tags)[schema.begin(1)]
    p[2001:4000] = np.eye(tags)[schema.inside(1)]
    values = given_by_raretag(p, schema, [(1, 2000, 3999), (1, 2000, 3998), (0, 2000, 3999), (1, 0, 0)])
    assert values == pytest.approx([1, 0, 0, 0], abs=1e-6)


def test_tokens_that_share_a_character_belong_together() -> None:
    """Three byte tokens of one character: its mention is the run of all three."""
    schema = build_schema(["A"])
    p = rows(3, 3, 3)
    zeros = np.zeros(3, dtype=np.int64)
    shared = Scores(document="d", tokens=Tokens(ids=zeros, starts=zeros, ends=zeros + 1), probabilities=p)
    values = mention_probabilities(shared, [Mention(label="A", start=0, end=1)], schema=schema)
    assert values == [pytest.approx(enumerated(p, schema)[0, 0, 2], rel=1e-4)]


@given(scheme=SCHEMES, seed=st.integers(0, 2**31), tokens=st.integers(1, 5))
@settings(deadline=None, derandomize=True, max_examples=40)
def test_where_labels_are_kept_apart_a_mention_has_the_probability_of_its_label_alone(
    scheme: Scheme, seed: int, tokens: int
) -> None:
    layered = build_schema(["A", "B", "C"], scheme=scheme, layered=True)
    columns = [rows(seed + number, tokens, layered.tags_of_a_label, sharpness=3.0) for number in range(3)]
    values = given_by_raretag(np.stack(columns, axis=1), layered, spans := all_spans(layered, tokens))
    for number, column in enumerate(columns):
        expected = enumerated(column, layered.of_label(number))
        own = [(value, (0, i, j)) for value, (k, i, j) in zip(values, spans, strict=True) if k == number]
        np.testing.assert_allclose([v for v, _ in own], [expected[s] for _, s in own], rtol=1e-4, atol=1e-6)
