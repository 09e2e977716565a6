"""CoNLL: schemes, documents, repairs and errors."""

from __future__ import annotations

from pathlib import Path

import pytest

from raretag.corpus.document import Corpus, Document, Mention
from raretag.corpus.formats import FORMATS, recognise
from raretag.corpus.formats.conll_tags import Row, scheme
from raretag.errors import DataError

CONLL = FORMATS["conll"]


def read(folder: Path, text: str, name: str = "x.tsv") -> Corpus:
    (folder / name).write_bytes(text.encode())
    return CONLL.read(folder / name)


def found(corpus: Corpus) -> list[tuple[str, str]]:
    return [(m.label, d.text[m.start : m.end]) for d in corpus.documents for m in d.mentions]


def column(tags: str) -> str:
    return "".join(f"w{n} {tag}\n" if tag != "." else "\n" for n, tag in enumerate(tags.split()))


@pytest.mark.parametrize(
    ("tags", "name", "mentions", "repaired"),
    [
        ("I-A I-A O I-B I-A", "IO", ["w0 w1", "w3", "w4"], []),
        ("I-A B-A I-A O I-B", "IOB1", ["w0", "w1 w2", "w4"], []),
        ("B-A I-A B-A O B-B", "IOB2", ["w0 w1", "w2", "w4"], []),
        ("B-A I-A B-A O I-B B-B", "IOB2", ["w0 w1", "w2", "w4", "w5"], [5]),
        ("B-A I-B O B-B B-A . I-A", "IOB2", ["w0", "w1", "w3", "w4", "w6"], [2, 7]),
        ("S-A B-A I-A E-A O S-B", "BIOES", ["w0", "w1 w2 w3", "w5"], []),
        ("U-A B-A I-A L-A O U-B", "BIOES", ["w0", "w1 w2 w3", "w5"], []),
        ("S-A B-A O E-B I-B", "BIOES", ["w0", "w1", "w3", "w4"], [2, 4, 5]),
        ("S-A B-A I-A . O", "BIOES", ["w0", "w1 w2"], [3]),
    ],
)
def test_schemes_and_repairs(tags: str, name: str, mentions: list[str], repaired: list[int], tmp_path: Path) -> None:
    cells = [group.split() for group in tags.split(" . ")]
    assert scheme([[Row(token="w", tag=tag, line=1) for tag in group] for group in cells]) == name
    corpus = read(tmp_path, column(tags))
    assert [text for _, text in found(corpus)] == mentions
    assert [f.line for f in corpus.findings if f.rule == "conll.tag-sequence"] == repaired


def test_labels_may_hold_hyphens_and_columns_may_be_four(tmp_path: Path) -> None:
    corpus = read(tmp_path, "EU NNP I-NP B-t-key-1\r\nrejects VBZ I-VP O\r\n")
    assert found(corpus) == [("t-key-1", "EU")]
    assert corpus.documents[0].text == "EU rejects"


def test_tabs_allow_blanks_in_tokens(tmp_path: Path) -> None:
    assert found(read(tmp_path, "10 mg\tB-Dose\n# \tO\n")) == [("Dose", "10 mg")]


def test_documents_by_marker(tmp_path: Path) -> None:
    corpus = read(
        tmp_path,
        "-DOCSTART- -X- O O\n\na x y B-A\n\nb x y O\nc x y I-A\n\n-DOCSTART- (note 7)\n\n# id = n8\nd x y O\n"
        "#doc n9\ne x y O\n# sent_id = 4\nf x y O\n-DOCSTART- -X- O O\n# id = n8\ng x y O\n",
    )
    assert [(d.id, d.text) for d in corpus.documents] == [
        ("x-1", "a\nb c"),
        ("note 7", ""),
        ("n8", "d"),
        ("n9", "e\nf"),
        ("n8-2", "g"),
    ]
    assert [f.rule for f in corpus.findings] == ["conll.tag-sequence", "id.duplicate"]


def test_only_a_marker_of_its_own_starts_a_document(tmp_path: Path) -> None:
    corpus = read(tmp_path, "-DOCSTART-\n\na O\n-DOCSTART-x B-A\n\n-DOCSTART- word O O\n\nb O\n")
    assert [(d.id, d.text) for d in corpus.documents] == [("x-1", "a -DOCSTART-x"), ("x-2", "b")]


def test_without_markers_each_sentence_is_a_document_and_one_finding_says_so(tmp_path: Path) -> None:
    corpus = read(tmp_path, "\n\na B-A\n\n\nb O\nc B-A\n")
    assert [(d.id, d.text) for d in corpus.documents] == [("x-1", "a"), ("x-2", "b c")]
    assert [(f.rule, f.file) for f in corpus.findings] == [("conll.no-documents", "x.tsv")]


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("a\tO\nb\tx\tO\n", 2, "3 columns, but the first token line has 2"),
        ("a O\n\nb\n", 3, "one column"),
        ("a\tO\n\tB-A\n", 2, "token is empty"),
        ("a\tO\nb\tB-A\t\n", 2, "3 columns"),
        ("a\n", 1, "one column"),
    ],
)
def test_wrong_numbers_of_columns_are_errors(text: str, line: int, message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=message) as caught:
        read(tmp_path, text)
    assert caught.value.line == line
    assert caught.value.file == str(tmp_path / "x.tsv")


def test_a_broken_line_does_not_hide_the_format(tmp_path: Path) -> None:
    (tmp_path / "train.txt").write_text("a\tO\n" * 20 + "broken\n" + "b\tB-A\n" * 20)
    assert recognise(tmp_path) is CONLL


def test_unknown_tags(tmp_path: Path) -> None:
    corpus = read(tmp_path, "a B-A\nb ??\nc O\n")
    assert found(corpus) == [("A", "a")]
    assert [(f.rule, f.line) for f in corpus.findings if f.line] == [("conll.tag-form", 2)]
    assert found(read(tmp_path, "a Drug\nb Drug\nc O\n")) == [("Drug", "a b")]
    with pytest.raises(DataError, match="holds no tags"):
        read(tmp_path, "the patient\nwas well\n")


def test_writing_cuts_tokens_at_borders_and_keeps_every_flat_mention(tmp_path: Path) -> None:
    text = "頭痛があり\nBP120/80 at\nhome"
    document = Document(
        id="n",
        text=text,
        mentions=(
            Mention(label="Sign", start=0, end=2),
            Mention(label="Lab value", start=8, end=14),
            Mention(label="Place", start=15, end=22),
            Mention(label="Long", start=7, end=14, fragments=((7, 8), (9, 14))),
            Mention(label="Short", start=16, end=17),
            Mention(label="Blank", start=5, end=6),
        ),
    )
    findings = CONLL.write(Corpus(documents=(document,)), tmp_path / "x")
    assert sorted((f.rule, f.label) for f in findings) == [
        ("conll.fragments", "Long"),
        ("conll.label-changed", "Lab value"),
        ("conll.no-token", "Blank"),
        ("conll.overlap", "Short"),
    ]
    assert (tmp_path / "x").read_text(encoding="utf-8") == (
        "-DOCSTART- (n)\n\n頭痛\tB-Sign\nがあり\tO\n\nBP\tO\n120\tB-Lab_value\n/\tI-Lab_value\n80\tI-Lab_value\n"
        "at\tB-Place\nhome\tI-Place\n\n"
    )


def test_ids_with_brackets_line_breaks_and_tabs(tmp_path: Path) -> None:
    ids = ("a (b)", "c\nd", "O", "e\tf")
    documents = tuple(Document(id=one, text="x") for one in ids)
    findings = CONLL.write(Corpus(documents=documents), tmp_path / "x")
    assert [finding.rule for finding in findings] == ["conll.id-changed"] * 2
    assert [d.id for d in CONLL.read(tmp_path / "x").documents] == ["a (b)", "c d", "O", "e f"]
