"""Curves and ledgers of several seeds as one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from raretag.experiments.biaslab.results import BiasLabResults, Run, Shares
from raretag.reporting.biaslab.curves import amplification_curve, memorised_curve
from raretag.reporting.biaslab.ledger_shares import mean_shares

Make = Callable[..., BiasLabResults]


def with_ledger(run: Run, *, steps: tuple[int, ...], loss: tuple[tuple[float | None, ...], ...]) -> Run:
    ledger = Shares(labels=("O", "M"), steps=steps, loss=loss, gradient=loss, pull=loss, push=loss)
    return run.model_copy(update={"ledger": ledger})


def test_a_curve_is_the_mean_of_its_seeds_between_least_and_greatest(make_results: Make) -> None:
    runs = make_results(mechanisms={"one": 1.0}, seeds=(1, 2, 3), steps=(3, 7)).runs
    curve = amplification_curve(runs)
    assert curve.steps.tolist() == [3, 7]
    # exponents 0.9, 1.0, 1.1, halved at step 3
    assert np.allclose([curve.low, curve.mean, curve.high], [[0.45, 0.9], [0.5, 1.0], [0.55, 1.1]])
    assert curve.last is not None
    assert np.isclose(curve.last, 1.0)
    assert memorised_curve(runs).mean.tolist() == [3 / 400, 7 / 400]


def test_an_undefined_exponent_leaves_the_mean_to_the_other_seeds(make_results: Make) -> None:
    defined = make_results(mechanisms={"one": 1.5}, seeds=(1,), steps=(3, 7)).runs
    nothing = make_results(mechanisms={"one": None}, seeds=(2,), steps=(3, 7, 9)).runs
    curve = amplification_curve([*defined, *nothing])
    assert np.allclose(curve.mean, [0.75, 1.5, np.nan], equal_nan=True)
    assert curve.last == 1.5
    assert amplification_curve(nothing).last is None
    assert amplification_curve([]).last is None


def test_shares_are_means_over_the_seeds_that_have_them(make_results: Make) -> None:
    one, two = make_results(labels=("O", "M"), marginals={"m": (0.6, 0.4)}, mechanisms={"one": 1.0}).runs
    found = mean_shares(
        [
            with_ledger(one, steps=(10, 20, 30), loss=((0.2, 0.8), (None, None), (None, None))),
            with_ledger(two, steps=(10, 20, 40), loss=((0.4, 0.6), (0.5, 0.5), (1.5, -0.5))),
        ]
    )
    assert found.labels == ("O", "M")
    assert found.edges.tolist() == [0, 10, 20, 30, 40]
    nothing = [np.nan, np.nan]
    assert np.allclose(found.loss, [[0.3, 0.7], [0.5, 0.5], nothing, nothing], equal_nan=True)
    assert np.allclose(found.gradient, found.loss, equal_nan=True)


def test_no_run_and_no_window_give_no_share(make_results: Make) -> None:
    (run,) = make_results(labels=("O", "M"), marginals={"m": (0.6, 0.4)}, mechanisms={"one": 1.0}, seeds=(1,)).runs
    for runs in ([], [with_ledger(run, steps=(), loss=())]):
        found = mean_shares(runs)
        assert found.edges.tolist() == [0]
        assert len(found.loss) == 0
