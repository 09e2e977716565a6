"""The least expected cost: by brute force over all decisions, with the cost expected over all tag paths."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from raretag.corpus import Document, Mention
from raretag.decision.bayes_risk import least_expected_cost
from raretag.decision.choices import Choices
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


def looked_at(found: Candidates, numbers: list[int]) -> npt.NDArray[np.bool_]:
    """bool (tokens,): what these candidates cover."""
    tokens = np.zeros(found.tokens, dtype=bool)
    for number in numbers:
        tokens[found.firsts[number] : found.lasts[number] + 1] = True
    return tokens


def as_decision(found: Candidates, accepted: list[int], reviewed: list[int], schema: Schema = SCHEMA) -> Decision:
    return decided(
        found, accepted=np.array(accepted, dtype=np.int64), reviewed=looked_at(found, reviewed), schema=schema
    )


def review_cost(tokens: npt.NDArray[np.bool_], table: CostTable) -> float:
    """A look for each ten tokens begun of what is connected."""
    lengths = [len(list(run)) for is_in, run in itertools.groupby(tokens.tolist()) if is_in]
    return (table.review or 0.0) * sum(-(-length // 10) for length in lengths)


def inside(found: Candidates, tokens: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """bool (candidates,): more than half of the characters are looked at; the blank between two tokens with both."""
    characters = np.zeros(4 * found.tokens, dtype=bool)
    for token in np.flatnonzero(tokens):
        characters[4 * token : 4 * token + 3] = True
        characters[4 * token + 3] = token + 1 < found.tokens and tokens[token + 1]
    spans = zip(found.starts, found.ends, strict=True)
    return np.array([2 * characters[start:end].sum() > end - start for start, end in spans], dtype=bool)


def costs_unless_reviewed(
    found: Candidates, accepted: list[int], table: CostTable, *, layered: bool
) -> tuple[float, npt.NDArray[np.float64]]:
    """What false alarms cost, and float64 (candidates,) what the others cost where they are not looked at."""
    alarms, left = 0.0, np.zeros(len(found))
    for s in range(len(found)):
        p, label = found.probabilities[s], found.labels[s]
        same = [a for a in accepted if (found.firsts[a], found.lasts[a]) == (found.firsts[s], found.lasts[s])]
        if s in accepted:
            alarms += (1 - p) * table.false_alarm[label]
        elif same and not layered:
            decided_label = found.labels[same[0]]
            left[s] = p * (table.wrong_label[label, decided_label] - table.false_alarm[decided_label])
        else:
            left[s] = p * table.miss[label]
    return float(alarms), left


def plain_cost(found: Candidates, accepted: list[int], tokens: npt.NDArray[np.bool_], table: CostTable) -> float:
    """Of a flat schema, written down candidate by candidate."""
    alarms, left = costs_unless_reviewed(found, accepted, table, layered=False)
    return review_cost(tokens, table) + alarms + float(left[~inside(found, tokens)].sum())


@pytest.mark.parametrize("review", [None, 5.0, 7.0])
@pytest.mark.parametrize("wrong", [False, True])
def test_no_decision_without_shared_tokens_costs_less(make: Any, wrong: bool, review: float | None) -> None:
    routes = set()
    for seed in range(12):
        rng = np.random.default_rng(seed)
        found = make.random_candidates(rng, labels=2, tokens=6, number=8)
        table = CostTable.of(make.random_costs(rng, SCHEMA, wrong=wrong, review=review), SCHEMA)
        every = [
            (plain_cost(found, accepted, looked_at(found, reviewed), table), accepted, reviewed)
            for accepted, reviewed in decisions(found, review=review is not None)
        ]
        chosen, tokens = least_expected_cost(found, table=table)
        assert plain_cost(found, chosen.tolist(), tokens, table) <= min(every)[0] + 1e-9
        for cost, accepted, reviewed in every[:: max(1, len(every) // 10)]:
            told = priced(as_decision(found, accepted, reviewed), found, table=table, schema=SCHEMA)
            assert told.expected_cost == pytest.approx(max(0.0, cost), abs=1e-9)
        routes |= {"accept"} if len(chosen) else set()
        routes |= {"review"} if tokens.any() else set()
    # both routes were tried where both exist
    assert "accept" in routes
    assert ("review" in routes) == (review is not None)


def least_of_every_set(found: Candidates, table: CostTable, *, layered: bool) -> float:
    """Accepted mentions (of a label, if layered) share no token; reviewed ones may lie anywhere."""
    numbers = range(len(found))
    spans = sorted({(int(first), int(last)) for first, last in zip(found.firsts, found.lasts, strict=True)})
    reviewed = {}
    for some in itertools.product([False, True], repeat=len(spans)):
        tokens = np.zeros(found.tokens, dtype=bool)
        for first, last in itertools.compress(spans, some):
            tokens[first : last + 1] = True
        reviewed[tokens.tobytes()] = tokens
    looks = [(review_cost(tokens, table), ~inside(found, tokens)) for tokens in reviewed.values()]
    least = np.inf
    for size in range(len(found) + 1):
        for accepted in itertools.combinations(numbers, size):
            pairs = itertools.combinations(accepted, 2)
            if any(
                found.lasts[a] >= found.firsts[b]
                and found.lasts[b] >= found.firsts[a]
                and (not layered or found.labels[a] == found.labels[b])
                for a, b in pairs
            ):
                continue
            alarms, left = costs_unless_reviewed(found, list(accepted), table, layered=layered)
            least = min(least, alarms + min(paid + float(left[away].sum()) for paid, away in looks))
    return float(least)


@pytest.mark.parametrize("layered", [False, True])
def test_beside_every_set(make: Any, layered: bool) -> None:
    """The figures in docs/decisions-by-cost.md."""
    schema = build_schema(["X", "Y"], layered=layered)
    dearer, over_accepted = [], 0
    for seed in (*range(200), *range(1300, 1400)):
        rng = np.random.default_rng(seed)
        tokens, longest = (6, 8, 14, 25)[seed % 4], (2, 4, 6)[seed % 3]
        found = make.mixed_candidates(rng, tokens=tokens, number=7, longest=longest)
        costs = make.random_costs(
            rng, schema, wrong=not layered and seed % 3 == 0, review=(0.3, 0.5, 1, 2, 3)[seed % 5]
        )
        table = CostTable.of(costs, schema)
        accepted, reviewed = least_expected_cost(found, table=table, layered=layered)
        decision = decided(found, accepted=accepted, reviewed=reviewed, schema=schema)
        cost = priced(decision, found, table=table, schema=schema).expected_cost
        assert cost is not None
        least = least_of_every_set(found, table, layered=layered)
        if cost > least + 1e-9:
            dearer.append(cost / least - 1)
        over_accepted += any(reviewed[found.firsts[a] : found.lasts[a] + 1].any() for a in accepted)
    assert len(dearer) <= 1
    assert max(dearer, default=0) < 0.48
    assert over_accepted


@pytest.mark.parametrize("layered", [False, True])
def test_the_search_knows_what_priced_tells(make: Any, layered: bool) -> None:
    schema = build_schema(["X", "Y"], layered=layered)
    for seed in range(60):
        rng = np.random.default_rng(seed)
        found = make.mixed_candidates(rng, tokens=30, number=14, longest=14 if seed % 2 else 4)
        table = CostTable.of(make.random_costs(rng, schema, wrong=not layered, review=0.5), schema)
        choices = Choices(found, table, layered=layered)
        accepted = choices.accept(np.zeros(0, dtype=np.int64))
        # some of the stretches, so that some touch and some do not
        reviewed = choices.review(accepted)
        reviewed = reviewed[rng.random(len(reviewed)) < 0.8]
        decision = decided(found, accepted=accepted, reviewed=choices.tokens(reviewed), schema=schema)
        told = priced(decision, found, table=table, schema=schema).expected_cost
        assert max(0.0, choices.cost(accepted, reviewed)) == pytest.approx(told, abs=1e-9)


def test_a_stretch_may_lie_over_a_part_of_a_sure_mention(make: Any) -> None:
    costs = Costs.model_validate({"currency": "h", "default": {"miss": 10.0, "false_alarm": 1.0}, "review": 1.5})
    # a look at 3..12 takes in all that is doubtful; with the rest of the sure mention it would be two
    found = make.of_rows([(0, 0, 3, 0.7), (0, 3, 4, 0.3), (0, 12, 12, 0.3)], tokens=13)
    accepted, reviewed = least_expected_cost(found, table=CostTable.of(costs, SCHEMA))
    assert accepted.tolist() == [0]
    assert np.flatnonzero(reviewed).tolist() == list(range(3, 13))


def test_what_lies_near_shares_a_look(make: Any) -> None:
    costs = Costs.model_validate({"currency": "h", "default": {"miss": 10.0, "false_alarm": 2.0}, "review": 3.0})
    found = make.of_rows([(0, 0, 0, 0.2), (0, 4, 4, 0.2), (0, 10, 10, 0.2)], tokens=11)
    _, reviewed = least_expected_cost(found, table=CostTable.of(costs, SCHEMA))
    # each alone is worth 2 of the 3 that a look costs; the third is a token too far
    assert np.flatnonzero(reviewed).tolist() in ([0, 1, 2, 3, 4], [4, 5, 6, 7, 8, 9, 10])


def test_a_review_finds_mentions_of_every_label(make: Any) -> None:
    schema = build_schema(["X", "Y"], layered=True)
    costs = Costs.model_validate({"currency": "h", "default": {"miss": 10.0, "false_alarm": 90.0}, "review": 3.0})
    found = make.of_rows([(0, 0, 1, 0.2), (1, 1, 1, 0.2)], tokens=3)
    accepted, reviewed = least_expected_cost(found, table=CostTable.of(costs, schema), layered=True)
    assert len(accepted) == 0
    assert reviewed.tolist() == [True, True, False]
    alone = make.of_rows([(0, 0, 1, 0.2)], tokens=3)
    assert not least_expected_cost(alone, table=CostTable.of(costs, schema), layered=True)[1].any()


def test_a_long_mention_is_reviewed_whole(make: Any) -> None:
    costs = Costs.model_validate({"currency": "h", "default": {"miss": 10.0, "false_alarm": 90.0}, "review": 1.0})
    found = make.of_rows([(0, 2, 26, 0.5)], tokens=30)
    _, reviewed = least_expected_cost(found, table=CostTable.of(costs, SCHEMA))
    assert np.flatnonzero(reviewed).tolist() == list(range(2, 27))


def test_nothing_to_decide(make: Any) -> None:
    costs = Costs.model_validate({"currency": "h", "default": {"miss": 1.0, "false_alarm": 1.0}, "review": 0.0})
    for tokens in (0, 4):
        for layered in (False, True):
            accepted, reviewed = least_expected_cost(
                make.of_rows([], tokens=tokens), table=CostTable.of(costs, SCHEMA), layered=layered
            )
            assert (len(accepted), reviewed.tolist()) == (0, [False] * tokens)


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


def test_layered_labels_overlap_and_share_reviews(make: Any) -> None:
    schema = build_schema(["X", "Y"], layered=True)
    costs = Costs.model_validate({"currency": "h", "default": {"miss": 2.0, "false_alarm": 1.0}, "review": 0.5})
    found = make.of_rows([(0, 0, 2, 0.9), (1, 1, 1, 0.8), (0, 14, 15, 0.3), (1, 14, 15, 0.05)], tokens=16)
    accepted, reviewed = least_expected_cost(found, table=CostTable.of(costs, schema), layered=True)
    chosen = [found.mention(int(n), schema=schema) for n in accepted]
    assert [(m.label, m.start) for m in chosen] == [("X", 0), ("Y", 4)]
    # a look at 14..15 spares 0.6 + 0.1, accepting X there 0.6 − 0.7
    assert np.flatnonzero(reviewed).tolist() == [14, 15]


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


def test_accepted_mentions_count_as_candidates_or_with_their_score(make: Any) -> None:
    costs = Costs.model_validate({"currency": "h", "default": {"miss": 10.0, "false_alarm": 2.0}})
    found = make.of_rows([(0, 0, 0, 0.1), (1, 4, 4, 0.75)], tokens=5)
    table = CostTable.of(costs, SCHEMA)

    def cost(mention: Mention) -> float | None:
        routed = (RoutedMention(mention=mention, route="accept"),)
        decision = replace(as_decision(found, [], []), routed=routed)
        return priced(decision, found, table=table, schema=SCHEMA).expected_cost

    missed = 0.1 * 10
    # no candidate: its own score
    assert cost(Mention(label="Y", start=8, end=11, score=0.25)) == pytest.approx(0.75 * 2 + missed + 7.5)
    # a candidate: whatever its score says
    for score in (None, 0.0, 0.9):
        assert cost(Mention(label="Y", start=16, end=19, score=score)) == pytest.approx(0.25 * 2 + missed)
    parts = ((16, 17), (17, 19))
    assert cost(Mention(label="Y", start=16, end=19, fragments=parts)) == pytest.approx(0.25 * 2 + missed)
    for gap in ((), ((8, 9), (10, 11))):
        with pytest.raises(ValueError, match="no candidate and has no score"):
            cost(Mention(label="Y", start=8, end=11, fragments=gap))
