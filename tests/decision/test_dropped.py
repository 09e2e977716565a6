"""What is dropped is listed: neither accepted nor reviewed, likely enough, with what it costs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from raretag.corpus import Mention
from raretag.decision.cost_table import CostTable
from raretag.decision.costs import Costs
from raretag.decision.decided import Decision
from raretag.decision.dropped import with_dropped
from raretag.decision.expected_cost import priced
from raretag.decision.stretches import decided
from raretag.probability import Candidates
from raretag.tagging import build_schema

SCHEMA = build_schema(["X", "Y"])
COSTS = Costs.model_validate(
    {
        "currency": "h",
        "default": {"miss": 10.0, "false_alarm": 2.0},
        "labels": {"Y": {"miss": 50.0}},
        "review": 1.0,
    }
)


@pytest.fixture
def found(make: Any) -> Candidates:
    # accepted, its rival, reviewed, half in the review and mostly in it, and two apart
    rows = [(0, 0, 1, 0.7), (1, 0, 1, 0.2), (0, 4, 5, 0.3), (0, 5, 8, 0.1), (1, 5, 6, 0.15), (0, 10, 10, 0.05)]
    made: Candidates = make.of_rows([*rows, (1, 12, 12, 0.01)], tokens=13)
    return made


@pytest.fixture
def decision(found: Candidates) -> Decision:
    tokens = np.zeros(13, dtype=bool)
    tokens[4:7] = True
    return decided(found, accepted=np.array([0]), reviewed=tokens, schema=SCHEMA)


def dropped(decision: Decision) -> list[tuple[str, int, float | None]]:
    return [(one.mention.label, one.mention.start, one.mention.score) for one in decision.routed if one.route == "drop"]


def test_what_is_neither_accepted_nor_reviewed_is_listed(found: Candidates, decision: Decision) -> None:
    told = with_dropped(decision, found, schema=SCHEMA, least=0.0)
    # 5..8 has half of its tokens in the stretch, and one blank less than half of its characters
    assert dropped(told) == [("Y", 0, 0.2), ("X", 20, 0.1), ("X", 40, 0.05), ("Y", 48, 0.01)]
    assert (told.accepted, told.reviewed) == (decision.accepted, decision.reviewed)
    assert [one.mention.start for one in told.routed] == sorted(one.mention.start for one in told.routed)
    assert {one.expected_cost for one in told.routed if one.route == "drop"} == {None}


@pytest.mark.parametrize(("least", "number"), [(0.01, 4), (0.05, 3), (0.051, 2), (0.2, 1), (1.0, 0)])
def test_only_what_is_likely_enough(found: Candidates, decision: Decision, least: float, number: int) -> None:
    told = with_dropped(decision, found, schema=SCHEMA, least=least)
    assert len(dropped(told)) == number
    assert len(told.routed) == len(decision.routed) + number


def test_with_costs_each_is_told_its_miss(found: Candidates, decision: Decision) -> None:
    table = CostTable.of(COSTS, SCHEMA)
    before = priced(decision, found, table=table, schema=SCHEMA)
    told = with_dropped(before, found, schema=SCHEMA, least=0.05, table=table)
    costs = [one.expected_cost for one in told.routed if one.route == "drop"]
    assert costs == pytest.approx([0.2 * 50, 0.1 * 10, 0.05 * 10])
    assert told.expected_cost == before.expected_cost
    # priced again nothing changes: the list is for people
    assert priced(told, found, table=table, schema=SCHEMA).expected_cost == before.expected_cost


def test_no_candidate_and_no_probability(make: Any, decision: Decision) -> None:
    empty = Decision(document="a", routed=(), tokens=13, reviewed_tokens=0, reviews=0)
    assert with_dropped(empty, make.of_rows([], tokens=13), schema=SCHEMA, least=0.0) == empty
    for least in (-0.1, 1.1, float("nan")):
        with pytest.raises(ValueError, match="least probability"):
            with_dropped(decision, make.of_rows([], tokens=13), schema=SCHEMA, least=least)


def test_the_label_of_a_reviewed_stretch_is_its_likeliest(decision: Decision) -> None:
    assert decision.reviewed == (Mention(label="X", start=16, end=27, score=0.3),)
