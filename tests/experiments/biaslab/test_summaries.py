"""Over seeds: means with least and greatest, by mechanism and marginals."""

from __future__ import annotations

import pytest

from raretag.experiments.biaslab.mechanisms import PRESETS, Mechanism
from raretag.experiments.biaslab.results import PARTS, PRIORS, READINGS, Spread, Summary
from raretag.experiments.biaslab.summaries import summarise

from .conftest import make_measurement, make_run

ONE = {"all-classes": PRESETS["all-classes"]}


def only(*runs: object) -> Summary:
    (found,) = summarise(runs, mechanisms=ONE)  # type: ignore[arg-type]
    return found


def test_figures_are_means_with_least_and_greatest() -> None:
    low = make_measurement(10, tv=0.1, p_value=0.01, predicted=(0.9, 0.1), amplification=2.0, memorised=0.2)
    high = make_measurement(10, tv=0.3, p_value=0.5, predicted=(0.7, 0.3), amplification=1.0, memorised=0.4)
    found = only(make_run([low], seed=4), make_run([high], seed=2, seconds=2.0))
    assert found.seeds == (4, 2)
    assert found.seconds == 3.5
    assert found.about == PRESETS["all-classes"].about
    assert len(found.end.cells) == len(PARTS) * len(READINGS) * len(PRIORS)
    soft = found.end.cell("held_out", "soft", "raw")
    assert soft.predicted == pytest.approx((0.8, 0.2))
    assert soft.tv == Spread(mean=0.2, low=0.1, high=0.3, seeds=2)
    assert soft.p_value == Spread(mean=0.255, low=0.01, high=0.5, seeds=2)
    assert soft.amplification == Spread(mean=1.5, low=1.0, high=2.0, seeds=2)
    assert found.end.memorised == Spread(mean=(0.2 + 0.4) / 2, low=0.2, high=0.4, seeds=2)


def test_undefined_figures_are_left_out_and_counted() -> None:
    defined, undefined = (make_measurement(5, amplification=value, p_value=None) for value in (3.0, None))
    soft = only(make_run([defined]), make_run([undefined], seed=2)).end.cell("training", "soft", "restored")
    assert soft.amplification == Spread(mean=3.0, low=3.0, high=3.0, seeds=1)
    assert soft.p_value == Spread(mean=None, low=None, high=None, seeds=0)


def test_each_cell_is_summed_up_with_its_like() -> None:
    curve = make_measurement(5, change={"held_out": {"tv": 0.9}})
    found = only(make_run([curve])).end
    for part, tv in (("training", 0.1), ("held_out", 0.9)):
        for reading in READINGS:
            for prior in PRIORS:
                assert found.cell(part, reading, prior).tv.mean == tv  # type: ignore[arg-type]


def test_labels_that_were_never_predicted_are_counted_over_seeds() -> None:
    lost, kept = make_measurement(5, never_predicted=("A",)), make_measurement(5)
    runs = [make_run([one], seed=seed) for seed, one in enumerate([lost, kept, lost])]
    assert only(*runs).end.cell("training", "hard", "raw").never_predicted == {"A": 2}
    assert only(make_run([kept])).end.cell("training", "hard", "raw").never_predicted == {}


def test_before_is_the_last_time_that_little_was_memorised() -> None:
    curve = [make_measurement(step, memorised=known) for step, known in ((1, 0.0), (5, 0.09), (9, 0.1), (20, 0.8))]
    other = [make_measurement(step, memorised=known) for step, known in ((1, 0.0), (5, 0.5), (9, 0.02), (20, 0.3))]
    found = only(make_run(curve), make_run(other, seed=2))
    assert found.before is not None
    assert found.before.step == Spread(mean=7.0, low=5, high=9, seeds=2)
    assert found.end.step == Spread(mean=20.0, low=20, high=20, seeds=2)


def test_where_a_seed_was_never_before_there_is_no_before() -> None:
    early, late = make_measurement(1, memorised=0.0), make_measurement(1, memorised=0.5)
    assert only(make_run([early]), make_run([late], seed=2)).before is None
    # and where nothing is ever memorised, it is the end
    still = only(make_run([early, make_measurement(9, memorised=-0.1)]))
    assert still.before == still.end


def test_summaries_are_in_the_order_of_marginals_and_mechanisms() -> None:
    mechanisms = {"b": Mechanism(about="second letter"), "a": Mechanism(about="first letter")}
    runs = [
        make_run([make_measurement(1)], mechanism=name, marginals=marginals, seed=seed)
        for seed in (1, 2)
        for marginals in ("99/1 %", "60/40 %")
        for name in ("a", "b")
    ]
    found = summarise(runs, mechanisms=mechanisms)
    assert [(one.marginals, one.mechanism, one.about, one.seeds) for one in found] == [
        ("99/1 %", "b", "second letter", (1, 2)),
        ("99/1 %", "a", "first letter", (1, 2)),
        ("60/40 %", "b", "second letter", (1, 2)),
        ("60/40 %", "a", "first letter", (1, 2)),
    ]


def test_shares_of_planted_and_drawn_labels_are_means() -> None:
    first, second = make_run([make_measurement(1)]), make_run(
        [make_measurement(1)], seed=2, empirical={"training": (0.6, 0.4), "held_out": (0.5, 0.5)},
        effective_prior=(0.5, 0.5),
    )  # fmt: skip
    found = only(first, second)
    assert found.empirical["training"] == pytest.approx((0.66, 0.34))
    assert found.empirical["held_out"] == pytest.approx((0.59, 0.41))
    assert found.planted["training"] == pytest.approx((0.7, 0.3))
    assert found.effective_prior == pytest.approx((0.6, 0.4))


def test_nothing_trained_is_nothing_summed_up() -> None:
    assert summarise([], mechanisms=ONE) == ()
