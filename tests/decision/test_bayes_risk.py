"""The least expected cost: by brute force over all decisions, with the cost expected over all tag paths."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from raretag.corpus import Document, Mention
from raretag.decision.bayes_risk import least_expected_cost
from raretag.decision.cost_table import CostTable
from raretag.decision.costs import Costs
from raretag.decision.decided import Decision, RoutedMention
from raretag.decision.expected_cost import priced
from raretag.decision.outcomes import outcomes
from raretag.decision.stretches import decided
from raretag.probability import Candidates, Scores, candidates
from raretag.tagging import Schema, build_schema, decode

SCHEMA = build_schema(["X", "Y"])


def decisions(found: Candidates, *, review: bool) -> Iterator[tuple[list[int], list[int]]]:
    """Every set of candidates that share no token, each accepted or reviewed."""
    for size in range(4):
        for some in itertools.combinations(range(len(found)), size):
            order = sorted(some, key=lambda n: int(found.firsts[n]))
            if any(found.lasts[a] >= found.firsts[b] for a, b in itertools.pairwise(order)):
                continue
            for routes in itertools.product(*[(True, False) if review else (True,)] * size):
                yield (
                    [n for n, accept in zip(some, routes, strict=True) if accept],
                    [n for n, accept in zip(some, routes, strict=True) if not accept],
                )


def as_decision(found: Candidates, accepted: list[int], reviewed: list[int], schema: Schema = SCHEMA) -> Decision:
    return decided(
        found,
        accepted=np.array(accepted, dtype=np.int64),
        reviewed=np.array(reviewed, dtype=np.int64),
        schema=schema,
    )


def plain_cost(
    found: Candidates, accepted: list[int], reviewed: list[int], table: CostTable, *, together: bool = False
) -> float:
    """Written down candidate by candidate; `together`: stretches side by side may find what neither does alone."""
    total = len(reviewed) * (table.review or 0.0)
    for s in range(len(found)):
        p, label = found.probabilities[s], found.labels[s]
        if s in accepted:
            total += (1 - p) * table.false_alarm[label]
            continue
        characters = range(found.starts[s], found.ends[s])
        each = [{c for c in characters if found.starts[r] <= c < found.ends[r]} for r in reviewed]
        groups: list[set[int]] = [set().union(*each)] if together else each
        if any(2 * len(looked_at) > len(characters) for looked_at in groups):
            continue
        same = [a for a in accepted if (found.firsts[a], found.lasts[a]) == (found.firsts[s], found.lasts[s])]
        if same:
            decided_label = found.labels[same[0]]
            total += p * (table.wrong_label[label, decided_label] - table.false_alarm[decided_label])
        else:
            total += p * table.miss[label]
    return float(total)


@pytest.mark.parametrize("review", [None, 0.5, 3.0])
@pytest.mark.parametrize("wrong", [False, True])
def test_no_decision_costs_less(make: Any, wrong: bool, review: float | None) -> None:
    routes = set()
    for seed in range(12):
        rng = np.random.default_rng(seed)
        found = make.random_candidates(rng, labels=2, tokens=6, number=8)
        table = CostTable.of(make.random_costs(rng, SCHEMA, wrong=wrong, review=review), SCHEMA)
        every = [
            (plain_cost(found, accepted, reviewed, table), accepted, reviewed)
            for accepted, reviewed in decisions(found, review=review is not None)
        ]
        accepted, reviewed = (list(map(int, part)) for part in least_expected_cost(found, table=table))
        assert plain_cost(found, accepted, reviewed, table) == pytest.approx(min(every)[0], abs=1e-9)
        for _, some, looked_at in every[:: max(1, len(every) // 10)]:
            cost = plain_cost(found, some, looked_at, table, together=True)
            told = priced(as_decision(found, some, looked_at), found, table=table, schema=SCHEMA)
            assert told.expected_cost == pytest.approx(max(0.0, cost), abs=1e-9)
        routes |= {"accept"} if accepted else set()
        routes |= {"review"} if reviewed else set()
    # both routes were tried where both exist
    assert "accept" in routes
    assert ("review" in routes) == (review is not None)


def cost_over_all_paths(scores: Scores, decision: Decision, table: CostTable, schema: Schema) -> float:
    """Every valid tag path is the truth for once, with its probability; `Outcomes` counts what it costs."""
    total = weights = 0.0
    for path in itertools.product(range(len(schema.tags)), repeat=len(scores.tokens)):
        if any(t and t % 2 == 0 and b not in (t - 1, t) for b, t in itertools.pairwise((0, *path))):
            continue
        weight = float(np.prod([scores.probabilities[t, tag] for t, tag in enumerate(path)], dtype=np.float64))
        gold = Document(id="a", text=" " * 400, mentions=tuple(decode(list(path), scores.tokens, schema=schema)))
        total += weight * cost_of(gold, decision, table, schema)
        weights += weight
    return total / weights


def cost_of(gold: Document, decision: Decision, table: CostTable, schema: Schema) -> float:
    judged = outcomes([gold], {"a": decision}, labels=schema.labels)
    # costs of a wrong label depend on the gold label alone here
    wrong = (judged.wrong_label[0] * np.array([table.wrong_label[0, 1], table.wrong_label[1, 0]])).sum()
    counted = (judged.missed[0] * table.miss).sum() + (judged.false_alarms[0] * table.false_alarm).sum()
    return float(counted + wrong + judged.reviews[0] * (table.review or 0.0))


@pytest.mark.parametrize("seed", range(4))
def test_the_expected_cost_is_that_over_all_tag_paths(make: Any, seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores = make.scored(rng.dirichlet(np.full(5, 0.5), size=4))
    found = candidates(scores, schema=SCHEMA, least=1e-9)
    costs = make.random_costs(rng, SCHEMA, wrong=True, review=1.0)
    table = CostTable.of(costs, SCHEMA)
    accepted, reviewed = least_expected_cost(found, table=table)
    best = priced(
        decided(found, accepted=accepted, reviewed=reviewed, schema=SCHEMA), found, table=table, schema=SCHEMA
    )
    assert best.expected_cost == pytest.approx(cost_over_all_paths(scores, best, table, SCHEMA), abs=1e-4)
    others = list(decisions(found, review=True))
    for number in rng.choice(len(others), size=8, replace=False):
        other = priced(as_decision(found, *others[number]), found, table=table, schema=SCHEMA)
        assert other.expected_cost == pytest.approx(cost_over_all_paths(scores, other, table, SCHEMA), abs=1e-4)


def test_layered_labels_are_decided_by_themselves(make: Any) -> None:
    schema = build_schema(["X", "Y"], layered=True)
    costs = Costs.model_validate({"currency": "h", "default": {"miss": 2.0, "false_alarm": 1.0}, "review": 0.5})
    found = make.of_rows([(0, 0, 2, 0.9), (1, 1, 1, 0.8), (0, 4, 5, 0.3), (1, 4, 5, 0.05)], tokens=6)
    accepted, reviewed = least_expected_cost(found, table=CostTable.of(costs, schema), layered=True)
    # X at 4..5: accepting gains 0.6 − 0.7, a review 0.6 − 0.5; Y there is not worth it
    chosen = [found.mention(int(n), schema=schema) for n in (*accepted, *reviewed)]
    assert [(m.label, m.start) for m in chosen] == [("X", 0), ("Y", 4), ("X", 16)]
    assert len(reviewed) == 1


def test_dear_misses_are_accepted_and_dear_false_alarms_are_not(make: Any) -> None:
    found = make.of_rows([(0, 0, 0, 0.2)], tokens=1)
    for miss, taken in ((3.0, 0), (5.0, 1)):
        costs = Costs.model_validate({"currency": "h", "default": {"miss": miss, "false_alarm": 1.0}})
        assert len(least_expected_cost(found, table=CostTable.of(costs, SCHEMA))[0]) == taken


def test_expected_costs_of_one_mention_and_of_the_whole(make: Any) -> None:
    costs = Costs.model_validate({"currency": "h", "default": {"miss": 10.0, "false_alarm": 2.0}, "review": 1.0})
    found = make.of_rows([(0, 0, 0, 0.9), (1, 2, 2, 0.4), (0, 4, 4, 0.05)], tokens=5)
    told = priced(as_decision(found, [0], [1]), found, table=CostTable.of(costs, SCHEMA), schema=SCHEMA)
    assert [one.expected_cost for one in told.routed] == [pytest.approx(0.2), 1.0]
    assert told.expected_cost == pytest.approx(0.2 + 1.0 + 0.5)


def test_a_mention_that_is_no_candidate_counts_with_its_score(make: Any) -> None:
    costs = Costs.model_validate({"currency": "h", "default": {"miss": 10.0, "false_alarm": 2.0}})
    found = make.of_rows([(0, 0, 0, 0.1)], tokens=5)
    other = Mention(label="Y", start=8, end=11, score=0.25)
    decision = as_decision(found, [], [])
    decision = replace(decision, routed=(RoutedMention(mention=other, route="accept"),))
    told = priced(decision, found, table=CostTable.of(costs, SCHEMA), schema=SCHEMA)
    assert told.expected_cost == pytest.approx(0.75 * 2 + 0.1 * 10)
