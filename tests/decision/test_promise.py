"""A promise about missed mentions: kept over splits and groups, refused where it cannot be, pooled in the open."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raretag.corpus import Document, Mention
from raretag.decision.bayes_risk import least_expected_cost
from raretag.decision.conformal import by_unit, control, units_needed
from raretag.decision.cost_table import CostTable
from raretag.decision.decided import Decision, RoutedMention
from raretag.decision.doubt import found_at, token_doubts
from raretag.decision.outcomes import outcomes
from raretag.decision.promise import Promise, PromisedUnit
from raretag.decision.promising import fit_promise
from raretag.decision.scheduling import best_together
from raretag.decision.stretches import decided
from raretag.errors import UsageError
from raretag.probability import Candidates
from raretag.tagging import Schema, build_schema

from .conftest import Notes


def promised(labels: tuple[str, ...], threshold: float | None) -> Promise:
    unit = PromisedUnit(labels=labels, alpha=0.1, units=9, mentions=9, unreached=0, threshold=threshold, bound=0.1)
    return Promise(units=(unit,))


def found_with(notes: Any, promise: Promise, schema: Schema, label: str) -> dict[str, tuple[int, int]]:
    """By document: found or reviewed gold mentions of the label, and all of them, by `Outcomes`."""
    decisions = {one.document: promise.apply(notes.decisions[one.document], one, schema=schema) for one in notes.found}
    judged = outcomes(list(notes.gold.values()), decisions, labels=schema.labels)
    place = judged.labels.index(label)
    return {
        document: (int(judged.found[n, place] + judged.reviewed[n, place]), int(judged.gold[n, place]))
        for n, document in enumerate(judged.documents)
    }


@pytest.mark.parametrize("threshold", [0.001, 0.05, 0.2, 0.6, None])
def test_found_at_tells_what_a_threshold_finds(notes: Any, schema: Schema, threshold: float | None) -> None:
    told = found_with(notes, promised(("B",), threshold), schema, "B")
    some = 0
    for one in notes.found:
        mentions = [m for m in notes.gold[one.document].mentions if m.label == "B"]
        decision = notes.decisions[one.document]
        doubts = token_doubts(one, decision, schema=schema, labels=["B"])
        values = found_at(mentions, one, decision, doubts=doubts)
        number = int((values >= (np.inf if threshold is None else threshold)).sum())
        assert told[one.document] == (number, len(mentions)), one.document
        some += number
    assert some > 0


@pytest.mark.parametrize("layered", [False, True])
@given(seed=st.integers(0, 10_000), tokens=st.integers(1, 14))
@settings(max_examples=120, deadline=None)
def test_found_at_agrees_with_outcomes_at_every_threshold(make: Any, layered: bool, seed: int, tokens: int) -> None:
    rng = np.random.default_rng(seed)
    schema = build_schema(["X", "Y"], layered=layered)
    found = make.mixed_candidates(rng, tokens=tokens, number=int(rng.integers(0, 8)), longest=4)
    costs = CostTable.of(make.random_costs(rng, schema, wrong=False, review=float(rng.uniform(1, 8))), schema)
    accepted, reviewed = least_expected_cost(found, table=costs, layered=layered)
    decision = decided(found, accepted=accepted, reviewed=reviewed, schema=schema)
    gold = []
    for _ in range(6):
        # bounds within tokens, on blanks, and beyond the last token
        start = int(rng.integers(4 * tokens))
        end = start + int(rng.integers(1, 14))
        parts = ((start, start + 1), (start + 3, end)) if end > start + 3 and rng.random() < 0.3 else ()
        gold.append(Mention(label="X", start=start, end=end, fragments=parts))
    gold += [one.mention for one in decision.routed[:1]]
    # of duplicates only one is found exactly
    gold = list({(mention.label, mention.covered): mention for mention in gold}.values())
    labels = ("X", "Y") if rng.random() < 0.5 else ("X",)
    doubts = token_doubts(found, decision, schema=schema, labels=labels)
    values = found_at(gold, found, decision, doubts=doubts)
    levels = [0.0, 1e-6, *doubts.tolist(), *(doubts * 0.999).tolist(), 3.0]
    for threshold in (*sorted({*levels}), None):
        told = promised(labels, threshold).apply(decision, found, schema=schema)
        for mention, value in zip(gold, values, strict=True):
            judged = outcomes([Document(id="a", text=" " * 400, mentions=(mention,))], {"a": told})
            number = judged.found.sum() + judged.reviewed.sum()
            assert number == (value >= (np.inf if threshold is None else threshold)), (threshold, mention)


def test_stretches_that_touch_are_one_with_the_blank_between(make: Any) -> None:
    found = make.of_rows([(0, 0, 0, 0.3), (1, 1, 1, 0.6), (0, 3, 3, 0.2)], tokens=5)
    schema = build_schema(["X", "Y"])
    tokens = np.array([True, True, False, True, False])
    decision = decided(found, accepted=np.zeros(0, dtype=np.int64), reviewed=tokens, schema=schema)
    first, second = decision.reviewed
    assert first == Mention(label="Y", start=0, end=7, score=0.6)
    assert second == Mention(label="X", start=12, end=15, score=0.2)
    assert (decision.reviewed_tokens, decision.reviews) == (3, 2)
    blank = Mention(label="X", start=3, end=4)
    assert found_at([blank], found, decision, doubts=np.zeros(5)).tolist() == [np.inf]
    judged = outcomes([Document(id="a", text=" " * 400, mentions=(blank,))], {"a": decision})
    assert judged.reviewed.sum() == 1


def test_lower_thresholds_find_more_and_review_more(notes: Any, schema: Schema) -> None:
    shares, reviewed = [], []
    for threshold in (0.01, 0.1, 0.3, 0.7):
        promise = promised(("A",), threshold)
        shares.append(sum(number for number, _ in found_with(notes, promise, schema, "A").values()))
        reviewed.append(
            sum(promise.apply(notes.decisions[one.document], one, schema=schema).reviewed_tokens for one in notes.found)
        )
    assert shares == sorted(shares, reverse=True)
    assert reviewed == sorted(reviewed, reverse=True)
    assert reviewed[0] > reviewed[-1]


def test_a_promise_for_more_labels_loses_nothing(notes: Any, schema: Schema) -> None:
    alone = promised(("A",), 0.2)
    more = Promise(units=(*alone.units, *promised(("B", "C"), 0.02).units))
    before, after = (found_with(notes, promise, schema, "A") for promise in (alone, more))
    assert all(after[document] >= before[document] for document in before)
    for one in notes.found[:40]:
        decision = more.apply(notes.decisions[one.document], one, schema=schema)
        assert decision.accepted == notes.decisions[one.document].accepted


@pytest.mark.parametrize(("labels", "alpha"), [(("A",), 0.05), (("B",), 0.1), (("B", "C", "D"), 0.05)])
def test_500_splits_by_patient(notes: Any, schema: Schema, labels: tuple[str, ...], alpha: float) -> None:
    found = {}
    for one in notes.found:
        mentions = [m for m in notes.gold[one.document].mentions if m.label in labels]
        decision = notes.decisions[one.document]
        doubts = token_doubts(one, decision, schema=schema, labels=labels)
        found[one.document] = found_at(mentions, one, decision, doubts=doubts)
    units = by_unit(found, {document: gold.unit for document, gold in notes.gold.items()})
    missed = []
    for seed in range(500):
        order = np.random.default_rng(seed).permutation(len(units))
        half = len(units) // 2
        outcome = control([units[n] for n in order[:half]], alpha=alpha)
        assert outcome.threshold is not None
        missed.append(float(np.mean([np.mean(units[n] < outcome.threshold) for n in order[half:]])))
    assert np.mean(missed) <= alpha + 3 * np.sqrt(alpha * (1 - alpha) / len(missed) / (len(units) - half))
    assert np.mean(missed) >= alpha / 3


def test_the_whole_way_on_other_documents(notes: Any, schema: Schema) -> None:
    losses: dict[str, list[float]] = {label: [] for label in schema.labels}
    for seed in range(8):
        chosen = np.random.default_rng(seed).permutation(200)[:120]
        patients = {f"p{n}" for n in chosen}
        fitting = [one for one in notes.found if notes.gold[one.document].metadata["group"] in patients]
        promise = fit_promise(fitting, notes.decisions, notes.gold, floors=0.8, schema=schema)
        assert not promise.refused
        for label in schema.labels:
            told = found_with(notes, promise, schema, label)
            for document, (number, every) in told.items():
                if every and notes.gold[document].metadata["group"] not in patients:
                    losses[label].append(1 - number / every)
    for label, values in losses.items():
        assert np.mean(values) <= 0.2 + 0.05, label


def few_of_each(make: Any, numbers: dict[str, int], *, schema: Schema, each: int = 1) -> Notes:
    """Patients with one label each, so many of each; `each` documents a patient."""
    found, gold, decisions = [], {}, {}
    for label, number in numbers.items():
        for n in range(number):
            for part in range(each):
                name = f"{label}{n}-{part}"
                one = make.of_rows([(schema.labels.index(label), 0, 0, 0.5)], tokens=3, document=name)
                found.append(one)
                gold[name] = Document(
                    id=name, text=" " * 40, mentions=(make.span(label, 0, 0),), metadata={"group": f"{label}{n}"}
                )
                decisions[name] = Decision(document=name, routed=(), tokens=3, reviewed_tokens=0, reviews=0)
    return Notes(found=tuple(found), gold=gold, decisions=decisions)


POOLED = build_schema(["H", "M", "N", "S", "T", "U"], mention_counts=[900, 60, 50, 5, 4, 0])


def test_rare_labels_are_pooled_in_the_open(make: Any) -> None:
    # nine units are needed: H has them, M and N together, S and T only with these two, U is nowhere
    some = few_of_each(make, {"H": 12, "M": 6, "N": 5, "S": 3, "T": 2}, schema=POOLED)
    promise = fit_promise(some.found, some.decisions, some.gold, floors=0.9, schema=POOLED)
    assert [(unit.labels, unit.units) for unit in promise.units] == [
        (("H",), 12),
        (("M", "N"), 11),
        (("M", "N", "S", "T"), 16),
    ]
    alone, group, every = (unit.pooled for unit in promise.units)
    assert alone == ""
    assert group == "too few units have one of these labels alone: those of the medium group"
    assert "for S, T not even a tail group: all that are too rare" in every
    assert every.endswith("M, N also stand in the pool of their group")
    (refused,) = promise.refused
    assert refused.labels == ("U",)
    assert (refused.units, refused.needed) == (0, 9)
    assert "no calibration document has them" in refused.why
    for unit in promise.units:
        assert unit.bound <= unit.alpha + 1e-9


def test_what_is_still_too_little_is_refused_with_the_largest_pool_tried(make: Any) -> None:
    some = few_of_each(make, {"M": 3, "S": 3, "T": 2}, schema=POOLED)
    floors = dict.fromkeys("MSTU", 0.9)
    promise = fit_promise(some.found, some.decisions, some.gold, floors=floors, schema=POOLED)
    assert promise.units == ()
    few, absent = promise.refused
    assert (few.labels, few.units, few.needed) == (("M", "S", "T"), 8, 9)
    assert "one of the 3 labels that are too rare is in 8 of the 9 units that are needed" in few.why
    assert absent.labels == ("U",)


def test_a_group_that_is_named_is_promised_for_as_a_whole(make: Any) -> None:
    some = few_of_each(make, {"M": 12, "S": 12, "T": 12}, schema=POOLED)
    labels = tuple(label for label in POOLED.labels if label in "ST")
    promise = fit_promise(some.found, some.decisions, some.gold, floors={"tail": 0.9}, schema=POOLED)
    (unit,) = promise.units
    assert unit.labels == labels
    assert (unit.units, unit.mentions) == (24, 24)
    assert unit.pooled == "the floor is that of the tail group"
    assert [one.labels for one in promise.refused] == [("U",)]
    # a label with a floor of its own stands by itself
    both = fit_promise(some.found, some.decisions, some.gold, floors={"tail": 0.9, "S": 0.8}, schema=POOLED)
    assert sorted((one.labels, one.alpha) for one in both.units) == [(("S",), 0.2), (("T",), 0.1)]
    # and label by label there is a unit for each
    each = fit_promise(some.found, some.decisions, some.gold, floors=dict.fromkeys("ST", 0.9), schema=POOLED)
    assert [one.labels for one in each.units] == [("S",), ("T",)]
    few = few_of_each(make, {"S": 4, "T": 4}, schema=POOLED)
    refused = fit_promise(few.found, few.decisions, few.gold, floors={"tail": 0.9}, schema=POOLED)
    assert refused.units == ()
    assert {one.labels for one in refused.refused} == {("U",), labels}
    assert "a label of the tail group is in 8 of the 9 units that are needed" in "".join(
        one.why for one in refused.refused
    )


def test_notes_of_a_patient_are_one_unit(make: Any) -> None:
    some = few_of_each(make, {"H": 8}, schema=POOLED, each=3)
    (refused,) = fit_promise(some.found, some.decisions, some.gold, floors={"H": 0.9}, schema=POOLED).refused
    assert (refused.units, refused.needed) == (8, 9)
    some = few_of_each(make, {"H": 9}, schema=POOLED, each=3)
    (unit,) = fit_promise(some.found, some.decisions, some.gold, floors={"H": 0.9}, schema=POOLED).units
    assert (unit.units, unit.mentions) == (9, 27)


def test_the_doubt_is_about_the_units_own_labels(make: Any) -> None:
    schema = build_schema(["X", "Y"])
    found, gold, decisions = [], {}, {}
    for n in range(9):
        name = f"d{n}"
        found.append(make.of_rows([(0, 0, 0, 0.3), (1, 0, 0, 0.6)], tokens=3, document=name))
        gold[name] = Document(id=name, text=" " * 40, mentions=(make.span("X", 0, 0),))
        decisions[name] = Decision(document=name, routed=(), tokens=3, reviewed_tokens=0, reviews=0)
    (unit,) = fit_promise(found, decisions, gold, floors={"X": 0.9}, schema=schema).units
    assert unit.threshold == pytest.approx(0.3)
    # the threshold is a doubt that was seen: tokens that reach it exactly are reviewed, or the promise is broken
    told = Promise(units=(unit,)).apply(decisions["d0"], found[0], schema=schema)
    assert told.reviewed_tokens == 1
    assert told.reviewed[0].score == pytest.approx(0.3)


def test_too_few_documents_are_refused_and_listed(notes: Any, schema: Schema) -> None:
    promise = fit_promise(notes.found[:10], notes.decisions, notes.gold, floors=0.95, schema=schema)
    assert promise.units == ()
    (refused,) = promise.refused
    assert set(refused.labels) == {"A", "B", "C", "D"}
    assert refused.units <= 10
    assert refused.needed == 19
    assert "of the 19 units that are needed" in refused.why


def test_mentions_that_no_candidate_reaches_send_the_whole_note_to_review(make: Any) -> None:
    schema = build_schema(["X"])
    found, gold, decisions = [], {}, {}
    for n in range(30):
        one = make.of_rows([(0, 1, 1, 0.9)], tokens=9, document=f"d{n}")
        found.append(one)
        gold[f"d{n}"] = Document(id=f"d{n}", text=" " * 400, mentions=(make.span("X", 1, 1), make.span("X", 5, 5)))
        decisions[f"d{n}"] = Decision(document=f"d{n}", routed=(), tokens=9, reviewed_tokens=0, reviews=0)
    promise = fit_promise(found, decisions, gold, floors=0.9, schema=schema)
    assert promise.refused == ()
    (unit,) = promise.units
    assert (unit.threshold, unit.unreached, unit.mentions) == (0.0, 30, 60)
    assert unit.bound == pytest.approx(1 / 31)
    told = promise.apply(decisions["d0"], found[0], schema=schema)
    assert [(one.start, one.end) for one in told.reviewed] == [(0, 35)]
    assert (told.reviewed_tokens, told.reviews) == (9, 1)
    kept = fit_promise(found, decisions, gold, floors=0.4, schema=schema)
    assert kept.units[0].threshold == pytest.approx(0.9)


def test_the_whole_note_needs_no_candidate(make: Any) -> None:
    schema = build_schema(["X", "Y"], mention_counts=[3, 8])
    for tokens in (1, 25):
        found = make.of_rows([], tokens=tokens)
        empty = Decision(document="a", routed=(), tokens=tokens, reviewed_tokens=0, reviews=0)
        told = promised(("X",), 0.0).apply(empty, found, schema=schema)
        # nothing speaks for a label: the one most frequent in training
        assert told.reviewed == (Mention(label="Y", start=0, end=4 * tokens - 1, score=0.0),)
        assert (told.reviewed_tokens, told.reviews) == (tokens, -(-tokens // 10))
        assert promised(("X",), 0.1).apply(empty, found, schema=schema) is empty
    none = Decision(document="a", routed=(), tokens=0, reviewed_tokens=0, reviews=0)
    assert promised(("X",), 0.0).apply(none, make.of_rows([], tokens=0), schema=schema) is none


def test_documents_without_tokens_are_left_out(make: Any) -> None:
    schema = build_schema(["X"])
    found = [
        make.of_rows([(0, 0, 0, 0.9)], tokens=int(n < 9), document=f"d{n}")
        if n < 9
        else make.of_rows([], tokens=0, document=f"d{n}")
        for n in range(12)
    ]
    gold = {f"d{n}": Document(id=f"d{n}", text=" " * 400, mentions=(make.span("X", 0, 0),)) for n in range(12)}
    decisions = {
        one.document: Decision(document=one.document, routed=(), tokens=one.tokens, reviewed_tokens=0, reviews=0)
        for one in found
    }
    (unit,) = fit_promise(found, decisions, gold, floors=0.9, schema=schema).units
    assert unit.units == 9
    assert unit.threshold == pytest.approx(0.9)


def drawn_patients(make: Any, rng: np.random.Generator, number: int) -> Notes:
    """Patients with a note or two of up to three mentions each, some in places that no candidate reaches."""
    found, gold, decisions = [], {}, {}
    for patient in range(number):
        hard = rng.beta(2, 2)
        for note in range(int(rng.integers(1, 3))):
            name, rows, mentions = f"p{patient}-{note}", [], []
            for first in (1, 4, 7):
                if rng.random() < 0.3:
                    continue
                if rng.random() < 0.08 * hard:
                    mentions.append(make.span("X", first, first))
                    continue
                p = float(np.clip(rng.beta(1, 1 + 2 * hard), 0.01, 0.99))
                rows.append((0, first, first, p))
                # other labels' candidates are in the way, and say nothing
                rows.append((1, first, first + 1, float((1 - p) * rng.random())))
                if rng.random() < p:
                    mentions.append(make.span("X", first, first))
            one = make.of_rows(rows, tokens=10, document=name)
            accepted = best_together(one.firsts, one.lasts, one.probabilities - 0.6)
            found.append(one)
            gold[name] = Document(id=name, text=" " * 40, mentions=tuple(mentions), metadata={"group": f"p{patient}"})
            decisions[name] = decided(one, accepted=accepted, reviewed=np.zeros(10, dtype=bool), schema=DRAWN)
    return Notes(found=tuple(found), gold=gold, decisions=decisions)


DRAWN = build_schema(["X", "Y"])


@pytest.mark.parametrize(("alpha", "patients"), [(0.1, 28), (0.2, 12)])
def test_500_splits_the_whole_way_with_mentions_out_of_reach(make: Any, alpha: float, patients: int) -> None:
    missed, whole_notes = [], 0
    for seed in range(500):
        rng = np.random.default_rng(seed)
        known, new = drawn_patients(make, rng, patients), drawn_patients(make, rng, 5)
        promise = fit_promise(known.found, known.decisions, known.gold, floors={"X": 1 - alpha}, schema=DRAWN)
        if not promise.units:
            # how many patients have the label says nothing of how they are missed
            assert promise.refused[0].units < units_needed(alpha)
            continue
        whole_notes += promise.units[0].threshold == 0
        told = {one.document: promise.apply(new.decisions[one.document], one, schema=DRAWN) for one in new.found}
        judged = outcomes(list(new.gold.values()), told, labels=DRAWN.labels)
        for patient in {*judged.groups}:
            rows = [row for row, group in enumerate(judged.groups) if group == patient]
            every, lost = judged.gold[rows].sum(), (judged.missed + judged.wrong_label)[rows].sum()
            if every:
                missed.append(lost / every)
    # patients of one split share a threshold: the error is somewhat more than binomial
    error = np.sqrt(alpha * (1 - alpha) / len(missed))
    assert np.mean(missed) <= alpha + 3 * error
    assert 20 < whole_notes < 480
    assert len(missed) > 1500


@pytest.mark.parametrize(
    ("floors", "part"),
    [
        (0.0, "a floor of 0 is not between 0 and 1"),
        (1.0, "a floor of 1 is not"),
        (float("nan"), "not between"),
        ({"Y": 0.9}, "is called 'Y'"),
        ({"B": 1.5, "tial": 0.9}, "did you mean tail"),
        (1e-14, "a floor of 1e-14 is too near 0"),
        (1 - 1e-14, "is too near 1 to be told from it"),
        ({"B": 1 - 1e-14}, "for 'B' is too near 1"),
        ({}, "no label has a floor"),
        ({"medium": 0.9}, "the floor for 'medium' falls on no label"),
        ({"head": 0.9, "A": 0.8}, "the floor for 'head' falls on no label"),
    ],
)
def test_floors_that_cannot_be(notes: Any, schema: Schema, floors: Any, part: str) -> None:
    with pytest.raises(UsageError, match=part):
        fit_promise(notes.found, notes.decisions, notes.gold, floors=floors, schema=schema)


def test_a_name_that_is_a_label_and_a_group(make: Any) -> None:
    schema = build_schema(["tail", "Y"], mention_counts=[800, 3])
    some = few_of_each(make, {"tail": 9, "Y": 9}, schema=schema)
    with pytest.raises(UsageError, match="'tail' is a label and a tail group"):
        fit_promise(some.found, some.decisions, some.gold, floors={"tail": 0.9}, schema=schema)
    assert len(fit_promise(some.found, some.decisions, some.gold, floors=0.9, schema=schema).units) == 2


def test_stretches_join_and_keep_what_was_there(make: Any) -> None:
    schema = build_schema(["X", "Y"])
    found: Candidates = make.of_rows(
        [(0, 0, 1, 0.9), (0, 1, 3, 0.3), (1, 2, 3, 0.1), (1, 6, 6, 0.2), (1, 8, 8, 0.05)], tokens=10
    )
    routed = (
        RoutedMention(mention=found.mention(0, schema=schema), route="accept"),
        RoutedMention(mention=found.mention(4, schema=schema), route="review", expected_cost=2.0),
    )
    decision = Decision(document="a", routed=routed, tokens=10, reviewed_tokens=1, reviews=1, expected_cost=3.0)
    # the accepted mention explains token 0; of token 1 the other reading is left
    doubts = token_doubts(found, decision, schema=schema)
    np.testing.assert_allclose(doubts, [0, 0.3, 0.4, 0.4, 0, 0, 0.2, 0, 0.05, 0])
    told = promised(("X", "Y"), 0.35).apply(decision, found, schema=schema)
    assert told.accepted == decision.accepted
    stretch, before = told.reviewed
    assert (stretch.label, stretch.start, stretch.end) == ("X", 8, 15)
    assert stretch.score == pytest.approx(0.4)
    assert before == Mention(label="Y", start=32, end=35, score=0.05)
    assert told.reviewed_tokens == 3
    assert told.expected_cost is None
    assert promised(("X", "Y"), 0.5).apply(decision, found, schema=schema) is decision


def test_a_promise_is_json(notes: Any, schema: Schema) -> None:
    promise = fit_promise(notes.found, notes.decisions, notes.gold, floors=0.9, schema=schema)
    assert len(promise.units) >= 2
    assert Promise.model_validate_json(promise.model_dump_json()) == promise
