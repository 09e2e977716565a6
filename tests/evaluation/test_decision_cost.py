from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raretag.decision.cost_table import CostTable
from raretag.decision.costs import Costs
from raretag.errors import UsageError
from raretag.evaluation.decision_cost import decision_cost, document_costs
from raretag.tagging import build_schema

from .conftest import outcomes_of

LABELS = ("DRUG", "SIGN")


def priced(*, review: float | None = 2, wrong_label: float | None = None, **labels: dict[str, float]) -> Costs:
    default = {"miss": 10, "false_alarm": 1, "wrong_label": wrong_label}
    return Costs.model_validate({"currency": "EUR", "default": default, "labels": labels, "review": review})


def test_a_case_by_hand() -> None:
    outcomes = outcomes_of(
        2,
        LABELS,
        gold=[[4, 3], [0, 1]],
        found=[[1, 1], [0, 0]],
        missed=[[1, 2], [0, 0]],
        wrong_label=[[1, 0], [0, 0]],
        wrong_label_as=[[0, 1], [0, 0]],
        false_alarms=[[0, 3], [2, 0]],
        reviewed=[[1, 0], [0, 1]],
        reviews=[2, 1],
    )
    costs = priced(DRUG={"miss": 50, "false_alarm": 4}, SIGN={"false_alarm": 3})
    parts = document_costs(outcomes, costs=costs)
    assert parts.misses.tolist() == [50 + 20, 0]
    assert parts.false_alarms.tolist() == [9, 8]
    # a DRUG missed, a SIGN marked where there is none
    assert parts.wrong_labels.tolist() == [53, 0]
    assert parts.reviews.tolist() == [4, 2]
    found = decision_cost(outcomes, costs=costs, resamples=100)
    assert (found.currency, found.documents) == ("EUR", 2)
    assert found.per_1000_notes == 500 * (136 + 10)
    assert (found.misses, found.false_alarms, found.wrong_labels, found.reviews) == (35000, 8500, 26500, 3000)
    assert found.per_1000_notes_interval == (10_000, 136_000)


@pytest.mark.parametrize(
    ("costs", "expected"),
    [
        (priced(wrong_label=7), 14),
        (priced(wrong_label=7, DRUG={"wrong_label": 5}), 12),
        (priced(wrong_label=7, SIGN={"wrong_label": 0}), 7),
        # without a price: a miss of the gold label and a false alarm of the other
        (priced(DRUG={"wrong_label": 5}), 5 + 10 + 1),
        (priced(DRUG={"wrong_label": 5, "false_alarm": 3}), 5 + 10 + 3),
        (priced(), 22),
        # the default's price was not weighed against a miss of 500
        (priced(wrong_label=7, DRUG={"miss": 500}), 500 + 1 + 7),
        (priced(wrong_label=7, DRUG={"miss": 500, "wrong_label": 6}), 6 + 7),
        (priced(wrong_label=7, DRUG={"false_alarm": 3}), 10 + 1 + 7),
    ],
)
def test_a_wrong_label_has_its_own_price_or_that_of_two_errors(costs: Costs, expected: float) -> None:
    outcomes = outcomes_of(
        1, LABELS, gold=[[1, 1]], wrong_label=[[1, 1]], wrong_label_as=[[1, 1]], mislabelled=[(0, 0, 1), (0, 1, 0)]
    )
    assert document_costs(outcomes, costs=costs).wrong_labels.tolist() == [expected]


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 10_000), st.sampled_from([None, 6.0]))
def test_costs_are_those_of_errors_one_by_one(seed: int, default: float | None) -> None:
    rng = np.random.default_rng(seed)
    labels = ("A", "B", "C", "D")
    own: dict[str, Any] = {
        label: {"miss": float(rng.integers(1, 9)), "false_alarm": float(rng.integers(1, 9))} for label in labels[:2]
    }
    own["A"]["wrong_label"] = float(rng.integers(0, 9))
    own["D"] = {"wrong_label": 3.5}
    costs = priced(wrong_label=default, **own)
    # of B, with costs of its own, the default's wrong label is not taken over
    wrong = {"A": own["A"]["wrong_label"], "B": None, "C": default, "D": 3.5}
    expected: list[float] = []
    names = ("missed", "false_alarms", "wrong_label", "wrong_label_as")
    counts: dict[str, Any] = {name: np.zeros((4, 4), dtype=np.int64) for name in names}
    pairs = []
    for document in range(4):
        expected.append(0.0)
        for _ in range(rng.integers(0, 8)):
            gold, as_label = rng.choice(4, 2, replace=False)
            miss = own.get(labels[gold], {}).get("miss", 10.0)
            false_alarm = own.get(labels[as_label], {}).get("false_alarm", 1.0)
            kind = str(rng.choice(["missed", "false_alarms", "wrong_label"]))
            counts[kind][document, as_label if kind == "false_alarms" else gold] += 1
            if kind == "missed":
                expected[-1] += miss
            elif kind == "false_alarms":
                expected[-1] += false_alarm
            else:
                counts["wrong_label_as"][document, as_label] += 1
                pairs.append((document, gold, as_label))
                price = wrong[labels[gold]]
                expected[-1] += miss + false_alarm if price is None else price
    outcomes = outcomes_of(4, labels, mislabelled=pairs, **counts)
    assert document_costs(outcomes, costs=costs).total.tolist() == pytest.approx(expected)
    assert decision_cost(outcomes, costs=costs, resamples=0).per_1000_notes == pytest.approx(250 * sum(expected))
    # the table that the rule of costs decides with says the same
    table = CostTable.of(costs, build_schema(labels))
    for _, gold, as_label in pairs:
        one = outcomes_of(1, labels, mislabelled=[(0, gold, as_label)])
        assert document_costs(one, costs=costs).wrong_labels.tolist() == [table.wrong_label[gold, as_label]]


def test_the_interval_holds_the_mean_and_patients_are_drawn_whole() -> None:
    rng = np.random.default_rng(0)
    missed = rng.poisson(2, (60, 2))
    apart = decision_cost(outcomes_of(60, LABELS, missed=missed), costs=priced())
    assert apart.per_1000_notes is not None
    assert apart.per_1000_notes_interval is not None
    low, high = apart.per_1000_notes_interval
    assert low < apart.per_1000_notes < high
    spread = 1000 * 10 * missed.sum(axis=1).std() / 60**0.5
    assert high - low == pytest.approx(2 * 1.96 * spread, rel=0.1)
    patients: Any = [("group", str(number // 30)) for number in range(60)]
    two = decision_cost(outcomes_of(60, LABELS, missed=missed, groups=patients), costs=priced())
    assert two.per_1000_notes_interval is not None
    sides = sorted(10_000 * missed[half].sum() / 30 for half in (slice(0, 30), slice(30, 60)))
    assert two.per_1000_notes_interval == pytest.approx(tuple(sides))
    # one patient with 45 notes, another with 15: each is drawn with the number of its notes
    uneven: Any = [("group", str(number // 45)) for number in range(60)]
    found = decision_cost(outcomes_of(60, LABELS, missed=missed, groups=uneven), costs=priced())
    sides = sorted(10_000 * missed[part].sum() / len(missed[part]) for part in (slice(0, 45), slice(45, 60)))
    assert found.per_1000_notes_interval == pytest.approx(tuple(sides))
    same: Any = [("group", "p")] * 60
    assert decision_cost(outcomes_of(60, LABELS, groups=same), costs=priced()).per_1000_notes_interval is None


def test_no_document_costs_nothing_that_could_be_told() -> None:
    found = decision_cost(outcomes_of(0, LABELS), costs=priced())
    assert (found.documents, found.per_1000_notes, found.reviews, found.per_1000_notes_interval) == (
        0,
        None,
        None,
        None,
    )


def test_reviews_without_a_price_are_refused() -> None:
    with pytest.raises(UsageError, match=r"3 stretches .* Give costs.review"):
        document_costs(outcomes_of(2, LABELS, reviews=[1, 2]), costs=priced(review=None))
    assert document_costs(outcomes_of(2, LABELS), costs=priced(review=None)).reviews.tolist() == [0, 0]
