"""JSONL: the own form, Prodigy's and doccano's, and what is wrong with a record."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from raretag.corpus.document import Corpus, Document, Mention
from raretag.corpus.formats import FORMATS
from raretag.errors import DataError

JSONL = FORMATS["jsonl"]
FEVER = (Mention(label="Sign", start=0, end=5),)


def read(folder: Path, *records: object) -> Corpus:
    lines = [record if isinstance(record, str) else json.dumps(record) for record in records]
    (folder / "x.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return JSONL.read(folder / "x.jsonl")


def test_everything_comes_back(tmp_path: Path) -> None:
    document = Document(
        id="n/1",
        text="Fever\r\n and joint pain\u2028😀",
        mentions=(
            Mention(label="a b", start=0, end=22, fragments=((0, 5), (17, 22)), score=0.1, note="", id="T1"),
            Mention(label="a b", start=0, end=5),
        ),
        metadata={"group": "7", "split": "test", "empty": ""},
        extras=("R1\tx Arg1:T1 Arg2:T1\t",),
    )
    assert JSONL.write(Corpus(documents=(document,)), tmp_path / "x") == ()
    corpus = JSONL.read(tmp_path / "x")
    assert corpus.documents == (document,)
    assert corpus.findings == ()


@pytest.mark.parametrize(
    "record",
    [
        {"text": "Fever", "spans": [{"start": 0, "end": 5, "label": "Sign", "token_start": 0, "token_end": 0}]},
        {"text": "Fever", "label": [[0, 5, "Sign"]], "Comments": []},
        {"text": "Fever", "labels": [[0, 5, "Sign"]], "label": []},
        {"text": "Fever", "entities": [{"label": "Sign", "start_offset": 0, "end_offset": 5}], "relations": []},
        {"text": "Fever", "mentions": [{"start": 0, "end": 5, "label": "Sign"}], "spans": None},
    ],
)
def test_span_forms(record: object, tmp_path: Path) -> None:
    corpus = read(tmp_path, record)
    assert corpus.documents == (Document(id="x-1", text="Fever", mentions=FEVER),)
    assert corpus.findings == ()


def test_ids_and_metadata_become_strings(tmp_path: Path) -> None:
    meta = {"group": 12, "old": True, "dose": 0.5, "none": None, "list": [1]}
    corpus = read(tmp_path, {"id": 7, "text": "a", "meta": meta}, {"id": 7, "text": "b"}, "", {"text": "c"})
    assert [document.id for document in corpus.documents] == ["7", "7-2", "x-3"]
    assert corpus.documents[0].metadata == {"group": "12", "old": "true", "dose": "0.5"}
    assert [(f.rule, f.key, f.line) for f in corpus.findings] == [
        ("json.value", "list", None),
        ("id.duplicate", None, 2),
    ]


def test_rejected_and_ignored_records_are_left_out(tmp_path: Path) -> None:
    corpus = read(
        tmp_path,
        {"text": "a", "spans": [], "answer": "reject"},
        {"text": "b", "spans": [], "answer": "ignore"},
        {"text": "c", "spans": [], "answer": "accept"},
    )
    assert [document.text for document in corpus.documents] == ["c"]
    assert [(f.rule, f.line) for f in corpus.findings] == [("json.answer", 1), ("json.answer", 2)]


def test_unknown_keys_are_reported_once_per_file(tmp_path: Path) -> None:
    record = {"text": "Fever", "_task_hash": 1, "mentions": [{"start": 0, "end": 5, "label": "Sign", "who": 3}]}
    corpus = read(tmp_path, record, record)
    assert [(f.rule, f.key, f.line) for f in corpus.findings] == [
        ("json.key", "_task_hash", 1),
        ("json.key", "who", 1),
    ]
    assert [document.mentions for document in corpus.documents] == [FEVER, FEVER]


@pytest.mark.parametrize(
    "span",
    [
        {"start": 0, "end": 6, "label": "Sign"},
        {"start": 3, "end": 3, "label": "Sign"},
        {"start": -1, "end": 3, "label": "Sign"},
        {"start": 0.0, "end": 3, "label": "Sign"},
        {"start": False, "end": True, "label": "Sign"},
        {"start": "0", "end": 3, "label": "Sign"},
        {"start": 0, "label": "Sign"},
        {"start": 0, "end": 3},
        {"start": 0, "end": 3, "label": ""},
        {"start": 0, "end": 3, "label": ["Sign"]},
        {"start": 0, "end": 3, "label": "Sign", "fragments": [[0, 2], [1, 3]]},
        {"start": 0, "end": 3, "label": "Sign", "fragments": [[0, 1], [2, 4]]},
        {"start": 0, "end": 3, "label": "Sign", "fragments": [[0]]},
        {"start": 0, "end": 3, "label": "Sign", "fragments": 5},
        [0, 3],
        [0, "3", "Sign"],
        "Sign",
        None,
    ],
)
def test_bad_spans_are_findings(span: object, tmp_path: Path) -> None:
    good = {"start": 0, "end": 5, "label": "Sign"}
    corpus = read(tmp_path, {"id": "n", "text": "Fever", "mentions": [span, good]})
    assert corpus.documents[0].mentions == FEVER
    assert [(f.rule, f.document, f.line) for f in corpus.findings] == [("json.span", "n", 1)]


@pytest.mark.parametrize("score", [1.5, -0.1, "0.5", True, float("nan"), 10**400])
def test_bad_scores_are_findings(score: object, tmp_path: Path) -> None:
    corpus = read(tmp_path, {"text": "Fever", "spans": [{"start": 0, "end": 5, "label": "Sign", "score": score}]})
    assert corpus.documents[0].mentions == FEVER
    assert [(f.rule, f.key) for f in corpus.findings] == [("json.value", "score")]


@pytest.mark.parametrize("record", [[], "text", 5, {}, {"text": 5}, {"mentions": []}])
def test_records_without_text_are_findings(record: object, tmp_path: Path) -> None:
    corpus = read(tmp_path, json.dumps(record), {"text": "a"})
    assert [document.text for document in corpus.documents] == ["a"]
    assert [(f.rule, f.line) for f in corpus.findings] == [("json.record", 1)]


@pytest.mark.parametrize("key", ["label", "extras", "metadata"])
def test_values_of_the_wrong_type_are_findings(key: str, tmp_path: Path) -> None:
    corpus = read(tmp_path, {"text": "a", key: "words"})
    assert [(f.rule, f.key) for f in corpus.findings] == [("json.value", key)]


@pytest.mark.parametrize("line", ['{"text": "b"', "not json", "[" * 100_000, '{"text": ' + "9" * 5000 + "}"])
def test_bad_json_is_an_error_with_its_line(line: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="JSON") as caught:
        read(tmp_path, {"text": "a"}, line)
    assert caught.value.line == 2
    assert caught.value.file == str(tmp_path / "x.jsonl")


def test_unpaired_surrogates_are_replaced(tmp_path: Path) -> None:
    corpus = read(tmp_path, '{"text": "a\\ud83db\\ud83d\\ude00\\u0000", "label": [[1, 3, "\\ud800"]]}')
    assert corpus.documents[0].text == "a\ufffdb😀\ufffd"
    assert [m.label for m in corpus.documents[0].mentions] == ["\ufffd"]
    assert [f.rule for f in corpus.findings] == ["text.character"]
