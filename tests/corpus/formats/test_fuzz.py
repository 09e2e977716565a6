"""No input makes a reader raise anything but a RaretagError, and no message shows text of a note."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from raretag.corpus.document import Corpus
from raretag.corpus.formats import FORMATS, recognise
from raretag.errors import RaretagError

SECRET = "ZQXMARKERQXZ"
ANN = (
    f"T1\tSign 0 5\tFever\n#1\tAnnotatorNotes T1\tprobability 0.9\nT2\tDrug 10 22\t{SECRET}\n"
    f"T3\tSite 0 5;10 22\tFever {SECRET}\nE1\tSign:T1 Of:T2\nA1\tStage E1 T2\nR1\tIn Arg1:T1 Arg2:T2\t\n"
    f"*\tEquiv T1 T2\n#2\tAnnotatorNotes T2\t{SECRET}\n"
).encode()
TEXT = f"Fever and {SECRET} 😀\r\n痛み\n".encode()
COLUMNS = f"-DOCSTART- (a)\n\nFever\tB-Sign\n{SECRET}\tI-Sign\n\n# id = b\n{SECRET}\tS-Drug\n痛み\tE-Sign\n".encode()
RECORDS = "\n".join(
    json.dumps({"id": "a", "text": f"Fever {SECRET}", **spans})
    for spans in (
        {"mentions": [{"label": "A", "start": 0, "end": 18, "fragments": [[0, 5], [6, 18]], "score": 0.5}]},
        {"spans": [{"label": "A", "start": 0, "end": 5}], "answer": "accept", "meta": {"group": 1}},
        {"labels": [[0, 5, "A"]], "extras": [SECRET]},
        {"entities": [{"label": "A", "start_offset": 6, "end_offset": 18}]},
    )
).encode()
REGION = {"id": "r", "type": "labels", "value": {"start": 6, "end": 18, "text": SECRET, "labels": ["A", "B"]}}
TASKS = json.dumps(
    [
        {"id": 1, "data": {"text": f"Fever {SECRET} 😀"}, "annotations": [{"result": [REGION]}], "predictions": []},
        {"data": {"note": f"😀😀 {SECRET}"}, "annotations": [{"result": [REGION]}, {"was_cancelled": True}]},
        {"id": 2, "text": f"Fever {SECRET}", "label": [{"start": 6, "end": 18, "text": SECRET, "labels": ["A"]}]},
    ],
    ensure_ascii=False,
).encode()
MARKUP = (
    f"<root><DOCUMENT num=０１>\n<DATE>１月</DATE><TITLE>{SECRET}</TITLE>\n<S><a>Fe<b>ver</b></a> &lt; &#233;"
    f" {SECRET}</S>\n</DOCUMENT>"
    f'<DOCUMENT id="x" group=\'y\'><S><c note="{SECRET}" score="0.5">{SECRET}</c></S></DOCUMENT></root>'
).encode()
FILES: dict[str, dict[str, bytes]] = {
    "brat": {"n.ann": ANN, "n.txt": TEXT},
    "conll": {"n.tsv": COLUMNS},
    "jsonl": {"n.jsonl": RECORDS},
    "label-studio": {"n.json": TASKS},
    "inline-xml": {"n.xml": MARKUP},
}
PIECES = st.sampled_from(
    [
        *(bytes([code]) for code in b'\n\r\t <>"{}[],:\0\xe9'),
        *(b"</", b"/>", b"<S>", b"</S>", b"<doc>", b"</DOCUMENT>", b"&", b"&#0;", b"T1", b"R1\t", b"*\t", b"#\t"),
        *(b"-DOCSTART-", b"B-", b"0", b"-1", b"99999999999", b"1e999", b"null", b"true", b"\\ud800", b"\\u0000"),
        *(b"\xff\xfe", b"\xef\xbb\xbf", "😀".encode()),
    ]
)


@st.composite
def mutated(draw: st.DrawFn, data: bytes) -> bytes:
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(data)))
        end = draw(st.integers(start, min(len(data), start + 30)))
        data = data[:start] + draw(st.just(b"") | PIECES | st.binary(max_size=4)) + data[end:]
    return data


def failure(action: Callable[[], object]) -> RaretagError | None:
    """The error that the action ends in, if any; anything but a RaretagError fails the test."""
    try:
        action()
    except RaretagError as error:
        return error
    return None


def check(name: str, folder: Path, files: dict[str, bytes]) -> Corpus | None:
    """Read the files and look for the secret in every message; the corpus, or None where they cannot be read."""
    for file, data in files.items():
        (folder / file).write_bytes(data)
    found: list[Corpus] = []
    errors = [failure(lambda: recognise(folder)), failure(lambda: found.append(FORMATS[name].read(folder)))]
    for error in errors:
        assert error is None or (error.remedy and SECRET not in str(error))
    for corpus in found:
        for finding in corpus.findings:
            assert SECRET not in f"{finding} {finding.meaning} {finding.remedy}"
        for document in corpus.documents:
            assert document.text.encode() is not None
    return found[0] if found else None


@pytest.fixture(scope="module", params=list(FORMATS))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def folder(name: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp(name)


def fuzz(examples: int) -> settings:
    """Settings of a test that is the same every time; the two tests together make 2,000 inputs a reader."""
    return settings(
        max_examples=examples, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
    )


def test_the_seeds_are_valid(name: str, folder: Path) -> None:
    corpus = check(name, folder, FILES[name])
    assert corpus is not None
    assert any(document.mentions for document in corpus.documents)


@fuzz(1500)
@given(data=st.data())
def test_mutated_files(name: str, folder: Path, data: st.DataObject) -> None:
    check(name, folder, {file: data.draw(mutated(seed)) for file, seed in FILES[name].items()})


@fuzz(500)
@given(data=st.data())
def test_arbitrary_bytes(name: str, folder: Path, data: st.DataObject) -> None:
    binary = st.binary(max_size=100) | st.text(max_size=50).map(lambda text: text.encode("utf-8", "surrogatepass"))
    check(name, folder, {file: data.draw(binary) for file in FILES[name]})
