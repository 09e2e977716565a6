import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from raretag.errors import UsageError
from raretag.evaluation.intervals import bootstrap_weights, percentile_interval, resample
from raretag.evaluation.rates import RECALL, micro_rates


def test_each_row_of_weights_draws_as_many_units_as_there_are() -> None:
    weights = np.concatenate(list(bootstrap_weights(7, resamples=450, seed=0)))
    assert weights.shape == (450, 7)
    assert (weights.sum(axis=1) == 7).all()
    # with replacement: the variance of each weight is 1 - 1/n
    assert abs(weights.var() - 6 / 7) < 0.08


@given(st.integers(2, 6), st.integers(1, 4), st.integers(0, 5))
def test_resampled_totals_equal_a_plain_loop_with_the_same_weights(units: int, labels: int, seed: int) -> None:
    values = np.random.default_rng(seed).integers(0, 9, size=(units, labels, 3))
    found = resample(values, groups=list(range(units)), resamples=30, seed=seed)
    weights = np.concatenate(list(bootstrap_weights(units, resamples=30, seed=seed)))
    for row, weight in zip(found, weights, strict=True):
        expected = np.zeros((labels, 3), dtype=np.int64)
        for times, unit in zip(weight, values, strict=True):
            for _ in range(times):
                expected += unit
        assert row.tolist() == expected.tolist()


def test_a_patient_comes_or_goes_as_a_whole() -> None:
    values = np.eye(4, dtype=np.int64)[:, :, None] * np.ones(3, dtype=np.int64)
    found = resample(values, groups=["p", "q", "p", "r"], resamples=200, seed=0)
    assert (found[:, 0] == found[:, 2]).all()
    assert (found[:, 0] != found[:, 1]).any()


@pytest.mark.parametrize("groups", [["a"], ["p", "p", "p"]])
def test_one_unit_alone_gives_no_resample(groups: list[str]) -> None:
    values = np.ones((len(groups), 2, 3), dtype=np.int64)
    assert resample(values, groups=groups, resamples=100, seed=0).shape == (0, 2, 3)


def test_percentiles_leave_out_what_is_undefined_and_give_up_below_one_half() -> None:
    samples = np.arange(1001.0) / 1000
    assert percentile_interval(samples) == pytest.approx((0.025, 0.975))
    assert percentile_interval(np.append(samples, [np.nan] * 1001)) == pytest.approx((0.025, 0.975))
    assert percentile_interval(np.append(samples, [np.nan] * 1002)) is None
    assert percentile_interval(np.array([])) is None


def test_the_interval_covers_a_binomial_share_about_95_times_of_100() -> None:
    rng = np.random.default_rng(1)
    trials, documents, share = 200, 100, 0.7
    inside = 0
    for trial in range(trials):
        values = np.ones((documents, 1, 3), dtype=np.int64)
        values[:, 0, 2] = rng.random(documents) < share
        drawn = resample(values, groups=list(range(documents)), resamples=300, seed=trial)
        interval = percentile_interval(micro_rates(drawn)[:, RECALL])
        assert interval is not None
        inside += interval[0] <= share <= interval[1]
    assert 0.89 <= inside / trials <= 0.99


@pytest.mark.parametrize(("resamples", "seed"), [(-1, 0), (10, -1)])
def test_negative_settings_are_wrong_usage(resamples: int, seed: int) -> None:
    with pytest.raises(UsageError, match="whole numbers from 0"):
        resample(np.ones((2, 1, 3), dtype=np.int64), groups=["a", "b"], resamples=resamples, seed=seed)
