"""A budget of reviews: never overspent on calibration documents, and spent on the most doubtful tokens."""

from __future__ import annotations

from typing import Any

import pytest

from raretag.decision.budget import fit_budget
from raretag.decision.decided import Decision, RoutedMention
from raretag.errors import DataError, UsageError
from raretag.tagging import Schema, build_schema


@pytest.mark.parametrize("share", [0.01, 0.05, 0.2, 0.9])
def test_the_share_is_kept_and_told(notes: Any, schema: Schema, share: float) -> None:
    budget = fit_budget(notes.found, notes.decisions, share=share, schema=schema)
    decided = [budget.apply(notes.decisions[one.document], one, schema=schema) for one in notes.found]
    reviewed = sum(one.reviewed_tokens for one in decided) / sum(one.tokens for one in decided)
    assert reviewed == pytest.approx(budget.reviewed_share)
    assert reviewed <= share
    if share < 0.5:
        assert reviewed > share - 0.02


def test_dear_labels_come_first(make: Any) -> None:
    schema = build_schema(["X", "Y"])
    found = [make.of_rows([(0, 0, 0, 0.4), (1, 2, 2, 0.1)], tokens=10)]
    empty = {"a": Decision(document="a", routed=(), tokens=10, reviewed_tokens=0, reviews=0)}
    for weights, label in ((None, "X"), ({"Y": 10.0}, "Y")):
        budget = fit_budget(found, empty, share=0.1, schema=schema, weights=weights)
        assert [m.label for m in budget.apply(empty["a"], found[0], schema=schema).reviewed] == [label]


def test_equal_doubts_go_together(make: Any) -> None:
    schema = build_schema(["X"])
    found = [make.of_rows([(0, 0, 0, 0.4), (0, 2, 2, 0.4)], tokens=10)]
    empty = {"a": Decision(document="a", routed=(), tokens=10, reviewed_tokens=0, reviews=0)}
    assert fit_budget(found, empty, share=0.1, schema=schema).threshold is None
    assert fit_budget(found, empty, share=0.2, schema=schema).reviewed_share == pytest.approx(0.2)


def test_the_rules_own_reviews_count(make: Any) -> None:
    schema = build_schema(["X"])
    found = make.of_rows([(0, 0, 1, 0.4), (0, 4, 4, 0.3)], tokens=10)
    routed = (RoutedMention(mention=found.mention(0, schema=schema), route="review"),)
    decisions = {"a": Decision(document="a", routed=routed, tokens=10, reviewed_tokens=2, reviews=1)}
    spent = fit_budget([found], decisions, share=0.2, schema=schema)
    assert spent.threshold is None
    assert spent.apply(decisions["a"], found, schema=schema) == decisions["a"]
    assert fit_budget([found], decisions, share=0.3, schema=schema).threshold == pytest.approx(0.3)
    with pytest.raises(UsageError, match=r"20\.000% .* already, .* budget of 10\.000%. Give a larger budget"):
        fit_budget([found], decisions, share=0.1, schema=schema)


@pytest.mark.parametrize(
    ("weights", "part"),
    [
        ({"Z": 1.0}, "no label 'Z'"),
        ({"A": -1.0}, "-1 for 'A' is no weight"),
        ({"A": float("nan")}, "nan for 'A'"),
        ({"A": float("inf")}, "inf for 'A'"),
    ],
)
def test_weights_that_cannot_be(notes: Any, schema: Schema, weights: dict[str, float], part: str) -> None:
    with pytest.raises(UsageError, match=part):
        fit_budget(notes.found, notes.decisions, share=0.1, schema=schema, weights=weights)


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1, float("nan")])
def test_shares_that_cannot_be(notes: Any, schema: Schema, share: float) -> None:
    with pytest.raises(UsageError, match="not between 0 and 1"):
        fit_budget(notes.found, notes.decisions, share=share, schema=schema)


def test_no_document_at_all(schema: Schema) -> None:
    with pytest.raises(DataError):
        fit_budget([], {}, share=0.1, schema=schema)
