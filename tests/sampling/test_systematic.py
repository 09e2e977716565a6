"""Windows come as often as expected, rounded down or up, and none is left out for long."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raretag.sampling.systematic import systematic

SEEDS = st.integers(0, 2**32 - 1)


@given(
    weights=st.lists(st.floats(0.01, 10), min_size=1, max_size=80),
    number=st.integers(1, 200),
    seed=SEEDS,
    epoch=st.integers(0, 500),
)
@settings(deadline=None, derandomize=True, max_examples=200)
def test_each_comes_as_often_as_expected_rounded_down_or_up(
    weights: list[float], number: int, seed: int, epoch: int
) -> None:
    expected = np.array(weights) * number / sum(weights)
    found = systematic(expected, seed=seed, epoch=epoch)
    assert len(found) == number
    visits = np.bincount(found, minlength=len(expected))
    assert (visits >= np.floor(expected - 1e-6)).all()
    assert (visits <= np.ceil(expected + 1e-6)).all()
    np.testing.assert_array_equal(found, systematic(expected, seed=seed, epoch=epoch))


@given(number=st.integers(1, 500), seed=SEEDS, epoch=st.integers(0, 100))
@settings(deadline=None, derandomize=True)
def test_one_visit_each_is_a_permutation(number: int, seed: int, epoch: int) -> None:
    assert sorted(systematic(np.ones(number), seed=seed, epoch=epoch).tolist()) == list(range(number))


@pytest.mark.parametrize("seed", range(5))
def test_over_epochs_each_comes_in_proportion_and_in_time(seed: int) -> None:
    expected = np.random.default_rng(seed).uniform(0.02, 0.6, 60)
    expected *= 15 / expected.sum()
    epochs = 600
    visits = np.stack([np.bincount(systematic(expected, seed=seed, epoch=e), minlength=60) for e in range(epochs)])
    # far closer than independent draws would be
    assert np.abs(visits.mean(axis=0) - expected).max() < 0.01
    for window, share in enumerate(expected):
        gaps = np.diff(np.concatenate([[-1], np.flatnonzero(visits[:, window])]))
        assert gaps.max() <= 3 / share
