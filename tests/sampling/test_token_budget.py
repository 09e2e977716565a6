"""Each epoch is a partition of the windows into batches that are close to the budget."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raretag.sampling import TokenBudget

LENGTHS = st.lists(st.integers(1, 300), max_size=80)
BUDGETS = st.integers(1, 2000)
SEEDS = st.integers(0, 2**32 - 1)


def epoch(sampler: TokenBudget, number: int) -> list[list[int]]:
    sampler.set_epoch(number)
    return list(sampler)


def bound(tokens: int) -> int:
    """The most that a batch of several windows may hold, padding included: jitter 5 % both ways, 1 % per step."""
    return math.floor(1.05 / 0.95 * 1.01 * tokens + 1)


@given(lengths=LENGTHS, tokens=BUDGETS, seed=SEEDS)
@settings(deadline=None, derandomize=True, max_examples=200)
def test_each_epoch_is_a_partition_in_batches_close_to_the_budget(lengths: list[int], tokens: int, seed: int) -> None:
    sampler = TokenBudget(lengths, tokens=tokens, seed=seed)
    for number in range(3):
        batches = epoch(sampler, number)
        assert sorted(index for batch in batches for index in batch) == list(range(len(lengths)))
        assert len(batches) == len(sampler)
        assert all(batches)
        for batch in batches:
            assert len(batch) == 1 or len(batch) * max(lengths[index] for index in batch) <= bound(tokens)


@given(lengths=LENGTHS, tokens=BUDGETS, seed=SEEDS, number=st.integers(0, 1000))
@settings(deadline=None, derandomize=True)
def test_an_epoch_depends_on_seed_and_number_alone(lengths: list[int], tokens: int, seed: int, number: int) -> None:
    sampler = TokenBudget(lengths, tokens=tokens, seed=seed)
    first = epoch(sampler, number)
    epoch(sampler, number + 1)
    assert epoch(sampler, number) == first == list(sampler)
    assert epoch(TokenBudget(lengths, tokens=tokens, seed=seed), number) == first


@given(seed=SEEDS)
@settings(deadline=None, derandomize=True, max_examples=20)
def test_epochs_and_seeds_differ_in_batches_and_in_order(seed: int) -> None:
    lengths = [20 + index % 40 for index in range(200)]
    sampler = TokenBudget(lengths, tokens=512, seed=seed)
    first, second = epoch(sampler, 0), epoch(sampler, 1)
    other = epoch(TokenBudget(lengths, tokens=512, seed=seed + 1), 0)
    as_sets = [{frozenset(batch) for batch in batches} for batches in (first, second, other)]
    assert as_sets[0] != as_sets[1]
    assert as_sets[0] != as_sets[2]
    # the order of batches is not by length
    heights = [max(lengths[index] for index in batch) for batch in first]
    assert abs(np.corrcoef(heights, range(len(heights)))[0, 1]) < 0.9


@given(seed=SEEDS)
@settings(deadline=None, derandomize=True, max_examples=20)
def test_little_is_padding_and_batches_are_full(seed: int) -> None:
    lengths = [5 + index % 60 for index in range(600)]
    sampler = TokenBudget(lengths, tokens=1024, seed=seed)
    for number in range(3):
        padded = sum(len(batch) * max(lengths[i] for i in batch) for batch in epoch(sampler, number))
        assert sum(lengths) / padded > 0.8
        assert padded / len(sampler) > 0.8 * 1024


def test_no_window_has_no_batch() -> None:
    sampler = TokenBudget([], tokens=100, seed=0)
    assert len(sampler) == 0
    assert list(sampler) == []


@pytest.mark.parametrize("length", [1, 100, 101, 10_000])
def test_one_window_is_one_batch(length: int) -> None:
    assert list(TokenBudget([length], tokens=100, seed=0)) == [[0]]


def test_a_window_longer_than_the_budget_is_alone() -> None:
    batches = list(TokenBudget([10, 1000, 10, 2000], tokens=100, seed=0))
    assert sorted(sorted(batch) for batch in batches) == [[0, 2], [1], [3]]


@pytest.mark.parametrize(("lengths", "tokens"), [([1], 0), ([0], 10), ([5, -1], 10)])
def test_what_is_not_a_length_is_refused(lengths: list[int], tokens: int) -> None:
    with pytest.raises(ValueError, match="at least 1 token"):
        TokenBudget(lengths, tokens=tokens, seed=0)
