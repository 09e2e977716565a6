from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import calibration

from raretag.evaluation.reliability import (
    bin_numbers,
    bin_sums,
    gap,
    reliability,
    reliability_bins,
    reliability_by_group,
)

# coarse numbers among them, so that there are ties and edges
ITEMS = st.lists(
    st.tuples(st.one_of(st.integers(0, 15).map(lambda k: k / 15), st.floats(0, 1)), st.booleans()), max_size=60
)


def rows(items: list[tuple[float, bool]]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    return np.array([c for c, _ in items], dtype=np.float64), np.array([right for _, right in items], dtype=np.bool_)


def test_an_edge_belongs_to_the_bin_below_and_0_to_the_first() -> None:
    c = np.array([0.0, 1e-9, 1 / 15, 1 / 15 + 1e-9, 0.2, 14 / 15, 1.0, 1.0000001])
    assert bin_numbers(c, binning="equal_width").tolist() == [0, 0, 0, 1, 2, 13, 14, 14]


def test_bins_of_equal_mass_hold_equally_many_and_never_part_ties() -> None:
    c = np.arange(30) / 30
    assert np.bincount(bin_numbers(c, binning="equal_mass")).tolist() == [2] * 15
    tied = np.array([0.1] * 20 + [0.2, 0.3, 0.4, 0.5])
    numbers = bin_numbers(tied, binning="equal_mass", bins=4)
    assert numbers.tolist() == [0] * 20 + [1] * 4
    assert bin_numbers(np.array([0.3, 0.1]), binning="equal_mass").tolist() == [1, 0]


@settings(deadline=None)
@given(ITEMS, st.integers(1, 20), st.randoms(use_true_random=False))
def test_masses_differ_by_what_ties_and_rounding_make(items: list[tuple[float, bool]], bins: int, random: Any) -> None:
    c, _ = rows(items)
    numbers = bin_numbers(c, binning="equal_mass", bins=bins)
    order = [*range(len(items))]
    random.shuffle(order)
    assert bin_numbers(c[order], binning="equal_mass", bins=bins).tolist() == numbers[order].tolist()
    assert (np.diff(numbers[np.argsort(c)]) >= 0).all()
    for value in {*c.tolist()}:
        assert len({*numbers[c == value].tolist()}) == 1
    if len({*c.tolist()}) == len(c) and len(c):
        sizes = np.bincount(numbers)
        assert sizes[sizes > 0].max() <= -(-len(c) // bins)


@settings(deadline=None)
@given(ITEMS, st.sampled_from(["equal_width", "equal_mass"]))
def test_sums_and_gap_are_those_of_plain_loops(items: list[tuple[float, bool]], binning: Any) -> None:
    c, right = rows(items)
    numbers = bin_numbers(c, binning=binning)
    sums = bin_sums(numbers, c, right)
    total = 0.0
    for number in range(15):
        inside = [item for item, own in zip(items, numbers, strict=True) if own == number]
        count, sure, correct = len(inside), sum(x for x, _ in inside), sum(y for _, y in inside)
        assert sums[number] == pytest.approx([count, sure, correct])
        if binning == "equal_width":
            assert all(x <= (number + 1) / 15 and (x > number / 15 or number == 0) for x, _ in inside)
        if count:
            total += count / len(items) * abs(correct / count - sure / count)
    assert float(gap(sums)) == pytest.approx(total, abs=1e-12, nan_ok=True) if items else np.isnan(gap(sums))


def test_the_table_by_hand() -> None:
    c, right = np.array([0.05, 0.06, 0.9, 0.96, 0.94]), np.array([0, 1, 1, 1, 0])
    low, high, top = reliability_bins(c, right)
    assert (low.above, low.up_to, low.count, low.correct) == (0.0, 1 / 15, 2, 0.5)
    assert low.confidence == pytest.approx(0.055)
    assert (high.above, high.up_to, high.count, high.confidence, high.correct) == (13 / 15, 14 / 15, 1, 0.9, 1.0)
    assert (top.count, top.correct) == (2, 0.5)
    masses = reliability_bins(c, right, binning="equal_mass", bins=2)
    assert [(b.above, b.up_to, b.count) for b in masses] == [(0.05, 0.9, 3), (0.94, 0.96, 2)]


def test_the_table_is_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    c = rng.random(500)
    right = rng.random(500) < c**2
    shares, means = calibration.calibration_curve(right, c, n_bins=15)
    found = reliability_bins(c, right)
    assert [b.correct for b in found] == pytest.approx(shares)
    assert [b.confidence for b in found] == pytest.approx(means)


def test_groups_are_told_apart_and_named_though_empty() -> None:
    c, right = np.array([0.8, 0.6, 0.5]), np.array([True, False, True])
    found = reliability_by_group(c, right, labels=np.array([0, 2, 0]), groups=("head", "medium", "tail"))
    assert [*found] == ["head", "medium", "tail"]
    assert found["head"] == reliability(c[[0, 2]], right[[0, 2]])
    assert found["tail"].ece == pytest.approx(0.6)
    assert (found["medium"].count, found["medium"].ece, found["medium"].confidence) == (0, None, None)
    merged = reliability_by_group(c, right, labels=np.array([0, 2, 0]), groups=("head", "medium", "head"))
    assert merged["head"] == reliability(c, right)


@pytest.mark.parametrize(
    ("c", "right"),
    [
        ([0.5, 1.1], [1, 1]),
        ([-0.1], [1]),
        ([np.nan], [1]),
        ([0.5], [2]),
        ([0.5], [0.5]),
        ([0.5], [1, 0]),
        ([[1]], [[1]]),
    ],
)
def test_what_is_no_probability_or_no_answer_is_refused(c: Any, right: Any) -> None:
    with pytest.raises(ValueError, match=r"confidences|correct"):
        reliability(np.array(c, dtype=np.float64), np.array(right))


def test_labels_without_a_group_and_unknown_bins_are_refused() -> None:
    for label in (1, -1):
        with pytest.raises(ValueError, match="label"):
            reliability_by_group(np.array([0.5]), np.array([1]), labels=np.array([label]), groups=("head",))
    wrong: Any = "log"
    with pytest.raises(ValueError, match="binning"):
        bin_numbers(np.array([0.5]), binning=wrong)
    with pytest.raises(ValueError, match="0 bins"):
        bin_numbers(np.array([0.5]), binning="equal_mass", bins=0)
