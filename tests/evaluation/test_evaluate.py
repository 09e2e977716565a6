import json
import random
import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raretag.corpus.document import Document, Mention
from raretag.errors import DataError
from raretag.evaluation import Evaluation, evaluate, table_rows

TRAINING = {"SIGN": 700, "DRUG": 80, "RARE": 3}


def span(label: str, start: int, end: int) -> Mention:
    return Mention(label=label, start=start, end=end)


def note(name: str, *mentions: Mention, **metadata: str) -> Document:
    return Document(id=name, text="x" * 60, mentions=mentions, metadata=metadata)


def small(*, resamples: int = 300) -> Evaluation:
    signs = [span("SIGN", 4 * k, 4 * k + 3) for k in range(10)]
    gold = [
        note("a", *signs, span("DRUG", 50, 55)),
        note("b", span("DRUG", 0, 5), span("RARE", 10, 20)),
        note("c", span("SIGN", 0, 3)),
    ]
    predicted = {
        "a": [*signs[:8], span("SIGN", 50, 55), span("DRUG", 50, 54)],
        "b": [span("DRUG", 0, 5), span("NEW", 10, 20)],
    }
    return evaluate(
        gold,
        predicted,
        labels=["SIGN", "DRUG", "RARE", "UNSEEN"],
        training_counts=TRAINING,
        inexpressible={"SIGN": 1},
        resamples=resamples,
    )


def test_the_interface_of_evaluation_json() -> None:
    written = small().to_json()
    assert json.loads(json.dumps(written, allow_nan=False)) == written
    assert set(written) == {"strict", "overlap", "type", "mean_recall", "counts", "intervals"}
    lost = {"inexpressible": 1, "inexpressible_by_label": {"SIGN": 1}}
    assert written["counts"] == {"documents": 3, "mentions": 14, "predicted": 12, **lost}
    every = {
        *("precision", "recall", "f1", "gold", "predicted", "correct"),
        *("precision_interval", "recall_interval", "f1_interval"),
    }
    for scheme in ("strict", "overlap", "type"):
        figures = written[scheme]
        assert set(figures) == {"micro", "macro", "macro10", "groups", "labels"}
        assert set(figures["groups"]) == {"head", "medium", "tail"}
        assert set(figures["labels"]) == {"SIGN", "DRUG", "RARE", "UNSEEN", "NEW"}
        for entry in (figures["micro"], figures["macro"], figures["macro10"]):
            assert every <= set(entry)
        for entry in (*figures["groups"].values(), *figures["labels"].values()):
            assert every <= set(entry)


def test_figures_by_hand() -> None:
    strict, overlap = small().strict, small().overlap
    assert (strict.micro.gold, strict.micro.predicted, strict.micro.correct) == (14, 12, 9)
    assert strict.micro.f1 == pytest.approx(18 / 26)
    sign, drug = strict.labels["SIGN"], strict.labels["DRUG"]
    assert (sign.gold, sign.predicted, sign.correct, sign.training, sign.group) == (11, 9, 8, 700, "head")
    assert (drug.precision, drug.recall, drug.f1, drug.group) == (0.5, 0.5, 0.5, "medium")
    assert overlap.labels["DRUG"].f1 == 1.0
    assert strict.macro.labels == ("DRUG", "RARE", "SIGN")
    assert strict.macro.excluded == ("NEW", "UNSEEN")
    assert strict.macro.f1 == pytest.approx((16 / 20 + 0.5 + 0) / 3)
    assert strict.macro.recall == pytest.approx((8 / 11 + 0.5 + 0) / 3)
    assert small().mean_recall == strict.macro.recall
    assert strict.macro.labels_with_precision == 2
    assert strict.macro.precision == pytest.approx((8 / 9 + 0.5) / 2)
    assert strict.macro10.labels == ("SIGN",)
    assert strict.macro10.f1 == sign.f1
    assert strict.groups["tail"].labels == ("NEW", "RARE", "UNSEEN")
    assert strict.groups["tail"].macro_labels == ("RARE",)
    assert (strict.groups["tail"].gold, strict.groups["tail"].predicted) == (1, 1)
    assert strict.groups["tail"].macro_f1 == 0.0
    assert strict.groups["head"].f1 == sign.f1


def test_undefined_stays_undefined() -> None:
    labels = small().strict.labels
    # gold but never predicted: no precision, neither 1 nor 0
    assert (labels["RARE"].precision, labels["RARE"].recall, labels["RARE"].f1) == (None, 0.0, 0.0)
    assert labels["RARE"].precision_interval is None
    assert (labels["NEW"].precision, labels["NEW"].recall, labels["NEW"].f1) == (0.0, None, 0.0)
    unseen = labels["UNSEEN"]
    assert (unseen.precision, unseen.recall, unseen.f1, unseen.f1_interval) == (None, None, None, None)
    assert (unseen.gold, unseen.predicted, unseen.correct) == (0, 0, 0)


def test_no_gold_at_all() -> None:
    found = evaluate([note("a"), note("b")], {"a": [span("SIGN", 0, 3)]}, labels=["SIGN"], training_counts={})
    assert (found.strict.micro.precision, found.strict.micro.recall, found.strict.micro.f1) == (
        0.0,
        None,
        0.0,
    )
    assert (found.strict.macro.f1, found.strict.macro.labels, found.mean_recall) == (None, (), None)
    assert found.strict.groups["head"].f1 is None
    nothing = evaluate([note("a")], {}, labels=[], training_counts={})
    assert nothing.strict.micro.f1 is None
    assert json.loads(json.dumps(nothing.to_json())) == nothing.to_json()


def test_labels_are_compared_whole() -> None:
    found = evaluate(
        [note("a", span("DISEASE", 0, 5), span("RARE_DISEASE", 10, 15))],
        {"a": [span("RARE_DISEASE", 0, 5), span("RARE_DISEASE", 10, 15)]},
        labels=["DISEASE", "RARE_DISEASE"],
        training_counts={},
    )
    disease, rare = found.type.labels["DISEASE"], found.type.labels["RARE_DISEASE"]
    assert (disease.gold, disease.predicted, disease.correct) == (1, 0, 0)
    assert (rare.gold, rare.predicted, rare.correct) == (1, 2, 1)


def test_gold_that_no_tag_can_express_counts_as_missed() -> None:
    broken = Mention(label="SIGN", start=0, end=20, fragments=((0, 2), (18, 20)))
    inner = span("SIGN", 30, 40), span("SIGN", 32, 35)
    found = evaluate(
        [note("a", broken, *inner)],
        {"a": [span("SIGN", 0, 20), inner[0]]},
        labels=["SIGN"],
        training_counts={},
        inexpressible={"SIGN": 2},
    )
    assert (found.strict.micro.gold, found.strict.micro.correct) == (3, 1)
    assert found.strict.micro.recall == pytest.approx(1 / 3)
    assert found.counts.inexpressible == 2


@pytest.mark.parametrize("documents", [[note("a", span("SIGN", 0, 3))], [note(n, group="p") for n in "abc"]])
def test_one_document_or_one_patient_has_no_interval(documents: list[Document]) -> None:
    predicted = {document.id: [span("SIGN", 0, 3)] for document in documents}
    found = evaluate(documents, predicted, labels=["SIGN"], training_counts={})
    assert found.strict.micro.precision is not None
    assert found.strict.micro.precision_interval is None
    assert found.strict.macro.f1_interval is None
    assert found.intervals.units == 1


def test_patients_are_resampled_whole() -> None:
    documents = [note(f"{k}", span("SIGN", 0, 3), group=f"p{k % 2}") for k in range(20)]
    predicted = {f"{k}": [span("SIGN", 0, 3)] for k in range(0, 20, 2)}
    found = evaluate(documents, predicted, labels=["SIGN"], training_counts={})
    assert (found.intervals.unit, found.intervals.units) == ("group", 2)
    # two patients, one found and one missed: a quarter of the resamples each at recall 0 and 1
    assert found.strict.micro.recall_interval == (0.0, 1.0)


def test_intervals_surround_the_figure_and_can_be_left_out() -> None:
    figures = small().strict.labels["SIGN"]
    assert figures.recall is not None
    assert figures.recall_interval is not None
    assert figures.recall_interval[0] <= figures.recall <= figures.recall_interval[1]
    assert small(resamples=0).strict.labels["SIGN"].recall_interval is None


some = st.lists(
    st.builds(
        lambda label, start, length: span(label, start, start + length),
        st.sampled_from(["A", "B", "RARE_A"]),
        st.integers(0, 20),
        st.integers(1, 6),
    ),
    max_size=5,
)


@given(st.lists(st.tuples(some, some), min_size=1, max_size=5), st.randoms())
def test_no_order_changes_anything(drawn: list[tuple[list[Mention], list[Mention]]], rng: random.Random) -> None:
    def shuffled(items: list[Mention]) -> list[Mention]:
        return rng.sample(items, len(items))

    gold = [note(str(k), *g, group=f"p{k % 3}") for k, (g, _) in enumerate(drawn)]
    predicted = {str(k): p for k, (_, p) in enumerate(drawn)}
    labels = ["A", "B", "RARE_A", "C"]
    mixed = [note(d.id, *shuffled(list(d.mentions)), **d.metadata) for d in rng.sample(gold, len(gold))]
    other = {name: shuffled(predicted[name]) for name in rng.sample(sorted(predicted), len(predicted))}
    one = evaluate(gold, predicted, labels=labels, training_counts=TRAINING, resamples=50)
    two = evaluate(mixed, other, labels=labels[::-1], training_counts=TRAINING, resamples=50)
    assert json.dumps(one.to_json()) == json.dumps(two.to_json())
    for narrow, wide in pairwise((one.strict, one.overlap, one.type)):
        assert narrow.micro.correct <= wide.micro.correct


def test_the_table_lists_every_label_by_training_count() -> None:
    rows = table_rows(small())
    assert [row.label for row in rows] == ["SIGN", "DRUG", "RARE", "NEW", "UNSEEN"]
    assert [row.training for row in rows] == [700, 80, 3, 0, 0]
    assert [row.group for row in rows] == ["head", "medium", "tail", "tail", "tail"]
    assert (rows[0].gold, rows[0].predicted, rows[0].correct) == (11, 9, 8)
    assert rows[0].f1_interval == small().strict.labels["SIGN"].f1_interval
    assert table_rows(small(), scheme="overlap")[1].f1 == 1.0


def test_nothing_to_evaluate_is_a_data_error() -> None:
    with pytest.raises(DataError, match="no documents to evaluate"):
        evaluate([], {}, labels=["SIGN"], training_counts={})


def test_250_documents_25_labels_and_2000_resamples_take_no_time() -> None:
    rng = random.Random(0)
    labels = [f"L{k}" for k in range(25)]
    gold = [note(str(k), *(span(rng.choice(labels), s, s + 3) for s in range(0, 57, 2))) for k in range(250)]
    predicted = {d.id: [m for m in d.mentions if rng.random() < 0.7] for d in gold}
    taken = []
    for _ in range(3):
        start = time.process_time()
        evaluate(gold, predicted, labels=labels, training_counts={}, resamples=2000)
        taken.append(time.process_time() - start)
    # about half a second; a loop over the resamples would take many
    assert min(taken) < 2.0
