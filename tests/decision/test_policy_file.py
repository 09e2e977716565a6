"""Policies: fixed on calibration documents, written down, read back, and deciding alike."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from raretag.decision.costs import Costs, LabelCosts
from raretag.decision.outcomes import outcomes
from raretag.decision.policy import ArgmaxPolicy
from raretag.decision.policy_file import POLICY, PolicyFile
from raretag.decision.policy_fitting import Asked, check_asked, policy_of
from raretag.errors import DataError, UsageError
from raretag.tagging import Schema, build_schema

from .conftest import Make

COSTS = Costs.model_validate(
    {"currency": "EUR", "default": {"miss": 10.0, "false_alarm": 1.0}, "labels": {"C": {"miss": 99.0}}, "review": 2.0}
)


OTHER = COSTS.model_copy(update={"labels": {"Z": LabelCosts(miss=1.0)}})


def fixed(notes: Any, schema: Schema, asked: Asked) -> PolicyFile:
    return policy_of(
        asked,
        found=notes.found,
        gold=list(notes.gold.values()),
        fingerprints={document: f"hash of {document}" for document in notes.gold},
        schema=schema,
        argmax={document: decision.accepted for document, decision in notes.decisions.items()},
        fixed_at="2026-01-02T03:04:05+00:00",
    )


@pytest.mark.parametrize(
    "asked",
    [
        Asked(rule="argmax"),
        Asked(rule="argmax", costs=COSTS, floors=0.9),
        Asked(rule="thresholds"),
        Asked(rule="thresholds", floors={"tail": 0.9}, budget=0.3),
        Asked(rule="costs", costs=COSTS, floors=0.95, budget=0.9),
    ],
)
def test_what_is_read_back_decides_alike(notes: Any, schema: Schema, asked: Asked) -> None:
    file = fixed(notes, schema, asked)
    again = PolicyFile.from_json(json.loads(json.dumps(file.to_json())))
    assert again == file
    assert (file.promise is not None, file.budget is not None) == (asked.floors is not None, asked.budget is not None)
    for one in notes.found[:20]:
        argmax = notes.decisions[one.document].accepted
        decision = again.decide(one, schema=schema, argmax=argmax)
        assert decision == file.decide(one, schema=schema, argmax=argmax)
        assert (decision.expected_cost is not None) == (asked.costs is not None)
        assert decision.accepted == file.policy.decide(one, schema=schema, argmax=argmax).accepted or asked.costs
        assert decision.routed == tuple(
            sorted(decision.routed, key=lambda r: (r.mention.start, r.mention.end, r.mention.label))
        )


def test_costs_lower_the_expected_cost(notes: Any, schema: Schema) -> None:
    files = [fixed(notes, schema, Asked(rule=rule, costs=COSTS)) for rule in ("argmax", "thresholds", "costs")]
    totals = []
    for file in files:
        decisions = [
            file.decide(one, schema=schema, argmax=notes.decisions[one.document].accepted) for one in notes.found
        ]
        totals.append(sum(decision.expected_cost or 0.0 for decision in decisions))
    assert totals[2] < 0.9 * min(totals[:2])


def test_thresholds_are_vouched_for_by_other_documents(notes: Any, schema: Schema) -> None:
    file = fixed(notes, schema, Asked(rule="thresholds", floors=0.8))
    assert file.thresholds is not None
    assert file.promise is not None
    every = {label: sum(m.label == label for g in notes.gold.values() for m in g.mentions) for label in schema.labels}
    for unit in file.promise.units:
        assert unit.mentions + sum(file.thresholds.mentions[label] for label in unit.labels) == sum(
            every[label] for label in unit.labels
        )


def test_what_was_fixed_is_written_down(notes: Any, schema: Schema) -> None:
    file = fixed(notes, schema, Asked(rule="thresholds"))
    assert file.fixed_on.documents["n3"] == "hash of n3"
    assert len(file.fixed_on.sha256) == 64
    assert file.fixed_at.startswith("2026-01-02")
    assert file.opened_before == ()


def test_other_labels_are_refused(notes: Any, schema: Schema) -> None:
    file = fixed(notes, schema, Asked(rule="thresholds"))
    assert file.labels == ("A", "B", "C", "D")
    turned = build_schema(["D", "C", "B", "A"])
    assert file.decide(Make.of_rows([(0, 0, 0, 0.9)], tokens=2), schema=turned).accepted[0].label == "D"
    for labels in (["A", "B", "C"], ["A", "B", "C", "E"], ["A", "B", "C", "D", "E"]):
        with pytest.raises(DataError, match=r"fixed on other labels: .* Fix it again"):
            file.decide(notes.found[0], schema=build_schema(labels))


def test_a_run_with_other_labels_or_another_calibration(notes: Any, schema: Schema, tmp_path: Path) -> None:
    content = fixed(notes, schema, Asked(rule="thresholds")).model_copy(update={"calibration": "one"}).to_json()
    run: Any = SimpleNamespace(path=tmp_path, schema=schema)
    assert PolicyFile.of(run, calibration=None) is None
    (tmp_path / POLICY).write_text(json.dumps({**content, "cross_fitted": {}}), encoding="utf-8")
    assert PolicyFile.of(run, calibration="one") == PolicyFile.from_json(content)
    with pytest.raises(DataError, match="this run has no calibration"):
        PolicyFile.of(run, calibration=None)
    with pytest.raises(DataError, match="another calibration"):
        PolicyFile.of(run, calibration="another")
    other: Any = SimpleNamespace(path=tmp_path, schema=build_schema(["A"]))
    with pytest.raises(DataError, match=r"policy\.json: .* 'B', 'C', 'D' are not in both"):
        PolicyFile.of(other, calibration="one")


def test_promise_and_budget_add_to_the_rule(notes: Any, schema: Schema) -> None:
    promised = fixed(notes, schema, Asked(rule="argmax", floors=0.95))
    both = fixed(notes, schema, Asked(rule="argmax", floors=0.95, budget=0.8))
    assert promised.promise is not None
    assert both.promise == promised.promise
    assert both.budget is not None
    shares, missed = [], []
    for file in (promised.model_copy(update={"promise": None}), promised, both):
        told = {
            one.document: file.decide(one, schema=schema, argmax=notes.decisions[one.document].accepted)
            for one in notes.found
        }
        judged = outcomes(list(notes.gold.values()), told, labels=schema.labels)
        shares.append(judged.reviewed_tokens.sum() / judged.tokens.sum())
        missed.append(judged.missed.sum() + judged.wrong_label.sum())
    assert shares[0] == 0
    assert 0.03 < shares[1] < shares[2] - 0.05
    assert shares[2] == pytest.approx(both.budget.reviewed_share)
    assert missed[0] > 2 * missed[1] > 2 * missed[2]


def test_a_budget_goes_first_to_what_is_dear_to_miss(notes: Any, schema: Schema) -> None:
    file = fixed(notes, schema, Asked(rule="argmax", costs=COSTS, budget=0.1))
    assert file.budget is not None
    assert file.budget.weights == {"A": 10.0, "B": 10.0, "C": 99.0, "D": 10.0}
    plain = fixed(notes, schema, Asked(rule="argmax", budget=0.1))
    assert plain.budget is not None
    assert plain.budget.weights == {}


def test_damage_is_told(notes: Any, schema: Schema) -> None:
    good = fixed(notes, schema, Asked(rule="thresholds")).to_json()
    damages: tuple[dict[str, Any], ...] = (
        {"rule": "guess"},
        {"thresholds": None},
        {"rule": "costs"},
        {"fixed_on": {}},
        {"extra": 1},
        {"budget": {"share": 2}},
    )
    for damage in damages:
        with pytest.raises(DataError, match="the policy is damaged") as told:
            PolicyFile.from_json({**good, **damage}, file=Path("policy.json"))
        assert "policy.json" in str(told.value)
    nothings: tuple[Any, ...] = (None, [], "x")
    for nothing in nothings:
        with pytest.raises(DataError):
            PolicyFile.from_json(nothing)


def test_what_cannot_be_asked(notes: Any, schema: Schema) -> None:
    with pytest.raises(UsageError, match="needs costs"):
        fixed(notes, schema, Asked(rule="costs"))
    with pytest.raises(ValueError, match="most probable path"):
        ArgmaxPolicy().decide(notes.found[0], schema=schema)
    for asked, part in (
        (Asked(rule="foo"), "there is no rule 'foo'"),  # type: ignore[arg-type]
        (Asked(rule="argmax", floors={"Z": 0.9}), "is called 'Z'"),
        (Asked(rule="argmax", budget=1.5), "not between 0 and 1"),
        (Asked(rule="costs", costs=OTHER), "costs of 'Z'"),
        (Asked(rule="argmax", costs=OTHER), "costs of 'Z'"),
        (Asked(rule="costs", costs=OTHER.model_copy(update={"review": None}), budget=0.1), "no price of a review"),
    ):
        with pytest.raises(UsageError, match=part):
            fixed(notes, schema, asked)
    # what only the labels tell waits for them
    check_asked(Asked(rule="costs", costs=OTHER, floors={"Z": 0.9}))
    gold = list(notes.gold.values())
    for found, prints in (([], {}), (notes.found[:3], {"n0": "a"}), ([notes.found[0]] * 2, {"n0": "a"})):
        with pytest.raises(DataError):
            policy_of(Asked(rule="argmax"), found=found, gold=gold[: len(found)], fingerprints=prints, schema=schema)


@pytest.mark.parametrize("asked", [Asked(rule="argmax", floors=0.9), Asked(rule="argmax", budget=0.1)])
def test_the_most_probable_mentions_are_asked_for(notes: Any, schema: Schema, asked: Asked) -> None:
    paths = {document: decision.accepted for document, decision in notes.decisions.items() if document != "n17"}
    for argmax, number in ((None, 300), (paths, 1)):
        with pytest.raises(UsageError, match=f"{number} have none, such as 'n") as told:
            policy_of(
                asked,
                found=notes.found,
                gold=list(notes.gold.values()),
                fingerprints=dict.fromkeys(notes.gold, "hash"),
                schema=schema,
                argmax=argmax,
            )
        assert "Give argmax" in str(told.value)
