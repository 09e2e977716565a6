"""A moved prior put back: exact where the prior is all that moved, whatever the shape."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raretag.probability import restore_prior, undo_relabelling

Array = npt.NDArray[np.float64]

# one token's probabilities, flat or by label
SHAPES = st.sampled_from([(4,), (1,), (3, 3)])
SEEDS = st.integers(0, 2**31)


def draw(*shape: int, seed: int, sharpness: float = 0.5) -> Array:
    """Probabilities over the last axis, all above 0, some very small."""
    numbers = np.random.default_rng(seed).gamma(sharpness, size=shape) + 1e-9
    return np.asarray(numbers / numbers.sum(axis=-1, keepdims=True))


@given(shape=SHAPES, seed=SEEDS, unit=st.sampled_from([1.0, 1e-3, 5000.0]))
@settings(deadline=None, derandomize=True, max_examples=40)
def test_a_model_that_knows_the_prior_only_is_given_the_other(shape: tuple[int, ...], seed: int, unit: float) -> None:
    effective, empirical = draw(*shape, seed=seed), draw(*shape, seed=seed + 1)
    constant = np.broadcast_to(effective, (5, *shape))
    found = restore_prior(constant, effective=effective * unit, empirical=empirical * unit)
    np.testing.assert_allclose(found, np.broadcast_to(empirical, (5, *shape)), rtol=1e-9)


@given(shape=SHAPES, seed=SEEDS)
@settings(deadline=None, derandomize=True, max_examples=40)
def test_bayes_rule_with_another_prior(shape: tuple[int, ...], seed: int) -> None:
    """The posteriors of the same likelihoods under two priors, each by Bayes' rule."""
    effective, empirical = draw(*shape, seed=seed), draw(*shape, seed=seed + 1)
    likelihoods = np.random.default_rng(seed).gamma(1.0, size=(7, *shape)) + 1e-6

    def posterior(prior: Array) -> Array:
        joint = likelihoods * prior
        return np.asarray(joint / joint.sum(axis=-1, keepdims=True))

    found = restore_prior(posterior(effective), effective=effective, empirical=empirical)
    np.testing.assert_allclose(found, posterior(empirical), rtol=1e-9)


@given(shape=SHAPES, seed=SEEDS, dtype=st.sampled_from([np.float32, np.float64]))
@settings(deadline=None, derandomize=True, max_examples=40)
def test_the_same_prior_changes_nothing_and_two_steps_are_one(shape: tuple[int, ...], seed: int, dtype: Any) -> None:
    p = draw(2, 3, *shape, seed=seed).astype(dtype)
    first, second, third = (draw(*shape, seed=seed + k, sharpness=3.0) for k in (1, 2, 3))
    accuracy = 1e-5 if dtype == np.float32 else 1e-9
    same = restore_prior(p, effective=first, empirical=first)
    assert same.dtype == dtype
    np.testing.assert_allclose(same, p, rtol=accuracy)
    between = restore_prior(p, effective=first, empirical=second)
    np.testing.assert_allclose(between.sum(axis=-1), 1, rtol=accuracy)
    twice = restore_prior(between, effective=second, empirical=third)
    np.testing.assert_allclose(twice, restore_prior(p, effective=first, empirical=third), rtol=10 * accuracy)


def test_a_tag_without_a_share_is_shut_and_an_empty_row_gets_the_prior() -> None:
    p = np.array([[0.2, 0.3, 0.1, 0.4], [0, 0, 0.6, 0.4], [0, 0, 0, 0]])
    effective, empirical = np.array([0.5, 0.3, 0.0, 0.2]), np.array([0.7, 0.2, 0.1, 0.0])
    found = restore_prior(p, effective=effective, empirical=empirical)
    odds = np.array([0.2 * 0.7 / 0.5, 0.3 * 0.2 / 0.3, 0, 0])
    np.testing.assert_allclose(found, [odds / odds.sum(), empirical, empirical])
    assert p.tolist() == [[0.2, 0.3, 0.1, 0.4], [0, 0, 0.6, 0.4], [0, 0, 0, 0]]


def test_shares_next_to_nothing_do_not_overflow() -> None:
    found = restore_prior(
        np.array([[1.0, 1e-300], [0.0, 1e-300]]), effective=np.array([1, 1e-310]), empirical=np.array([0.5, 0.5])
    )
    np.testing.assert_allclose(found, [[0, 1], [0, 1]], atol=1e-9)
    found = restore_prior(
        np.array([[0.0, 1.0], [1.0, 0.0]]), effective=np.array([1e-310, 1]), empirical=np.array([1, 1e-310])
    )
    np.testing.assert_array_equal(found, [[0, 1], [1, 0]])


@pytest.mark.parametrize(
    ("p", "effective", "empirical", "told"),
    [
        ([[0.5, 0.5]], [1.0, 1, 1], [1.0, 1, 1], r"effective \(3,\)"),
        ([[0.5, 0.5]], [1.0, 1], [[1.0, 1]], r"empirical \(1, 2\)"),
        ([0.5, 0.5], [[1.0, 1]], [[1.0, 1]], r"the last axes of \(2,\)"),
        ([0.5, 0.5], 1.0, 1.0, r"effective \(\)"),
        ([0.5, 0.5], [0.0, 0], [1.0, 1], "effective shares must be"),
        ([0.5, 0.5], [1.0, 1], [-0.5, 1.5], "empirical shares must be"),
        ([0.5, 0.5], [1.0, 1], [np.nan, 1], "empirical shares must be"),
        ([0.5, 0.5], [np.inf, 1], [1.0, 1], "effective shares must be"),
        ([[0.5, 0.5], [0.5, 0.5]], [[1.0, 1], [0, 0]], [[1.0, 1], [1, 1]], "effective shares must be"),
        ([-0.1, 1.1], [1.0, 1], [1.0, 1], "not below 0"),
        ([np.nan, 0.5], [1.0, 1], [1.0, 1], "finite"),
        ([0, 1], [1.0, 1], [1.0, 1], "floating-point"),
    ],
)
def test_priors_that_do_not_fit(p: Any, effective: Any, empirical: Any, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        restore_prior(np.array(p), effective=np.array(effective), empirical=np.array(empirical))


GROUPS = np.array([0, 1, 1, 2, 2, 3, 3])


def relabelled_optimum(eta: Array, shares: Array) -> Array:
    """What cross-entropy learns at each x: the mean over batches of their targets' shares, all other tags as `O`."""
    learned = np.zeros_like(eta)
    for label, share in enumerate(shares, start=1):
        own = np.isin(GROUPS, label)
        targets = np.where(own, eta, 0.0)
        targets[..., 0] = eta[..., ~own].sum(axis=-1)
        learned += share * targets
    return learned


@given(seed=SEEDS, unit=st.sampled_from([1.0, 12.0]), tokens=st.integers(0, 4))
@settings(deadline=None, derandomize=True, max_examples=40)
def test_what_was_relabelled_comes_back(seed: int, unit: float, tokens: int) -> None:
    eta, shares = draw(2, tokens, 7, seed=seed), draw(3, seed=seed + 1, sharpness=3.0)
    learned = relabelled_optimum(eta, shares)
    np.testing.assert_allclose(learned.sum(axis=-1), 1)
    found = undo_relabelling(learned, shares=shares * unit, groups=GROUPS)
    np.testing.assert_allclose(found, eta, rtol=1e-6, atol=1e-12)


def test_a_label_without_batches_stays_shut_and_outside_is_never_below_0() -> None:
    p = np.array(
        [
            [0.5, 0.1, 0.1, 0.1, 0.1, 0.1, 0.0],
            [0.1, 0.4, 0.2, 0.1, 0.1, 0.1, 0.0],
            [0.0, 0.0, 0.0, 0.0, 0.0, 0.6, 0.4],
        ],
        dtype=np.float32,
    )
    found = undo_relabelling(p, shares=np.array([0.5, 0.5, 0.0]), groups=GROUPS)
    assert found.dtype == np.float32
    expected: list[list[float]] = [
        [0.2, 0.2, 0.2, 0.2, 0.2, 0, 0],
        [0, 0.5, 0.25, 0.125, 0.125, 0, 0],
        [1, 0, 0, 0, 0, 0, 0],
    ]
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert p[0, 5] == np.float32(0.1)


@pytest.mark.parametrize(
    ("shares", "groups", "told"),
    [
        ([1.0, 1], [0, 1], r"groups \(2,\)"),
        ([[1.0, 1]], [0, 1, 2], r"shares \(1, 2\)"),
        ([1.0], [0, 1, 2], "else 1 to 1"),
        ([1.0, 1], [0, 0, 1], "one 0"),
        ([1.0, 1], [1, 1, 2], "one 0"),
        ([1.0, 1], [0, 1, -1], "one 0"),
        ([0.0, 0], [0, 1, 2], "batch shares"),
        ([-1.0, 2], [0, 1, 2], "batch shares"),
    ],
)
def test_shares_that_do_not_fit(shares: Any, groups: Any, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        undo_relabelling(np.full((2, 3), 1 / 3), shares=np.array(shares), groups=np.array(groups))
