"""Label Studio: exports, annotators, offsets and relations."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from raretag.corpus.document import Corpus, Document, Mention
from raretag.corpus.formats import FORMATS, recognise
from raretag.errors import DataError

STUDIO = FORMATS["label-studio"]
TEXT = "😀 Fever and pain"


def read(folder: Path, tasks: object) -> Corpus:
    (folder / "x.json").write_text(json.dumps(tasks), encoding="utf-8")
    return STUDIO.read(folder / "x.json")


def region(start: int, end: int, copy: str | None, *labels: str, kind: str = "labels") -> dict[str, object]:
    value: dict[str, object] = {"start": start, "end": end, kind: list(labels)}
    return {"id": f"r{start}", "type": kind, "value": value if copy is None else value | {"text": copy}}


def task(*results: object, **more: object) -> dict[str, object]:
    return {"id": 3, "data": {"text": TEXT}, "annotations": [{"result": list(results)}], **more}


def found(corpus: Corpus) -> list[tuple[str, str]]:
    return [(m.label, d.text[m.start : m.end]) for d in corpus.documents for m in d.mentions]


def rules(corpus: Corpus) -> list[str]:
    return [finding.rule for finding in corpus.findings]


def test_everything_comes_back(tmp_path: Path) -> None:
    document = Document(
        id="n/1",
        text=TEXT,
        mentions=(
            Mention(label="A", start=2, end=16, fragments=((2, 7), (12, 16)), score=0.25, note="a\nb", id="T1"),
            Mention(label="A", start=2, end=16, fragments=((2, 7), (7, 16)), id="T1"),
            Mention(label="B", start=0, end=7, note=""),
        ),
        metadata={"group": "7"},
        extras=("R1\tx Arg1:T1 Arg2:T1\t", "{broken"),
    )
    assert STUDIO.write(Corpus(documents=(document,)), tmp_path / "x") == ()
    corpus = STUDIO.read(tmp_path / "x")
    assert corpus.documents == (document,)
    assert corpus.findings == ()
    (written,) = json.loads((tmp_path / "x").read_text(encoding="utf-8"))
    ids = [result["id"] for result in written["annotations"][0]["result"]]
    assert len(set(ids)) == len(ids) == 5


def test_full_export(tmp_path: Path) -> None:
    results = [region(2, 7, "Fever", "Sign", "Sure"), region(12, 16, "pain", "Sign", kind="hypertextlabels")]
    relation = {"type": "relation", "from_id": "r2", "to_id": "r12", "direction": "right"}
    corpus = read(tmp_path, [task(*results, relation, meta={"group": 5})])
    assert recognise(tmp_path) is STUDIO
    assert found(corpus) == [("Sign", "Fever"), ("Sure", "Fever"), ("Sign", "pain")]
    document = corpus.documents[0]
    assert (document.id, document.metadata) == ("3", {"group": "5"})
    assert [mention.id for mention in document.mentions] == ["r2", None, "r12"]
    assert json.loads(document.extras[0]) == relation
    assert rules(corpus) == []
    STUDIO.write(corpus, tmp_path / "again")
    assert STUDIO.read(tmp_path / "again").documents == corpus.documents


@pytest.mark.parametrize("kind", ["labels", "hypertextlabels"])
def test_min_export(tmp_path: Path, kind: str) -> None:
    place = {"globalOffsets": {"start": 2, "end": 7}} if kind == "hypertextlabels" else {}
    label = [{"start": 2, "end": 7, "text": "Fever", kind: ["Sign"], **place}]
    corpus = read(tmp_path, [{"id": 9, "note": TEXT, "ward": 4, "label": label, "annotator": 1, "created_at": "x"}])
    assert found(corpus) == [("Sign", "Fever")]
    assert (corpus.documents[0].id, corpus.documents[0].metadata) == ("9", {"ward": "4"})


def test_offsets_in_utf16_units_are_converted_once(tmp_path: Path) -> None:
    beyond = region(13, 18, "pain!", "Sign")
    corpus = read(tmp_path, [task(region(3, 8, "Fever", "Sign"), region(13, 17, "pain", "Sign"), beyond)])
    assert found(corpus) == [("Sign", "Fever"), ("Sign", "pain")]
    assert rules(corpus) == ["label-studio.utf16", "json.span"]


def test_copies_that_never_agree_are_reported_and_offsets_beyond_the_text_not_used(tmp_path: Path) -> None:
    corpus = read(tmp_path, [task(region(2, 7, "Cough", "Sign"), region(2, 99, "Fever", "Sign"))])
    assert found(corpus) == [("Sign", "Fever")]
    assert sorted(rules(corpus)) == ["json.span", "label-studio.text-differs"]


@pytest.mark.parametrize(
    ("flags", "expected", "rule"),
    [
        ([{}, {"ground_truth": True}], ["B"], "label-studio.annotators"),
        ([{}, {}], ["A"], "label-studio.annotators"),
        ([{"was_cancelled": True}, {}], ["B"], "label-studio.annotators"),
        ([{"was_cancelled": True}], [], "label-studio.cancelled"),
    ],
)
def test_annotators(flags: list[dict[str, bool]], expected: list[str], rule: str, tmp_path: Path) -> None:
    labels = ["A", "B"]
    annotations = [
        {"result": [region(2, 7, "Fever", label)], **flag} for label, flag in zip(labels, flags, strict=False)
    ]
    corpus = read(tmp_path, [task(annotations=annotations)])
    assert [label for label, _ in found(corpus)] == expected
    assert rules(corpus) == [rule]


def test_predictions_and_other_results_are_reported(tmp_path: Path) -> None:
    choice = {"type": "choices", "value": {"choices": ["good"]}}
    corpus = read(tmp_path, [task(choice, choice, predictions=[{"result": [region(2, 7, "Fever", "Sign")]}])])
    assert found(corpus) == []
    assert rules(corpus) == ["label-studio.predictions", "label-studio.result"]


@pytest.mark.parametrize(
    "result",
    [
        {"type": "labels"},
        {"type": "labels", "value": {"start": "a", "end": 3, "labels": ["Sign"]}},
        {"type": "labels", "value": {"start": 0, "end": 3, "labels": []}},
        {"type": "labels", "value": {"start": 0, "end": 3, "labels": [3]}},
        {"type": "labels", "value": {"start": 4, "end": 3, "labels": ["Sign"]}},
    ],
)
def test_bad_regions_are_findings(result: object, tmp_path: Path) -> None:
    corpus = read(tmp_path, [task(result, region(2, 7, None, "Sign"))])
    assert found(corpus) == [("Sign", "Fever")]
    assert [(f.rule, f.document) for f in corpus.findings] == [("json.span", "3")]


@pytest.mark.parametrize("data", [{}, {"a": "x", "b": "y"}, "text", None, {"n": 3}])
def test_tasks_without_one_text_are_findings(data: object, tmp_path: Path) -> None:
    corpus = read(tmp_path, [{"data": data}, task()])
    assert [document.id for document in corpus.documents] == ["3"]
    assert [(f.rule, f.document) for f in corpus.findings] == [("json.record", "x-1")]


@pytest.mark.parametrize(
    ("text", "message"), [("[{]", "not JSON"), ("{}", "not a list"), ("[]", "no document"), ("[5]", "no document")]
)
def test_unusable_files_are_errors(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(DataError, match=message) as caught:
        STUDIO.read(tmp_path)
    assert caught.value.line == (1 if message == "not JSON" else None)
