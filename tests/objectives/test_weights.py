"""Weights from counts: the published formulas, and what ties, caps and the scale make of them."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, localcontext
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raretag.objectives.weights import (
    effective_number_weights,
    one_minus_share_weights,
    power_weights,
    scaled_weights,
    welt_weights,
)

Array = npt.NDArray[np.float64]
ANY_COUNTS = st.lists(st.integers(0, 10**7), min_size=1, max_size=20).filter(any)
CAPPED = st.floats(1, 1000)
SCHEMES = st.one_of(
    st.tuples(st.just(power_weights), st.fixed_dictionaries({"gamma": st.floats(0, 2), "cap": CAPPED})),
    st.tuples(
        st.just(effective_number_weights), st.fixed_dictionaries({"beta": st.floats(0, 0.999999), "cap": CAPPED})
    ),
    st.tuples(st.sampled_from([welt_weights, one_minus_share_weights]), st.just({})),
)


@given(counts=ANY_COUNTS, scheme=SCHEMES, tie=st.booleans(), data=st.data())
@settings(deadline=None, derandomize=True)
def test_what_weights_hold(
    counts: list[int], scheme: tuple[Callable[..., Array], dict[str, float]], tie: bool, data: st.DataObject
) -> None:
    groups = data.draw(st.none() | st.lists(st.integers(0, 3), min_size=len(counts), max_size=len(counts)))
    function, options = scheme
    weights = function(counts, groups=groups, tie=tie, **options)
    n = np.array(counts, dtype=np.float64)
    seen = n > 0
    assert weights.dtype == np.float64
    assert (weights[~seen] == 0).all()
    assert (weights[seen] > 0).all()
    assert (n * weights).sum() / n.sum() == pytest.approx(1)
    assert weights[seen].max() / weights[seen].min() <= options.get("cap", np.inf) * (1 + 1e-9)
    tied = groups is not None and tie
    totals = np.array([n[np.array(groups) == group].sum() for group in groups or []]) if tied else n
    rarest_first = np.argsort(totals[seen])
    assert (np.diff(weights[seen][rarest_first]) <= 1e-12 * weights.max()).all()
    for a in np.flatnonzero(seen):
        assert weights[seen & (totals == totals[a])] == pytest.approx(weights[a])


@pytest.mark.parametrize(
    ("function", "options", "formula"),
    [
        (power_weights, {"gamma": 0.25}, lambda n, total: n**-0.25),
        (power_weights, {"gamma": 1}, lambda n, total: 1 / n),
        (effective_number_weights, {"beta": 0.9}, lambda n, total: (1 - 0.9) / (1 - 0.9**n)),
        (effective_number_weights, {"beta": 0.999}, lambda n, total: (1 - 0.999) / (1 - 0.999**n)),
        (welt_weights, {}, lambda n, total: np.exp(1 - n / total)),
        (one_minus_share_weights, {}, lambda n, total: 1 - n / total),
    ],
)
def test_the_published_formulas(
    function: Callable[..., Array], options: dict[str, float], formula: Callable[[float, float], float]
) -> None:
    counts, groups = [100, 25, 15, 4, 0, 1], [0, 1, 1, 2, 2, 3]
    for tie, totals in ((True, [100, 40, 40, 4, 4, 1]), (False, counts)):
        by_hand = [formula(total, sum(counts)) if n else 0 for n, total in zip(counts, totals, strict=True)]
        mass = sum(n * w for n, w in zip(counts, by_hand, strict=True))
        expected = [w * sum(counts) / mass for w in by_hand]
        free = {"cap": np.inf} if options else {}
        np.testing.assert_allclose(function(counts, groups=groups, tie=tie, **options, **free), expected)


@pytest.mark.parametrize(
    ("function", "options", "ratio"),
    [
        (power_weights, {"gamma": 1, "cap": 1e9}, 2299),
        (power_weights, {"gamma": 0.5, "cap": 1e9}, 48),
        (effective_number_weights, {"beta": 0.9, "cap": 1e9}, 5.26),
        (effective_number_weights, {"beta": 0.99, "cap": 1e9}, 50.3),
        (effective_number_weights, {"beta": 0.999, "cap": 1e9}, 495),
        (effective_number_weights, {"beta": 0.9999, "cap": 1e9}, 1844),
    ],
)
def test_how_much_a_rare_label_weighs(function: Callable[..., Array], options: dict[str, float], ratio: float) -> None:
    weights = function([40_000, 4598, 2], **options)
    assert weights[2] / weights[1] == pytest.approx(ratio, rel=2e-3)


def test_gamma_one_gives_every_label_the_same_mass() -> None:
    mass = power_weights([1000, 30, 10, 1], groups=[0, 1, 1, 2], gamma=1, cap=1e9) * np.array([1000, 30, 10, 1])
    np.testing.assert_allclose([mass[0], mass[1] + mass[2], mass[3]], 1041 / 3)


def test_the_cap_bounds_the_ratio() -> None:
    np.testing.assert_allclose(power_weights([10_000, 100, 1], gamma=1, cap=20)[1:], 20 * 10_101 / (10_000 + 2020))
    np.testing.assert_allclose(power_weights([10_000, 100, 1], cap=1), 1)


def test_a_begin_tag_and_its_inside_tag_share_a_weight() -> None:
    tied = power_weights([100, 4, 16], groups=[0, 1, 1])
    assert tied[1] == tied[2]
    alone = power_weights([100, 4, 16], groups=[0, 1, 1], tie=False)
    assert alone[1] > alone[2] > alone[0]
    np.testing.assert_array_equal(alone, power_weights([100, 4, 16]))


@pytest.mark.parametrize("counts", [[7], [7, 0], [0, 2, 5]])
@pytest.mark.parametrize("function", [power_weights, effective_number_weights, welt_weights, one_minus_share_weights])
def test_one_label_alone_has_weight_one(function: Callable[..., Array], counts: list[int]) -> None:
    weights = function(counts, groups=[0] * len(counts))
    np.testing.assert_allclose(weights, np.array(counts) > 0)


def test_a_tag_that_is_nearly_all_there_is_keeps_a_weight() -> None:
    weights = one_minus_share_weights([1e20, 1, 1])
    np.testing.assert_allclose(weights[1:] / weights[0], 1e20 / 2)


def test_effective_number_is_uniform_at_one_end_and_inverse_count_at_the_other() -> None:
    counts = [10_000, 300, 7, 1]
    np.testing.assert_allclose(effective_number_weights(counts, beta=0), 1)
    np.testing.assert_allclose(effective_number_weights(counts, beta=1e-9), 1, rtol=1e-8)
    inverse = power_weights(counts, gamma=1, cap=1e9)
    np.testing.assert_allclose(effective_number_weights(counts, beta=1 - 1e-12, cap=1e9), inverse, rtol=1e-6)


@pytest.mark.parametrize("beta", [0.3, 0.9, 0.99, 0.999, 0.9999])
def test_effective_number_is_not_the_formula_without_its_parentheses(beta: float) -> None:
    """1 − β / (1 − β^n), as once published in code, is below 0 for β near 1."""
    counts = np.array([5000.0, 500, 50, 5])
    published = 1 - beta / (1 - beta**counts)
    ours = effective_number_weights(counts, beta=beta, cap=1e9)
    assert (ours > 0).all()
    # equal only where β^n is too small to be told from 0
    assert (np.diff(ours) >= 0).all()
    assert ours[-1] > ours[0]
    if beta >= 0.999:
        assert published[2] < 0
    if beta == 0.999:
        assert published[2] == pytest.approx(-19.5, abs=0.05)


@pytest.mark.parametrize("beta", [1e-300, 0.5, 0.999, 0.999999])
@pytest.mark.parametrize("n", [1, 2, 1000, 10**7])
def test_effective_numbers_keep_their_digits(beta: float, n: int) -> None:
    with localcontext(prec=60):
        exact = [(1 - Decimal(beta)) / (1 - Decimal(beta) ** count) for count in (n, 3)]
        expected = float(exact[0] / exact[1])
    weights = effective_number_weights([n, 3], beta=beta, cap=1e9)
    assert weights[0] / weights[1] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("function", "arguments", "message"),
    [
        (power_weights, {"gamma": -0.1}, "gamma must be >= 0, not -0.1"),
        (power_weights, {"cap": 0.9}, "cap must be >= 1, not 0.9"),
        (power_weights, {"cap": float("nan")}, "cap must be >= 1"),
        (effective_number_weights, {"beta": 1.0}, r"beta must be in \[0, 1\), not 1.0"),
        (effective_number_weights, {"beta": -0.1}, "beta must be in"),
        (welt_weights, {"groups": [0]}, "for each of the 2 tags"),
        (one_minus_share_weights, {"groups": [0, 1, 2]}, "for each of the 2 tags"),
    ],
)
def test_what_is_out_of_range_is_refused(
    function: Callable[..., Array], arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        function([3, 1], **arguments)


@pytest.mark.parametrize("counts", [[], [0, 0], [1, -1], [1, float("nan")]])
def test_counts_that_are_none_are_refused(counts: list[float]) -> None:
    with pytest.raises(ValueError, match="one number >= 0 for each tag"):
        scaled_weights(counts, np.ones_like)
