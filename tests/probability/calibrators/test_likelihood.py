"""The likelihood and its slopes against a slow sum and finite differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raretag.errors import DataError
from raretag.probability.calibrators import likelihood
from raretag.probability.calibrators.affine import label_precision
from raretag.probability.calibrators.likelihood import (
    curvature,
    expected_counts,
    likeliest_counts,
    minimum,
    negative_log_likelihood,
)
from raretag.probability.calibrators.rows import Features, Rows, judged_rows, log_features
from raretag.tagging import build_schema

Make = Callable[..., Any]


def draw(seed: int) -> tuple[Rows, np.random.Generator]:
    rng = np.random.default_rng(seed)
    shape = (int(rng.integers(1, 9)), int(rng.integers(1, 4)), int(rng.integers(1, 6)))
    shut = rng.random(shape) < 0.2
    shut[..., 0] = False
    weights = (rng.random(shape[:2]) < 0.7).astype(np.float64)
    z = np.where(shut, 0.0, rng.normal(size=shape) * 3)
    open_gold = np.where(shut, -np.inf, rng.random(shape)).argmax(axis=2)
    return Rows(z=z, shut=shut, gold=np.where(weights > 0, open_gold, 0), weights=weights), rng


def slow(rows: Rows, a: Any, b: Any) -> float:
    total = 0.0
    for t, layer in zip(*np.nonzero(rows.weights), strict=True):
        odds = np.exp(a[layer] * rows.z[t, layer] + b[layer]) * ~rows.shut[t, layer]
        total -= float(np.log(odds[rows.gold[t, layer]] / odds.sum()))
    return total


@given(seed=st.integers(0, 2**31))
@settings(deadline=None, derandomize=True, max_examples=40)
def test_value_and_slopes(seed: int) -> None:
    rows, rng = draw(seed)
    a, b = rng.uniform(0.2, 2, rows.z.shape[1:]), rng.normal(size=rows.z.shape[1:])
    value, by_scale, by_bias = negative_log_likelihood(rows, scales=a, biases=b)
    assert value == pytest.approx(slow(rows, a, b), abs=1e-9)
    step = 1e-5
    for place in np.ndindex(*a.shape):
        unit = np.zeros_like(a)
        unit[place] = step
        assert by_scale[place] == pytest.approx((slow(rows, a + unit, b) - slow(rows, a - unit, b)) / 2e-5, abs=1e-5)
        assert by_bias[place] == pytest.approx((slow(rows, a, b + unit) - slow(rows, a, b - unit)) / 2e-5, abs=1e-5)


@given(seed=st.integers(0, 2**31))
@settings(deadline=None, derandomize=True, max_examples=40)
def test_counts_and_curvature(seed: int) -> None:
    rows, rng = draw(seed)
    b = rng.normal(size=rows.z.shape[1:])
    odds = np.exp(rows.z + b) * ~rows.shut
    p = odds / odds.sum(axis=2, keepdims=True)
    weights = rows.weights[..., None]
    np.testing.assert_allclose(expected_counts(rows, biases=b), (weights * p).sum(axis=0), atol=1e-12)
    likeliest = p == p.max(axis=2, keepdims=True)
    np.testing.assert_array_equal(likeliest_counts(rows, biases=b), (weights * likeliest).sum(axis=0))
    step, none, one = 1e-4, np.zeros_like(b), np.ones_like(b)
    by_scale, by_bias = curvature(rows)
    for place in np.ndindex(*b.shape):
        unit = np.zeros_like(b)
        unit[place] = step
        up, down = (negative_log_likelihood(rows, scales=one + s * unit, biases=none)[1] for s in (1, -1))
        assert by_scale[place] == pytest.approx((up - down)[place] / 2e-4, abs=1e-4)
        up, down = (negative_log_likelihood(rows, scales=one, biases=s * unit)[2] for s in (1, -1))
        assert by_bias[place] == pytest.approx((up - down)[place] / 2e-4, abs=1e-4)


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, rng = draw(3)
    a, b = rng.uniform(0.2, 2, rows.z.shape[1:]), rng.normal(size=rows.z.shape[1:])
    whole = negative_log_likelihood(rows, scales=a, biases=b)
    monkeypatch.setattr(likelihood, "_CELLS", 1)
    parts = negative_log_likelihood(rows, scales=a, biases=b)
    assert parts[0] == pytest.approx(whole[0])
    np.testing.assert_allclose(parts[1:], whole[1:], atol=1e-9)


def test_a_minimum_in_bounds() -> None:
    def bowl(x: Any) -> tuple[float, Any]:
        away, weights = x - np.array([3.0, -1.0]), np.array([1e4, 1.0])
        return float((weights * away**2).sum()), 2 * weights * away

    bounds = [(-2.0, 2.0), (-2.0, 2.0)]
    found = minimum(bowl, start=np.zeros(2), curvatures=np.array([1e4, 1.0]), bounds=bounds)
    np.testing.assert_allclose(found, [2.0, -1.0], atol=1e-6)


@pytest.mark.parametrize("features", ["log-probability", "centred"])
def test_logarithms(features: Features) -> None:
    p = np.array([[0.5, 0.25, 0.25, 0.0], [1.0, 0.0, 0.0, 0.0]], dtype=np.float32)
    z, shut = log_features(p, features=features)
    np.testing.assert_array_equal(shut, p == 0)
    expected = np.log([0.5, 0.25, 0.25]) - (np.log(0.5 * 0.25 * 0.25) / 3 if features == "centred" else 0)
    np.testing.assert_allclose(z, [[*expected, 0.0], [0.0, 0.0, 0.0, 0.0]], atol=1e-12)


def test_gold_that_the_model_shut_is_left_out(world: Make) -> None:
    one = world("BIO", ignored=0.5)
    p = one.truth.copy()
    p[:, 1] = 0.0
    p /= p.sum(axis=1, keepdims=True)
    rows = judged_rows(one.evidence(p))
    np.testing.assert_array_equal(
        rows.counts[0], np.bincount(one.tags[one.tags >= 0], minlength=7) * (np.arange(7) != 1)
    )
    with pytest.raises(DataError, match="never predicts"):
        judged_rows(one.evidence(p, tags=np.where(one.tags == 1, 1, -100)))


def test_tags_of_a_label_belong_together() -> None:
    precision = label_precision(build_schema(["A", "B"]))
    expected = np.eye(5)
    expected[1:3, 1:3] = expected[3:, 3:] = [[4 / 3, -2 / 3], [-2 / 3, 4 / 3]]
    np.testing.assert_allclose(precision, expected, atol=1e-12)
    np.testing.assert_allclose(label_precision(build_schema(["A", "B"], layered=True)), expected[:3, :3], atol=1e-12)
    np.testing.assert_array_equal(label_precision(build_schema(["A", "B"], scheme="IO")), np.eye(3))
