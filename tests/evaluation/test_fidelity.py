from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.stats import entropy, linregress

from raretag.evaluation import Fidelity, fidelity
from raretag.evaluation.fidelity import Floats, kl_divergence, smoothed

LABELS = ("O", "SIGN", "DRUG", "DEVICE", "RARE")
NATURAL = np.array([0.6, 0.25, 0.1, 0.04, 0.01])
COUNTS = (
    st.lists(st.integers(0, 10_000), min_size=5, max_size=5).filter(any).map(lambda n: np.array(n, dtype=np.float64))
)


def compare(predicted: Floats | list[float], empirical: Floats | list[float], *, tokens: int = 1000) -> Fidelity:
    return fidelity(np.array(predicted), np.array(empirical), labels=LABELS[: len(empirical)], tokens=tokens)


def test_a_case_by_hand() -> None:
    found = compare([8.0, 2.0, 0.0], [5.0, 3.0, 2.0], tokens=10)
    assert found.predicted == (0.8, 0.2, 0.0)
    assert found.empirical == (0.5, 0.3, 0.2)
    assert found.tv == pytest.approx(0.3)
    # ε = 0.05: shares become (p + 0.05) / 1.15
    p, q = (0.55, 0.35, 0.25), (0.85, 0.25, 0.05)
    assert found.kl == pytest.approx(sum(a * math.log(a / b) for a, b in zip(p, q, strict=True)) / 1.15)
    assert found.relative_error == pytest.approx((0.3 / 0.55 + 0.1 / 0.35 + 0.2 / 0.25) / 3)
    assert found.amplification == pytest.approx(math.log(4) / math.log(5 / 3))
    assert found.amplification_among_labels is None
    assert found.never_predicted == ("DRUG",)


@settings(deadline=None, max_examples=60)
@given(COUNTS, COUNTS, st.integers(1, 10**6))
def test_measures_equal_those_of_scipy(predicted: Floats, empirical: Floats, tokens: int) -> None:
    found = compare(predicted, empirical, tokens=tokens)
    # as many tokens added to every label as ε is of them; scipy divides by the sum itself
    pseudo = 1 / (2 * tokens)
    p, q = empirical / empirical.sum() + pseudo, predicted / predicted.sum() + pseudo
    assert found.kl == pytest.approx(entropy(p, q), rel=1e-9, abs=1e-12)
    seen = empirical > 0
    assert found.relative_error == pytest.approx(np.mean(np.abs(q - p)[seen] / p[seen]), rel=1e-9, abs=1e-12)
    for first, slope in ((0, found.amplification), (1, found.amplification_among_labels)):
        both = [(a, b) for a, b in zip(empirical[first:], predicted[first:], strict=True) if a > 0 and b > 0]
        if len({a for a, _ in both}) < 2:
            assert slope is None
        else:
            assert slope == pytest.approx(linregress(*np.log(both).T).slope, rel=1e-6, abs=1e-9)
    lost = [label for label, a, b in zip(LABELS, empirical, predicted, strict=True) if a > 0 and b == 0]
    assert found.never_predicted == tuple(lost)


@settings(deadline=None, max_examples=60)
@given(COUNTS, COUNTS, st.integers(1, 10**6), st.floats(1e-6, 1e6))
def test_bounds_and_scale(predicted: Floats, empirical: Floats, tokens: int, factor: float) -> None:
    found = compare(predicted, empirical, tokens=tokens)
    assert 0 <= found.tv <= 1
    assert found.kl >= 0
    assert found.relative_error >= 0
    # Pinsker, for the smoothed shares
    shrunk = 1 + len(LABELS) / (2 * tokens)
    assert found.kl >= 2 * (found.tv / shrunk) ** 2 - 1e-12
    assert sum(found.predicted) == pytest.approx(1)
    assert sum(found.empirical) == pytest.approx(1)
    scaled = compare(factor * predicted, empirical, tokens=tokens)
    assert scaled.never_predicted == found.never_predicted
    assert (scaled.tv, scaled.kl) == pytest.approx((found.tv, found.kl), rel=1e-9, abs=1e-12)


@settings(deadline=None, max_examples=30)
@given(COUNTS)
@example(np.array([0.0, 0.0, 0.0, 100.0, 101.0]))
def test_equal_shares_have_no_distance(counts: Floats) -> None:
    found = compare(counts, counts)
    assert (found.tv, found.kl, found.relative_error, found.never_predicted) == (0, 0, 0, ())
    assert found.amplification in (None, 1)


def test_a_difference_near_rounding_keeps_its_divergence() -> None:
    p = smoothed(NATURAL, tokens=10**6)
    nearby = p + 1e-9 * np.array([1, -1, 0, 0, 0])
    # to second order KL is ½ Σ δ² / p
    assert kl_divergence(p, nearby) == pytest.approx(0.5e-18 * (1 / p[0] + 1 / p[1]), rel=1e-4, abs=0)


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0, 2.0, 3.0])
def test_a_power_of_the_empirical_shares_has_its_exponent(power: float) -> None:
    found = compare(NATURAL**power, NATURAL)
    assert found.amplification == pytest.approx(power, abs=1e-12)
    assert found.amplification_among_labels == pytest.approx(power, abs=1e-12)


def test_a_ratio_of_four_made_eight_has_exponent_three_halves() -> None:
    assert compare([8.0, 1.0], [4.0, 1.0]).amplification == pytest.approx(1.5)
    assert compare([8.0, 1.0], [4.0, 1.0]).amplification_among_labels is None


def test_what_is_lost_to_outside_leaves_the_exponent_among_labels_as_it_is() -> None:
    found = compare([0.92, 0.05, 0.02, 0.008, 0.002], NATURAL)
    assert found.amplification is not None
    assert found.amplification > 1.2
    assert found.amplification_among_labels == pytest.approx(1)


@pytest.mark.parametrize(
    ("predicted", "empirical"),
    [
        ([1.0, 0.0, 0.0], [0.5, 0.3, 0.2]),
        ([0.0, 0.5, 0.5], [1.0, 0.0, 0.0]),
        ([0.5, 0.3, 0.2], [1.0, 1.0, 1.0]),
        ([0.5, 0.3, 0.2], [0.1 + 0.2, 0.3, 0.3]),
    ],
)
def test_an_exponent_of_too_few_or_equal_shares_is_undefined(predicted: list[float], empirical: list[float]) -> None:
    found = compare(predicted, empirical)
    assert found.amplification is None
    assert found.amplification_among_labels is None


def test_a_label_without_gold_counts_in_the_distances_alone() -> None:
    without = compare([6.0, 3.0, 0.0, 1.0], [6.0, 3.0, 0.0, 1.0])
    found = compare([6.0, 3.0, 2.0, 1.0], [6.0, 3.0, 0.0, 1.0])
    assert found.tv == pytest.approx(1 / 6)
    assert found.kl > without.kl == 0
    assert found.amplification == pytest.approx(1)
    assert found.never_predicted == ()
    # every other label has lost a sixth, up to smoothing
    assert found.relative_error == pytest.approx(1 / 6, rel=0.01)


def test_smoothing_fades_with_the_number_of_tokens() -> None:
    few, many = compare([1.0, 0.0], [0.9, 0.1], tokens=10), compare([1.0, 0.0], [0.9, 0.1], tokens=10**9)
    assert few.kl < many.kl < math.inf
    assert few.relative_error < many.relative_error == pytest.approx((0.1 / 0.9 + 1) / 2)


def test_planted_truth_is_told_within_sampling_error() -> None:
    """A constant predictor of the planted marginals, against what was drawn from them."""
    tokens, rng = 200_000, np.random.default_rng(3)
    slopes = []
    for _ in range(50):
        found = compare(NATURAL * tokens, rng.multinomial(tokens, NATURAL).astype(np.float64), tokens=tokens)
        # 2 · tokens · KL is about χ² with 4 degrees of freedom: beyond 23.5 once in ten thousand
        assert 2 * tokens * found.kl < 23.5
        assert found.tv < 0.005
        assert found.amplification is not None
        slopes.append(found.amplification)
    # a share's logarithm has the standard error √((1 − p) / (p n)), at most 0.022 here
    assert np.abs(np.array(slopes) - 1).max() < 0.03
    assert np.mean(slopes) == pytest.approx(1, abs=0.003)


@pytest.mark.parametrize(
    ("predicted", "empirical", "labels", "tokens", "told"),
    [
        ([1.0, 1.0, 1.0], [1.0, 1.0], "AB", 5, r"predicted has shape \(3,\).* 2 labels"),
        ([1.0, 1.0], [[1.0, 1.0]], "AB", 5, r"empirical has shape \(1, 2\)"),
        ([1.0, -1.0], [1.0, 1.0], "AB", 5, r"predicted \[1\.0, -1\.0\]"),
        ([1.0, math.nan], [1.0, 1.0], "AB", 5, r"predicted \[1\.0, nan\]"),
        ([1.0, 1.0], [1.0, math.inf], "AB", 5, r"empirical \[1\.0, inf\]"),
        ([1.0, 1.0], [0.0, 0.0], "AB", 5, r"empirical \[0\.0, 0\.0\]"),
        ([], [], "", 5, r"empirical \[\]"),
        ([1.0, 1.0], [1.0, 1.0], "AA", 5, "2 labels have only 1 different names"),
        ([1.0, 1.0], [1.0, 1.0], "AB", 0, "shares of 0 tokens"),
    ],
)
def test_unusable_values_are_told(
    predicted: list[float], empirical: list[float], labels: str, tokens: int, told: str
) -> None:
    with pytest.raises(ValueError, match=told):
        fidelity(np.array(predicted), np.array(empirical), labels=labels, tokens=tokens)
