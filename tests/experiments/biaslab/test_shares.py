"""Shares from tags and probabilities, against sums by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raretag.decision import viterbi
from raretag.experiments.biaslab.shares import by_label, counted_shares, decided, information, sampled
from raretag.tagging import IGNORE, build_schema

BIO = build_schema(("A", "B"))
IO = build_schema(("A", "B"), scheme="IO")
LAYERED = build_schema(("A", "B"), layered=True)


def probabilities(*shape: int, seed: int, sharpness: float = 0.7) -> Any:
    """Float32 rows that sum to 1 over the last axis."""
    numbers = np.random.default_rng(seed).gamma(sharpness, size=shape) + 1e-9
    return (numbers / numbers.sum(axis=-1, keepdims=True)).astype(np.float32)


def test_tags_of_a_label_are_summed() -> None:
    rows = np.array([[0.5, 0.1, 0.2, 0.2, 0.0], [0.1, 0.3, 0.0, 0.1, 0.5]])
    assert by_label(rows, schema=BIO) == pytest.approx(np.array([[0.5, 0.3, 0.2], [0.1, 0.3, 0.6]]))
    # one tag a label: as they are
    assert by_label(rows[:, :3] / rows[:, :3].sum(axis=1, keepdims=True), schema=IO) == pytest.approx(
        np.array([[5 / 8, 1 / 8, 2 / 8], [1 / 4, 3 / 4, 0]])
    )


def test_outside_of_labels_kept_apart_is_what_they_leave() -> None:
    rows = np.array([[[0.8, 0.1, 0.1], [0.9, 0.1, 0.0]], [[0.6, 0.3, 0.1], [1.0, 0.0, 0.0]]])
    assert by_label(rows, schema=LAYERED) == pytest.approx(np.array([[0.7, 0.2, 0.1], [0.6, 0.4, 0.0]]))
    # labels that together claim more than all leave nothing, and share it
    greedy = np.array([[[0.1, 0.9, 0.0], [0.7, 0.0, 0.3]]])
    assert by_label(greedy, schema=LAYERED) == pytest.approx(np.array([[0, 0.75, 0.25]]))


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10**6), st.integers(1, 20))
def test_each_token_has_one_in_all(seed: int, tokens: int) -> None:
    for rows, schema in ((probabilities(tokens, 5, seed=seed), BIO), (probabilities(tokens, 2, 3, seed=seed), LAYERED)):
        found = by_label(rows, schema=schema)
        assert found.shape == (tokens, 3)
        assert found.dtype == np.float64
        assert found.min() >= 0
        assert found.sum(axis=1) == pytest.approx(np.ones(tokens), abs=1e-12)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.sampled_from([IGNORE, 0, 1, 2, 3, 4]), min_size=1, max_size=50).filter(lambda tags: max(tags) >= 0))
def test_counts_leave_out_what_is_not_judged(tags: list[int]) -> None:
    judged = [tag for tag in tags if tag >= 0]
    by_hand = [sum(tag in own for tag in judged) / len(judged) for own in ((0,), (1, 2), (3, 4))]
    assert counted_shares(np.array(tags), schema=BIO) == pytest.approx(by_hand)


def test_a_token_with_two_labels_counts_for_both() -> None:
    tags = np.array([[1, 0], [2, 1], [0, 0], [IGNORE, IGNORE]])
    assert counted_shares(tags, schema=LAYERED) == pytest.approx([1 / 4, 2 / 4, 1 / 4])


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10**6), st.integers(1, 40))
def test_probabilities_of_0_and_1_count_like_tags(seed: int, tokens: int) -> None:
    tags = np.random.default_rng(seed).integers(0, 5, tokens)
    certain = np.eye(5, dtype=np.float32)[tags]
    shares = by_label(certain, schema=BIO)
    assert shares.mean(axis=0) == pytest.approx(counted_shares(tags, schema=BIO))
    assert sampled(shares, rng=np.random.default_rng(seed)) == pytest.approx(counted_shares(tags, schema=BIO))
    documents = np.zeros(tokens, dtype=np.int64)
    assert np.array_equal(decided(certain, decision="argmax", documents=documents, schema=BIO), tags)


def test_argmax_is_token_by_token_and_label_by_label() -> None:
    rows = probabilities(30, 2, 3, seed=1)
    found = decided(rows, decision="argmax", documents=np.zeros(30, dtype=np.int64), schema=LAYERED)
    assert found.tolist() == [[max(range(3), key=lambda k: own[k]) for own in row] for row in rows]


def test_paths_are_decided_document_by_document() -> None:
    rows = probabilities(40, 5, seed=2)
    documents = np.repeat([0, 1, 4, 5], [10, 1, 17, 12])
    found = decided(rows, decision="viterbi", documents=documents, schema=BIO)
    alone = [viterbi([rows[documents == number]], schema=BIO)[0] for number in (0, 1, 4, 5)]
    assert np.array_equal(found, np.concatenate(alone))
    for number in (0, 1, 4, 5):
        before = 0
        for tag in found[documents == number].tolist():
            # I- follows a tag of its own label alone
            assert tag not in (2, 4) or before in (tag, tag - 1)
            before = tag
    plain = decided(rows, decision="argmax", documents=documents, schema=BIO)
    assert not np.array_equal(found, plain)


def test_a_path_ends_with_its_document() -> None:
    """A document cannot go on with a mention that ended the one before."""
    rows = np.full((4, 5), 0.01, dtype=np.float32)
    rows[[0, 3], 0], rows[1, 1], rows[2, 2], rows[2, 1] = 0.96, 0.96, 0.6, 0.37
    apart, whole = (
        decided(rows, decision="viterbi", documents=np.array(documents), schema=BIO).tolist()
        for documents in ([0, 0, 1, 1], [0, 0, 0, 0])
    )
    assert whole == [0, 1, 2, 0]
    assert apart == [0, 1, 1, 0]


def test_draws_come_as_often_as_their_probabilities() -> None:
    chances = np.array([0.6, 0.25, 0.1, 0.05, 0.0])
    tokens = 20_000
    found = sampled(np.tile(chances, (tokens, 1)), rng=np.random.default_rng(3))
    assert found[4] == 0
    assert found.sum() == pytest.approx(1)
    for share, chance in zip(found[:4].tolist(), chances[:4].tolist(), strict=True):
        assert abs(share - chance) < 4.5 * math.sqrt(chance * (1 - chance) / tokens)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10**6), st.integers(1, 20))
def test_draws_are_whole_tokens_and_the_same_again(seed: int, tokens: int) -> None:
    shares = probabilities(tokens, 4, seed=seed).astype(np.float64)
    shares[:, seed % 4] = 0
    found, again = (sampled(shares, rng=np.random.default_rng(seed)) for _ in range(2))
    assert np.array_equal(found, again)
    assert found[seed % 4] == 0
    assert found * tokens == pytest.approx(np.round(found * tokens), abs=1e-9)
    assert found.sum() == pytest.approx(1)


def test_tokens_are_drawn_by_their_own_probabilities() -> None:
    """Half of them surely the one, half surely the other: no chance is left."""
    shares = np.repeat(np.eye(2), 500, axis=0)
    for seed in range(3):
        assert sampled(shares, rng=np.random.default_rng(seed)).tolist() == [0.5, 0.5]


def test_information_is_0_for_the_shares_and_1_for_certainty() -> None:
    outcomes = np.repeat([0, 1, 3], [60, 30, 10])
    shares = np.array([0.6, 0.3, 0.0, 0.1, 0.0])
    assert information(np.tile(shares, (100, 1)), outcomes) == pytest.approx(0, abs=1e-12)
    assert information(np.eye(5)[outcomes], outcomes) == pytest.approx(1, abs=1e-12)
    # the entropy of these shares is 0.898 nats, and log 5 of a guess is 1.609
    assert information(np.full((100, 5), 0.2), outcomes) == pytest.approx(1 - 1.60944 / 0.89795, abs=1e-4)


def test_information_about_half_of_the_tokens_is_a_half() -> None:
    outcomes = np.tile([0, 1], 50)
    shares = np.full((100, 2), 0.5)
    shares[:50] = np.eye(2)[outcomes[:50]]
    assert information(shares, outcomes) == pytest.approx(0.5)


def test_information_where_there_is_nothing_to_know_or_all_is_denied() -> None:
    assert information(np.full((5, 2), 0.5), np.zeros(5, dtype=np.int64)) == 0
    outcomes = np.array([0, 1])
    denied = information(np.eye(2)[1 - outcomes], outcomes)
    assert math.isfinite(denied)
    assert denied < -100
