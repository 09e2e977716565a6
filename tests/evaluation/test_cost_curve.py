from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from raretag.decision.outcomes import Outcomes
from raretag.evaluation.cost_curve import RATIOS, cost_curve, normalised_cost

from .conftest import outcomes_of


def test_a_case_by_hand() -> None:
    one = outcomes_of(
        2, ["A"], gold=[5, 5], missed=[2, 1], wrong_label=[1, 0], wrong_label_as=[0, 1], false_alarms=[4, 1]
    )
    # 4 misses and 6 false alarms
    assert normalised_cost(one, ratio=2) == pytest.approx((2 * 4 + 6) / 20)
    assert normalised_cost(one, ratio=0.5) == pytest.approx((0.5 * 4 + 6) / 5)


@pytest.mark.parametrize("ratio", RATIOS)
def test_marking_nothing_costs_1_and_finding_all_0(ratio: float) -> None:
    assert normalised_cost(outcomes_of(1, ["A", "B"], gold=[[3, 4]], missed=[[3, 4]]), ratio=ratio) == pytest.approx(1)
    assert normalised_cost(outcomes_of(1, ["A", "B"], gold=[[3, 4]], found=[[3, 4]]), ratio=ratio) == 0


def test_the_rule_that_knows_the_ratio_is_nowhere_dearer_than_one_threshold() -> None:
    rng = np.random.default_rng(0)
    p = rng.beta(0.4, 0.8, 20_000)
    there = rng.random(len(p)) < p

    def above(threshold: float) -> Outcomes:
        marked = p > threshold
        return outcomes_of(
            1, ["A"], gold=there.sum(), missed=(there & ~marked).sum(), false_alarms=(marked & ~there).sum()
        )

    curve = cost_curve({"half": lambda _: above(0.5), "bayes": lambda ratio: above(1 / (1 + ratio))})
    assert curve.ratios == RATIOS
    for half, bayes in zip(curve.rules["half"], curve.rules["bayes"], strict=True):
        assert half is not None
        assert bayes is not None
        assert bayes <= half + 0.005
        assert bayes <= 1
    # alike at 1 : 1, where the first one is named
    assert curve.cheapest == ("bayes",) * 3 + ("half",) + ("bayes",) * 3


def test_reviews_cost_what_is_told_and_never_silently_nothing() -> None:
    one = outcomes_of(1, ["A"], gold=[4], missed=[1], reviewed=[3], reviews=[5])
    assert normalised_cost(one, ratio=2, review=0.4) == pytest.approx((2 + 2) / 8)
    with pytest.raises(ValueError, match="5 stretches"):
        normalised_cost(one, ratio=2)
    with pytest.raises(ValueError, match="finite"):
        normalised_cost(one, ratio=2, review=-1)


def test_without_gold_nothing_is_defined() -> None:
    curve = cost_curve({"any": lambda _: outcomes_of(1, ["A"], false_alarms=[2])}, ratios=(1,))
    assert curve.rules == {"any": (None,)}
    assert curve.cheapest == (None,)


@pytest.mark.parametrize("ratio", [0, -1, float("inf"), float("nan")])
def test_ratios_out_of_range_are_refused(ratio: Any) -> None:
    with pytest.raises(ValueError, match="ratios"):
        cost_curve({}, ratios=(1, ratio))
