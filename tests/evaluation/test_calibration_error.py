from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from raretag.evaluation.calibration_error import calibration_error, calibration_error_interval, calibration_noise
from raretag.evaluation.intervals import bootstrap_weights

BINNINGS: list[Any] = ["equal_width", "equal_mass"]


def test_a_case_by_hand() -> None:
    c, right = np.array([0.95, 0.95, 0.65, 0.62]), np.array([True, False, True, True])
    # bins of equal width: (1 − 1.9) and (2 − 1.27), of 4
    assert calibration_error(c, right) == pytest.approx((0.9 + 0.73) / 4)
    # two of equal mass are the same bins; four keep the tie together
    assert calibration_error(c, right, binning="equal_mass", bins=2) == pytest.approx((0.9 + 0.73) / 4)
    assert calibration_error(c, right, binning="equal_mass", bins=4) == pytest.approx((0.38 + 0.35 + 0.9) / 4)


@pytest.mark.parametrize("binning", BINNINGS)
def test_perfect_probabilities_come_near_0_as_noise_says(binning: Any) -> None:
    rng = np.random.default_rng(0)
    before = 1.0
    for n in (300, 10_000, 300_000):
        c = rng.beta(2, 1, n)
        error = calibration_error(c, rng.random(n) < c, binning=binning)
        noise = calibration_noise(c, binning=binning)
        assert error is not None
        assert noise is not None
        assert error < before
        assert 0.4 < error / noise < 1.9
        before = error
    assert before < 0.004


@pytest.mark.parametrize("binning", BINNINGS)
def test_overconfidence_has_its_known_value(binning: Any) -> None:
    rng = np.random.default_rng(1)
    c = rng.uniform(0.5, 1, 400_000)
    error = calibration_error(c, rng.random(len(c)) < c - 0.2, binning=binning)
    assert error == pytest.approx(0.2, abs=0.004)


@pytest.mark.parametrize("binning", BINNINGS)
def test_neither_order_nor_dtype_matters(binning: Any) -> None:
    rng = np.random.default_rng(2)
    c = np.round(rng.random(200), 1)
    right = rng.random(200) < 0.5
    order = rng.permutation(200)
    error = calibration_error(c, right, binning=binning)
    assert calibration_error(c[order], right[order], binning=binning) == pytest.approx(error)
    assert calibration_error(c.astype(np.float32), right.astype(np.int64), binning="equal_mass") == pytest.approx(
        calibration_error(c, right, binning="equal_mass"), abs=1e-6
    )


def test_noise_is_the_mean_error_of_true_probabilities() -> None:
    rng = np.random.default_rng(3)
    c = rng.beta(3, 1, 400)
    drawn = [calibration_error(c, rng.random(400) < c) for _ in range(300)]
    assert calibration_noise(c) == pytest.approx(np.mean([d for d in drawn if d is not None]), rel=0.05)
    assert calibration_noise(np.array([0.0, 1.0, 1.0])) == 0


def test_nothing_has_no_error() -> None:
    none = np.zeros(0)
    assert calibration_error(none, none) is None
    assert calibration_error(none, none, binning="equal_mass") is None
    assert calibration_noise(none) is None
    owners = np.zeros(0, dtype=np.int64)
    assert calibration_error_interval(none, none, owners=owners, groups=["a", "b"], resamples=50) is None


@pytest.mark.parametrize("binning", BINNINGS)
def test_a_resample_is_the_error_of_its_documents_put_together(binning: Any) -> None:
    rng = np.random.default_rng(4)
    owners = np.sort(rng.integers(0, 6, 80))
    c = rng.random(80)
    right = rng.random(80) < 0.6
    found = calibration_error_interval(
        c, right, owners=owners, groups=[*range(6)], binning="equal_width", resamples=150, seed=5
    )
    errors = []
    for weights in np.concatenate(list(bootstrap_weights(6, resamples=150, seed=5))):
        drawn = np.concatenate([np.flatnonzero(owners == unit) for unit in range(6) for _ in range(weights[unit])])
        errors.append(calibration_error(c[drawn], right[drawn]))
    low, high = np.quantile([e for e in errors if e is not None], [0.025, 0.975])
    assert found == pytest.approx((low, high))
    point = calibration_error(c, right, binning=binning)
    wide = calibration_error_interval(c, right, owners=owners, groups=[*range(6)], binning=binning, seed=5)
    assert wide is not None
    assert point is not None
    assert wide[0] - 0.1 < point < wide[1]


def test_patients_are_drawn_as_a_whole() -> None:
    c, right, owners = np.array([0.9, 0.9, 0.9]), np.array([1, 0, 1]), np.arange(3)
    assert calibration_error_interval(c, right, owners=owners, groups=["p", "p", "p"]) is None
    apart = calibration_error_interval(c, right, owners=owners, groups=["p", "q", "r"])
    together = calibration_error_interval(c, right, owners=owners, groups=["p", "p", "q"])
    assert apart is not None
    assert together is not None
    # only where documents are apart can the wrong one be drawn alone
    assert apart[1] == pytest.approx(0.9)
    assert together[1] == pytest.approx(0.4)


def test_an_owner_without_a_group_is_refused() -> None:
    with pytest.raises(ValueError, match="owner"):
        calibration_error_interval(np.array([0.5]), np.array([1]), owners=np.array([2]), groups=["a", "b"])
