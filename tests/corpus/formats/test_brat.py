"""brat: what is read, kept and reported."""

from __future__ import annotations

from pathlib import Path

import pytest

from raretag.corpus.document import Corpus, Document, Mention
from raretag.corpus.formats import FORMATS, recognise
from raretag.corpus.formats.brat_lines import references
from raretag.corpus.formats.brat_write import file_stem
from raretag.errors import DataError

BRAT = FORMATS["brat"]
TEXT = "Fever and joint\npain 😀 today"


def read(folder: Path, ann: str | bytes | None, text: str | bytes = TEXT) -> Corpus:
    (folder / "n.txt").write_bytes(text if isinstance(text, bytes) else text.encode())
    if ann is not None:
        (folder / "n.ann").write_bytes(ann if isinstance(ann, bytes) else ann.encode())
    return BRAT.read(folder)


def rules(corpus: Corpus) -> list[str]:
    return [finding.rule for finding in corpus.findings]


def test_fragments_notes_scores_and_extras(tmp_path: Path) -> None:
    ann = (
        "T1\tSign 0 5\tFever\n"
        "#1\tAnnotatorNotes T1\tcheck\tthis\n"
        "#2\tAnnotatorNotes T1\tprobability 0.93\n"
        "#3\tAnnotatorNotes T1\tanother\n"
        "T2\tSite 10 15;16 20\tjoint pain\n"
        "T3\tSite 10 12;12 15\tjo int\n"
        "E1\tSign:T1 Where:T2\n"
        "A1\tStage E1 T9\n"
        "M1\tNegated T1\n"
        "N1\tReference T1 ICD:R50\tFever\n"
        "R1\tIn Arg1:T1 Arg2:T2\t\n"
        "*\tEquiv T1 T2\n"
        "#4\tAnnotatorNotes E1\tof the event\n"
    )
    corpus = read(tmp_path, ann)
    assert corpus.findings == ()
    document = corpus.documents[0]
    assert document.text == TEXT
    assert document.mentions == (
        Mention(label="Sign", start=0, end=5, note="check\tthis", score=0.93, id="T1"),
        Mention(label="Site", start=10, end=20, fragments=((10, 15), (16, 20)), id="T2"),
        Mention(label="Site", start=10, end=15, fragments=((10, 12), (12, 15)), id="T3"),
    )
    assert len(document.extras) == 8
    assert BRAT.write(corpus, tmp_path / "again") == ()
    again = (tmp_path / "again" / "n.ann").read_text(encoding="utf-8").splitlines()
    assert sorted(line.split("\t")[-1] for line in again) == sorted(line.split("\t")[-1] for line in ann.splitlines())
    assert BRAT.read(tmp_path / "again").documents == corpus.documents


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("T1\tSign symptom 0 5\tFever", "brat.label"),
        ("T1\tSign 0 99\tFever", "brat.offsets"),
        ("T1\tSign 5 5\t", "brat.offsets"),
        ("T1\tSign 9 5\t", "brat.offsets"),
        ("T1\tSign 0 4;3 5\tx", "brat.offsets"),
        ("T1\tSign 0\tFever", "brat.line"),
        ("T1\tSign 0 99999999999999999999\tFever", "brat.line"),
        ("T1 Sign 0 5 Fever", "brat.line"),
        ("something else", "brat.line"),
        ("R1 Arg1:T1", "brat.line"),
    ],
)
def test_unusable_lines_are_findings(line: str, rule: str, tmp_path: Path) -> None:
    corpus = read(tmp_path, f"T9\tSign 0 5\tFever\n{line}\n")
    assert [mention.id for mention in corpus.documents[0].mentions] == ["T9"]
    assert [(f.rule, f.file, f.line, f.document) for f in corpus.findings] == [(rule, "n.ann", 2, "n")]


def test_a_copy_that_differs_is_kept_and_reported(tmp_path: Path) -> None:
    corpus = read(tmp_path, "T1\tSign 0 5\tCough\nT2\tSite 10 20\tjoint pain\n")
    assert [mention.id for mention in corpus.documents[0].mentions] == ["T1", "T2"]
    (finding,) = corpus.findings
    assert (finding.rule, finding.line, finding.start, finding.end) == ("brat.text-differs", 1, 0, 5)


def test_a_number_used_twice_loses_it_the_second_time(tmp_path: Path) -> None:
    corpus = read(tmp_path, "T1\tA 0 5\tFever\nT1\tB 0 5\tFever\n#1\tAnnotatorNotes T1\tn\n")
    assert [(m.id, m.note) for m in corpus.documents[0].mentions] == [("T1", "n"), (None, None)]
    assert rules(corpus) == ["brat.duplicate-id"]


@pytest.mark.parametrize(
    ("raw", "start", "expected"),
    [
        ("one\r\ntwo", 5, "one\r\ntwo"),
        ("one\r\ntwo", 4, "one\ntwo"),
        ("\ufeffone two", 5, "\ufeffone two"),
        ("\ufeffone two", 4, "one two"),
        ("\ufeffone\r\ntwo", 4, "one\ntwo"),
        ("\ufeffone\r\ntwo", 5, None),
    ],
)
def test_the_form_of_the_text_that_fits_the_offsets(raw: str, start: int, expected: str | None, tmp_path: Path) -> None:
    corpus = read(tmp_path, f"T1\tN {start} {start + 3}\ttwo\r\n", text=raw)
    document = corpus.documents[0]
    # With a mark and CRLF, 5 is right without the mark or without the carriage return: the mark is tried first.
    assert document.text == ("one\r\ntwo" if expected is None else expected)
    assert document.text[document.mentions[0].start : document.mentions[0].end] == "two"
    assert rules(corpus) == ([] if document.text == raw else ["brat.text-form"])


def test_missing_halves(tmp_path: Path) -> None:
    (tmp_path / "orphan.ann").write_text("T1\tA 0 1\tx\n")
    with pytest.raises(DataError, match="no text") as caught:
        BRAT.read(tmp_path)
    assert "orphan.ann" in str(caught.value)
    corpus = read(tmp_path, None)
    assert rules(corpus) == ["brat.no-ann", "brat.no-text"] or rules(corpus) == ["brat.no-text", "brat.no-ann"]
    assert corpus.documents[0].mentions == ()
    assert rules(read(tmp_path, "")) == ["brat.no-text"]


def test_a_single_file_of_a_pair(tmp_path: Path) -> None:
    read(tmp_path, "T1\tSign 0 5\tFever\n")
    (tmp_path / "other.txt").write_text("x")
    for name in ("n.txt", "n.ann"):
        corpus = BRAT.read(tmp_path / name)
        assert [(d.id, len(d.mentions)) for d in corpus.documents] == [("n", 1)]
        assert recognise(tmp_path / name) is BRAT


def test_plain_text_is_readable(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "b.txt").write_text("[**Name**] T 38.5\nHR 90\n")
    (tmp_path / "a.txt").write_text("Fever.\n")
    corpus = recognise(tmp_path).read(tmp_path)
    assert [document.id for document in corpus.documents] == ["a", "deep/b"]


def test_fresh_numbers_avoid_every_number_in_use(tmp_path: Path) -> None:
    document = Document(
        id="n",
        text="abcdef",
        mentions=tuple(
            Mention(label="L", start=n, end=n + 1, id=id_) for n, id_ in enumerate(["T2", None, "T2", "x y"])
        ),
        extras=("R1\tIn Arg1:T1 Arg2:T2\t",),
    )
    findings = BRAT.write(Corpus(documents=(document,)), tmp_path / "out")
    assert [finding.rule for finding in findings] == ["brat.reference"]
    ids = [mention.id for mention in BRAT.read(tmp_path / "out").documents[0].mentions]
    assert ids == ["T2", "T3", "T4", "T5"]


def test_lines_about_a_removed_mention_go_with_it(tmp_path: Path) -> None:
    kept = ("E2\tSign:T2", "A2\tStage E2 T1", "M1\tNegated T2")
    gone = ("E1\tSign:T1 Where:T2", "R1\tIn Arg1:E1 Arg2:T2\t", "*\tEquiv T1 T2", "#1\tAnnotatorNotes R1\tx")
    document = Document(id="n", text="abc", mentions=(Mention(label="L", start=0, end=1, id="T2"),), extras=gone + kept)
    findings = BRAT.write(Corpus(documents=(document,)), tmp_path / "out")
    assert [finding.rule for finding in findings] == ["brat.reference"] * 4
    assert BRAT.read(tmp_path / "out").documents[0].extras == kept


def test_what_brat_cannot_hold_is_changed_and_reported(tmp_path: Path) -> None:
    document = Document(
        id="n",
        text="a\nb",
        mentions=(Mention(label="Lab\tvalue x", start=0, end=3, note="two\r\nlines"),),
        metadata={"split": "elsewhere"},
        extras=("a JSON line", "T7\tSneaky 0 1\ta", "R1\tbroken\nline"),
    )
    findings = BRAT.write(Corpus(documents=(document,)), tmp_path / "out")
    assert sorted(finding.rule for finding in findings) == [
        "brat.extra",
        "brat.label-changed",
        "brat.note-changed",
        "write.lost",
    ]
    assert (tmp_path / "out" / "n.ann").read_text() == ("T1\tLab_value_x 0 3\ta b\n#1\tAnnotatorNotes T1\ttwo lines\n")


def test_split_becomes_a_folder_unless_the_id_says_it(tmp_path: Path) -> None:
    documents = tuple(
        Document(id=id_, text="x", metadata={"split": split})
        for id_, split in [("a", "validation"), ("dev/b", "validation"), ("train/c", "test")]
    )
    BRAT.write(Corpus(documents=documents), tmp_path / "out")
    read = {d.id: d.metadata["split"] for d in BRAT.read(tmp_path / "out").documents}
    assert read == {"validation/a": "validation", "dev/b": "validation", "test/train/c": "test"}


@pytest.mark.parametrize(
    "id_",
    ["../../etc/passwd", "/root", "a//b", ".hidden", "README", "", "a\nb", "C:\\x", "x" * 500, "/".join("abc" * 300)],
)
def test_ids_become_safe_paths(id_: str, tmp_path: Path) -> None:
    stem = file_stem(id_)
    assert not stem.startswith((".", "/"))
    assert ".." not in stem.split("/")
    documents = (Document(id=id_, text="one"), Document(id="b", text="two"))
    findings = BRAT.write(Corpus(documents=documents), tmp_path / "out")
    assert [finding.rule for finding in findings] == ["brat.file-name"]
    read = BRAT.read(tmp_path / "out").documents
    assert sorted(document.text for document in read) == ["one", "two"]


def test_ids_that_meet_on_some_file_systems_stay_apart(tmp_path: Path) -> None:
    documents = tuple(Document(id=id_, text=id_) for id_ in ("Note", "note", "a.txt/b", "a"))
    BRAT.write(Corpus(documents=documents), tmp_path / "out")
    read = BRAT.read(tmp_path / "out").documents
    assert sorted(document.text for document in read) == sorted(document.text for document in documents)
    assert len({document.id.casefold() for document in read}) == 4


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("R1\tIn Arg1:T1 Arg2:E2\t", ["T1", "E2"]),
        ("E1\tSign:T3 ", ["T3"]),
        ("A1\tStage E1 T2", ["E1"]),
        ("N1\tReference T1 UMLS:T047\tfever", ["T1"]),
        ("*\tEquiv T1 T2 T3", ["T1", "T2", "T3"]),
        ("#1\tAnnotatorNotes T1\tsee T2", ["T1"]),
    ],
)
def test_references(line: str, expected: list[str]) -> None:
    assert references(line) == expected
