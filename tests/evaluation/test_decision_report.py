"""A policy beside argmax: counts that add up, prices by hand, promises by document, and curves that rise."""

from __future__ import annotations

import json
from typing import Any

import pytest

from raretag.corpus import Document, Mention
from raretag.decision.costs import Costs
from raretag.decision.decided import Decision, Route, RoutedMention
from raretag.decision.promise import PromisedUnit
from raretag.errors import UsageError
from raretag.evaluation.decision_report import DOUBTS, DecisionReport, decision_report
from raretag.evaluation.run_decisions import costs_at
from raretag.tagging import build_schema

SCHEMA = build_schema(["Often", "Seldom"], mention_counts=[600, 10])
COSTS = Costs.model_validate({"currency": "EUR", "default": {"miss": 10.0, "false_alarm": 1.0}, "review": 2.0})


def span(label: str, place: int) -> Mention:
    return Mention(label=label, start=10 * place, end=10 * place + 5, score=0.5)


def gold(name: str, *mentions: Mention) -> Document:
    return Document(id=name, text=" " * 100, mentions=mentions)


def decided(name: str, *routed: tuple[Mention, Route]) -> Decision:
    reviews = sum(route == "review" for _, route in routed)
    return Decision(
        document=name,
        routed=tuple(RoutedMention(mention=mention, route=route) for mention, route in routed),
        tokens=20,
        reviewed_tokens=2 * reviews,
        reviews=reviews,
    )


GOLD = [
    gold("a", span("Often", 0), span("Often", 2), span("Seldom", 4)),
    gold("b", span("Often", 0), span("Seldom", 2)),
    gold("c", span("Often", 6)),
]
# finds three of Often, has one false alarm, and calls a Seldom Often
ARGMAX = {
    "a": decided("a", (span("Often", 0), "accept"), (span("Often", 4), "accept")),
    "b": decided("b", (span("Often", 0), "accept"), (span("Often", 8), "accept")),
    "c": decided("c", (span("Often", 6), "accept")),
}
# also sends both of Seldom to review
POLICY = {
    "a": decided("a", (span("Often", 0), "accept"), (span("Seldom", 4), "review")),
    "b": decided("b", (span("Often", 0), "accept"), (span("Seldom", 2), "review")),
    "c": decided("c", (span("Often", 6), "accept")),
}


def report(**more: Any) -> DecisionReport:
    unit = PromisedUnit(
        labels=("Seldom",), alpha=0.2, units=9, mentions=9, unreached=0, threshold=0.1, bound=0.1, pooled=""
    )
    return decision_report(
        GOLD, used=POLICY, argmax=ARGMAX, schema=SCHEMA, costs=COSTS, promises=[unit], resamples=50, **more
    )


def test_counts_and_prices_by_hand() -> None:
    told = report()
    mine, plain = told.used, told.argmax
    assert (mine.routes.gold, mine.routes.found, mine.routes.reviewed, mine.routes.missed) == (6, 3, 2, 1)
    assert mine.routes.recall == pytest.approx(5 / 6)
    assert (plain.routes.found, plain.routes.wrong_label, plain.routes.missed, plain.routes.false_alarms) == (
        3,
        1,
        2,
        1,
    )
    assert mine.groups["tail"].recall == 1
    assert plain.groups["tail"].recall == 0
    assert mine.groups["medium"].recall is None
    assert mine.labels["Seldom"].reviewed == 2
    assert mine.reviewed_share == pytest.approx(4 / 60)
    assert mine.cost is not None
    assert plain.cost is not None
    # a miss and two reviews in three notes; two misses, a wrong label as a miss and a false alarm, and a false alarm
    assert mine.cost.per_1000_notes == pytest.approx(1000 * (10 + 2 * 2) / 3)
    assert plain.cost.per_1000_notes == pytest.approx(1000 * (2 * 10 + 11 + 1) / 3)
    assert set(told.p_values) == {"micro_f1", "macro_f1", "cost"}
    (kept,) = told.promises
    assert kept.realised is not None
    assert (kept.realised.units, kept.realised.mentions, kept.realised.missed, kept.realised.share) == (2, 2, 0, 0)
    assert json.loads(json.dumps(told.to_json(), allow_nan=False))["used"]["reviews"] == 2


def test_what_was_decided_without_the_promise_does_not_tell_of_it() -> None:
    (kept,) = report(promised=frozenset({("Seldom",), ("Other",)})).promises
    assert kept.realised is not None
    (kept,) = report(promised=frozenset({("Other", "Seldom")})).promises
    assert kept.realised is None
    assert report(promised=frozenset()).to_json()["promises"][0]["realised"] is None


def test_curves() -> None:
    seen: list[float] = []

    def at_ratio(ratio: float) -> dict[str, Decision]:
        seen.append(ratio)
        return ARGMAX

    told = report(at_ratio=at_ratio, at_doubt=lambda doubt: POLICY if doubt < 0.1 else ARGMAX)
    assert told.curve is not None
    assert seen == list(told.curve.ratios)
    assert told.curve.rules["least expected cost"] == told.curve.rules["argmax"]
    # at ten to one: a miss and two reviews of two false alarms, over six mentions
    assert told.curve.rules["policy"][-1] == pytest.approx((10 + 2 * 2) / 60)
    often, seldom = [d for d in DOUBTS if d >= 0.1], [d for d in DOUBTS if d < 0.1]
    assert [point.threshold for point in told.reading] == [*sorted(often)[::-1], *sorted(seldom)[::-1]]
    assert report().reading == ()


def test_without_costs_nothing_is_priced() -> None:
    told = decision_report(GOLD, used=POLICY, argmax=ARGMAX, schema=SCHEMA, resamples=0)
    assert told.used.cost is None
    assert told.curve is None
    assert set(told.p_values) == {"micro_f1", "macro_f1"}


def test_reviews_need_a_price() -> None:
    free = COSTS.model_copy(update={"review": None})
    with pytest.raises(UsageError, match="no price of a review"):
        decision_report(GOLD, used=POLICY, argmax=ARGMAX, schema=SCHEMA, costs=free, resamples=0)


def test_costs_at_a_ratio() -> None:
    told = costs_at(
        5.0, like=Costs.model_validate({"currency": "x", "default": {"miss": 3.0, "false_alarm": 4.0}, "review": 2.0})
    )
    assert (told.default.miss, told.default.false_alarm, told.review) == (5.0, 1.0, 0.5)
    assert costs_at(5.0, like=None).review is None
