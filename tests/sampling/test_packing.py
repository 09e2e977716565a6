"""Batches hold each window once, close to the budget; the number of batches is what was asked for."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raretag.sampling.packing import bucket, consecutive, divide, pack

LENGTHS = st.lists(st.integers(1, 300), min_size=1, max_size=60).map(np.array)
BUDGETS = st.integers(1, 2000)
SEEDS = st.integers(0, 2**32 - 1)


def padded(lengths: np.ndarray, batches: list[np.ndarray]) -> list[int]:
    """Padded sizes of the batches of several windows; a single one may be of any length."""
    return [len(batch) * int(lengths[batch].max()) for batch in batches if len(batch) > 1]


@given(lengths=LENGTHS, tokens=BUDGETS)
@settings(deadline=None, derandomize=True, max_examples=200)
def test_packing_is_a_partition_within_the_budget_shortest_first(lengths: np.ndarray, tokens: int) -> None:
    batches = pack(lengths, tokens=tokens)
    order = np.concatenate(batches)
    assert sorted(order.tolist()) == list(range(len(lengths)))
    assert (np.diff(lengths[order]) >= 0).all()
    assert all(size <= tokens for size in padded(lengths, batches))
    # no batch could take the first window of the next
    for one, following in pairwise(batches):
        assert (len(one) + 1) * max(lengths[one].max(), lengths[following[0]]) > tokens


def test_a_window_longer_than_the_budget_is_alone() -> None:
    batches = pack(np.array([10, 1000, 10, 2000]), tokens=100)
    assert [batch.tolist() for batch in batches] == [[0, 2], [1], [3]]


@pytest.mark.parametrize("length", [1, 100, 101, 10_000])
def test_one_window_is_one_batch(length: int) -> None:
    assert [batch.tolist() for batch in pack(np.array([length]), tokens=100)] == [[0]]


def test_no_window_is_no_batch() -> None:
    assert pack(np.array([], dtype=np.int64), tokens=100) == consecutive(np.array([], dtype=np.int64), tokens=1) == []


def test_consecutive_pieces_keep_the_order() -> None:
    assert [piece.tolist() for piece in consecutive(np.array([5, 9, 1, 30, 2]), tokens=18)] == [[0, 1], [2], [3], [4]]


@given(lengths=st.lists(st.integers(1, 20), min_size=1, max_size=25).map(np.array), data=st.data())
@settings(deadline=None, derandomize=True, max_examples=100)
def test_division_makes_so_many_pieces_of_nearly_the_least_size(lengths: np.ndarray, data: st.DataObject) -> None:
    batches = data.draw(st.integers(1, len(lengths)))
    pieces = divide(lengths, batches=batches)
    assert len(pieces) == batches
    assert all(len(piece) for piece in pieces)
    assert np.concatenate(pieces).tolist() == list(range(len(lengths)))
    least = next(budget for budget in range(1, 501) if len(consecutive(lengths, tokens=budget)) <= batches)
    assert max(padded(lengths, pieces), default=0) <= 1.01 * least + 1


@pytest.mark.parametrize("batches", [0, 4])
def test_a_number_of_batches_that_cannot_be_is_refused(batches: int) -> None:
    with pytest.raises(ValueError, match=f"3 windows cannot make {batches} batches"):
        divide(np.array([1, 2, 3]), batches=batches)


@given(lengths=LENGTHS, tokens=BUDGETS, seed=SEEDS)
@settings(deadline=None, derandomize=True, max_examples=200)
def test_buckets_are_a_partition_close_to_the_budget_that_packing_needs(
    lengths: np.ndarray, tokens: int, seed: int
) -> None:
    number = len(pack(lengths, tokens=tokens))
    batches = bucket(lengths, batches=number, rng=np.random.default_rng(seed))
    assert len(batches) == number
    assert sorted(np.concatenate(batches).tolist()) == list(range(len(lengths)))
    # jitter of 5 % both ways, and 1 % for the search
    assert all(size <= 1.05 / 0.95 * 1.01 * tokens + 2 for size in padded(lengths, batches))


@given(seed=SEEDS)
@settings(deadline=None, derandomize=True, max_examples=20)
def test_little_is_padding_and_batches_are_full(seed: int) -> None:
    lengths = 5 + np.arange(600) % 60
    batches = bucket(lengths, batches=len(pack(lengths, tokens=1024)), rng=np.random.default_rng(seed))
    sizes = padded(lengths, batches)
    assert lengths.sum() / sum(sizes) > 0.85
    assert np.mean(sizes) > 0.85 * 1024


@given(seed=SEEDS)
@settings(deadline=None, derandomize=True, max_examples=20)
def test_buckets_differ_in_windows_and_come_in_random_order(seed: int) -> None:
    lengths = 20 + np.arange(200) % 40
    rng = np.random.default_rng(seed)
    first, second = [bucket(lengths, batches=16, rng=rng) for _ in range(2)]
    assert {frozenset(batch.tolist()) for batch in first} != {frozenset(batch.tolist()) for batch in second}
    heights = [int(lengths[batch].max()) for batch in first]
    assert abs(np.corrcoef(heights, range(len(heights)))[0, 1]) < 0.95
