"""A policy on calibration data: fixed on all, judged on documents that nothing was fitted on, refused on too few."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from raretag.corpus import Document, Mention
from raretag.decision.costs import Costs
from raretag.decision.deciding import Deciding
from raretag.decision.openings import Opening, Openings
from raretag.decision.policy_fitting import Asked
from raretag.errors import DataError, UsageError
from raretag.probability import Scores
from raretag.probability.calibration_data import CalibrationData
from raretag.probability.calibration_gold import GoldDocument
from raretag.tagging import Tokens, build_schema, encode

SCHEMA = build_schema(["X", "Y"], mention_counts=[600, 20])
COSTS = Costs.model_validate({"currency": "EUR", "default": {"miss": 10.0, "false_alarm": 1.0}, "review": 2.0})


def drawn(number: int, *, seed: int = 0, patients: int | None = None) -> CalibrationData:
    """Documents of 30 tokens whose tags are drawn from what is said of them, sharpened: a model too sure of itself."""
    rng = np.random.default_rng(seed)
    gold, scores, tags = [], [], []
    for n in range(number):
        truth = rng.dirichlet([3.0, 0.5, 0.01, 0.2, 0.01], size=30)
        labels = (rng.random((30, 1)) > truth.cumsum(axis=1)).sum(axis=1)
        mentions = tuple(
            Mention(label="X" if tag == 1 else "Y", start=4 * t, end=4 * t + 3)
            for t, tag in enumerate(labels)
            if tag in {1, 3}
        )
        starts = 4 * np.arange(30, dtype=np.int64)
        tokens = Tokens(ids=np.full(30, -1, dtype=np.int64), starts=starts, ends=starts + 3)
        said = truth**2 / (truth**2).sum(axis=1, keepdims=True)
        metadata = {} if patients is None else {"group": f"p{n % patients}"}
        document = Document(id=f"d{n:03}", text=" " * 120, mentions=mentions, metadata=metadata)
        gold.append(replace(GoldDocument.of(document), text=f"key{n}", fingerprint=f"print{n}"))
        scores.append(Scores(document=document.id, tokens=tokens, probabilities=said.astype(np.float32)))
        counts = {"X": 600, "Y": 20}
        tags.append(encode(document, tokens, schema=SCHEMA, overlaps="longest", counts=counts).tags)
    return CalibrationData(schema=SCHEMA, gold=tuple(gold), scores=scores, tags=tuple(tags), folds=None)


@pytest.fixture(scope="module")
def data() -> CalibrationData:
    return drawn(40)


@pytest.fixture(scope="module")
def deciding(data: CalibrationData) -> Deciding:
    return Deciding(data)


ASKED = {
    "argmax": Asked(rule="argmax", costs=COSTS),
    "thresholds": Asked(rule="thresholds"),
    "costs": Asked(rule="costs", costs=COSTS),
}


def test_every_document_is_decided_once(deciding: Deciding, data: CalibrationData) -> None:
    crossed = deciding.cross_decided(ASKED)
    ids = {one.id for one in data.gold}
    for one in crossed.values():
        assert one.decisions.keys() == ids
        assert all(decision.document == name for name, decision in one.decisions.items())
        assert not one.promised
    assert sum(d.expected_cost or 0 for d in crossed["costs"].decisions.values()) < sum(
        d.expected_cost or 0 for d in crossed["argmax"].decisions.values()
    )


def test_what_parts_are_too_few_to_promise_is_not_called_promised() -> None:
    """Nineteen units are needed for 95 %: twenty have them, four fifths of twenty do not."""
    whole, fewer = Deciding(drawn(40)), Deciding(drawn(20))
    asked = Asked(rule="argmax", floors={"X": 0.95})
    for deciding, promised in ((whole, {("X",)}), (fewer, set())):
        fixed = deciding.policy(asked).promise
        assert fixed is not None
        assert [unit.labels for unit in fixed.units] == [("X",)]
        crossed = deciding.cross_decided({"it": asked})["it"]
        assert crossed.promised == promised
        assert crossed.promised_labels == {label for labels in promised for label in labels}


def test_copies_of_a_note_count_once() -> None:
    """Ten notes are too few for a promise of 95 %, and stay ten however often they are there."""
    data = drawn(10)
    copies = tuple(replace(one, id=f"copy-of-{one.id}") for one in data.gold)
    scores = [*data.scores, *(replace(one, document=f"copy-of-{one.document}") for one in data.scores)]
    both = CalibrationData(
        schema=SCHEMA, gold=(*data.gold, *copies), scores=scores, tags=(*data.tags, *data.tags), folds=None
    )
    assert len({one.blank.unit for one in both.gold}) == 10
    for part in both.parts(5, seed=0):
        texts = {both.gold[number].fingerprint for number in part}
        assert sum(one.fingerprint in texts for one in both.gold) == len(part)
    promise = Deciding(both).policy(Asked(rule="argmax", floors={"X": 0.95})).promise
    assert promise is not None
    assert not promise.units
    assert [(one.units, one.needed) for one in promise.refused] == [(10, 19)]


def test_a_documents_gold_does_not_touch_its_own_decision(data: CalibrationData) -> None:
    """Without its mentions a document is decided about just as it was; others may be decided otherwise."""
    target = data.gold[7]
    bare = replace(data, gold=tuple(replace(g, mentions=()) if g.id == target.id else g for g in data.gold))
    for name in ("thresholds", "costs"):
        before, after = (Deciding(one).cross_decided({name: ASKED[name]})[name].decisions for one in (data, bare))
        assert before[target.id] == after[target.id]
        assert any(before[g.id] != after[g.id] for g in data.gold if g.id != target.id)


def test_what_is_fixed_says_on_what_and_after_which_openings(deciding: Deciding, data: CalibrationData) -> None:
    opened = Openings(openings=(Opening(at="2026-01-01T00:00:00+00:00", documents={"t": "print"}),))
    fixed = deciding.policy(ASKED["thresholds"], openings=opened)
    assert fixed.fixed_on.documents == {one.id: one.fingerprint for one in data.gold}
    (before,) = fixed.opened_before
    assert (before.documents, before.sha256) == (1, opened.openings[0].sha256)
    assert fixed.calibration is None
    assert deciding.policy(ASKED["thresholds"], openings=None).opened_before == ()


def test_the_same_data_give_the_same_policy(deciding: Deciding, data: CalibrationData) -> None:
    one, other = (some.policy(ASKED["thresholds"]) for some in (deciding, Deciding(data)))
    assert one.thresholds == other.thresholds


def test_too_little_and_what_cannot_be_asked(deciding: Deciding) -> None:
    with pytest.raises(DataError, match="too few"):
        Deciding(drawn(1)).policy(ASKED["thresholds"])
    with pytest.raises(DataError, match="too few"):
        Deciding(drawn(6, patients=1)).cross_decided(ASKED)
    wrong: Any = Asked(rule="costs")
    with pytest.raises(UsageError, match="needs costs"):
        deciding.policy(wrong)
    with pytest.raises(UsageError, match="needs costs"):
        deciding.cross_decided({"wrong": wrong})
