"""Inline XML: tolerant reading, well-formed writing."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from raretag.corpus.document import Corpus, Document, Mention
from raretag.corpus.formats import FORMATS, recognise
from raretag.errors import DataError

XML = FORMATS["inline-xml"]


def read(folder: Path, text: str) -> Corpus:
    (folder / "x.xml").write_bytes(text.encode())
    return XML.read(folder / "x.xml")


def found(corpus: Corpus) -> list[tuple[str, str]]:
    return [(m.label, d.text[m.start : m.end]) for d in corpus.documents for m in d.mentions]


def rules(corpus: Corpus) -> list[tuple[str, int | None]]:
    return [(finding.rule, finding.line) for finding in corpus.findings]


def test_records_lines_and_labels(tmp_path: Path) -> None:
    corpus = read(
        tmp_path,
        "<root>\n<DOCUMENT num=０１２>\t\r\n<DATE>１月</DATE><TITLE>不眠</TITLE>　\n"
        "<S>「<cc1><body>頭</body>痛</cc1>」</S>\n</DOCUMENT>\n"
        "<doc id='a/1' group=\"p 2\" split=test><!-- <S>no</S> --><S>a &lt; b &amp;amp; &#233;&#x1F600;"
        "<![CDATA[<x>&amp;]]> BP <90 & <drug>x</drug></S></doc></root>",
    )
    assert [(d.id, d.text) for d in corpus.documents] == [
        ("012", "１月\n不眠\n「頭痛」"),
        ("a/1", "a < b &amp; é😀<x>&amp; BP <90 & x"),
    ]
    assert found(corpus) == [("cc1", "頭痛"), ("body", "頭"), ("drug", "x")]
    assert corpus.documents[1].metadata == {"group": "p 2", "split": "test"}
    assert corpus.findings == ()
    assert recognise(tmp_path) is XML


def test_unclosed_structure_ends_where_the_next_begins(tmp_path: Path) -> None:
    corpus = read(
        tmp_path,
        "<DOCUMENT num=1>\n<TITLE>one</TITLE><TITLE><TITLE>two\n<S>three</S>\n\n"
        "<DOCUMENT num=2><S>four</DOCUMENT>\n<DOCUMENT num=3>\n<S>five",
    )
    assert [d.text for d in corpus.documents] == ["one\ntwo\n\nthree", "four", "five"]
    assert [rule for rule, _ in rules(corpus)] == ["xml.structure"] * 6
    assert [line for _, line in rules(corpus)] == [2, 3, 1, 5, 6, 7]


@pytest.mark.parametrize("line", ["a<x>b", "a</x>b", "a<x></x>b", "a<x/>b", "a<x>b</S><S>c</x>d", "<x>a</y>b"])
def test_label_tags_without_partner_make_no_mention(line: str, tmp_path: Path) -> None:
    corpus = read(tmp_path, f"<doc>\n<S>{line}</S>\n<S><ok>e</ok></S></doc>")
    assert found(corpus) == [("ok", "e")]
    assert set(rules(corpus)) == {("xml.tag", 2)}


def test_crossing_labels_are_overlapping_mentions(tmp_path: Path) -> None:
    corpus = read(tmp_path, "<doc><S><a>one <b>two</a> three</b></S></doc>")
    assert found(corpus) == [("a", "one two"), ("b", "two three")]
    findings = XML.write(corpus, tmp_path / "out")
    assert [(f.rule, f.label) for f in findings] == [("xml.overlap", "b")]


def test_text_outside_lines_is_a_line(tmp_path: Path) -> None:
    corpus = read(tmp_path, "<doc>\n  one <a> two </a>\n  <S> three </S>\n four</doc>")
    assert corpus.documents[0].text == "one  two\n three \nfour"
    assert found(corpus) == [("a", " two")]
    assert rules(corpus) == [("xml.loose-text", 1)]
    whole = read(tmp_path, "<doc>\none\n<a>two</a>\n</doc>")
    assert (whole.documents[0].text, found(whole), whole.findings) == ("one\ntwo", [("a", "two")], ())


def test_unknown_attributes_are_reported_once_and_unusable_scores_each(tmp_path: Path) -> None:
    corpus = read(tmp_path, "<doc><S><a x=1 id=T1 score=2>b</a><a y=1 score=x>c</a></S></doc>")
    assert [(m.id, m.score) for m in corpus.documents[0].mentions] == [("T1", None), (None, None)]
    assert rules(corpus) == [("xml.attribute", 1), ("xml.score", 1), ("xml.score", 1)]


def test_writing_is_well_formed_and_reports_what_it_changes(tmp_path: Path) -> None:
    document = Document(
        id='a"1\n',
        text="x < y\r\n& 'z'\tq\n",
        mentions=(
            Mention(label="Lab value", start=0, end=5, score=0.5, note='"n"\n', id="T1"),
            Mention(label="S", start=4, end=5),
            Mention(label="1st", start=4, end=9),
            Mention(label="F", start=0, end=13, fragments=((0, 1), (12, 13))),
            Mention(label="Across", start=9, end=15),
            Mention(label="Same", start=9, end=15),
        ),
        metadata={"group": "<p>", "not a name": "x", "num": "5"},
        extras=("R1",),
    )
    findings = XML.write(Corpus(documents=(document,)), tmp_path / "x.xml")
    # A metadata key that is no plain name is not repeated in a Finding: it could be anything.
    assert sorted((f.rule, str(f.label or f.key)) for f in findings) == [
        ("write.lost", "None"),
        ("write.lost", "extras"),
        ("write.lost", "num"),
        ("xml.fragments", "F"),
        ("xml.label-changed", "Lab value"),
        ("xml.label-changed", "S"),
        ("xml.overlap", "1st"),
    ]
    (record,) = ElementTree.parse(tmp_path / "x.xml").getroot()
    assert (record.get("id"), record.get("group")) == ('a"1\n', "<p>")
    assert "\n".join("".join(line.itertext()) for line in record) == document.text
    read_back = XML.read(tmp_path / "x.xml")
    assert read_back.documents[0].text == document.text
    assert [(m.label, m.start, m.end, m.score, m.note, m.id) for m in read_back.documents[0].mentions] == [
        ("Lab_value", 0, 5, 0.5, '"n"\n', "T1"),
        ("S_", 4, 5, None, None, None),
        ("Across", 9, 15, None, None, None),
        ("Same", 9, 15, None, None, None),
    ]


def test_control_characters_survive_and_are_reported(tmp_path: Path) -> None:
    document = Document(id="a", text="x\x01\x85\uffffy")
    assert [f.rule for f in XML.write(Corpus(documents=(document,)), tmp_path / "x")] == ["xml.character"]
    assert XML.read(tmp_path / "x").documents == (document,)


def test_references_to_what_no_text_may_hold_are_replaced_and_reported(tmp_path: Path) -> None:
    corpus = read(tmp_path, "<doc><S>a&#0;<x>b</x>&#xD800;&#1114112;&nbsp;</S></doc>")
    assert corpus.documents[0].text == "a\ufffdb\ufffd&#1114112;&nbsp;"
    assert found(corpus) == [("x", "b")]
    assert rules(corpus) == [("text.character", 1)]


@pytest.mark.parametrize("text", ["<root><p>no record</p></root>", "plain text"])
def test_files_without_records_are_errors(text: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no document"):
        read(tmp_path, text)
