"""Generated documents survive writing and reading: wholly, or but for what the Findings say."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raretag.corpus.document import Corpus, Document, Mention
from raretag.corpus.formats import FORMATS

COUNT = itertools.count()
CHARACTERS = st.one_of(
    st.sampled_from("ab 12\n\r\t.-&<>#\"'"),
    st.sampled_from("痛み頭😀é\u0301\u3000\ufeff\u2028\x85\x01"),
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"),
)
TEXTS = st.text(CHARACTERS, max_size=30)
LABELS = st.sampled_from(["Sign", "B-x", "t-key", "疾患", "I", "O_x"])
NOTES = st.none() | TEXTS
# brat keeps a line as a note; one that says what it writes for a score is read as a score.
LINES = TEXTS.map(lambda text: re.sub(r"[\r\n]", " ", text)).filter(lambda text: not text.startswith("probability"))
ENTITY_IDS = st.none() | st.sampled_from(["T1", "T2", "T3", "T40"])
TOKEN = re.compile(r"\w+|[^\w\s]")


@st.composite
def mentions(draw: st.DrawFn, *, text: str, notes: st.SearchStrategy[str | None], flat: bool = False) -> Mention:
    parts = 1 if flat else draw(st.integers(1, 3))
    borders = sorted(draw(st.lists(st.integers(0, len(text)), min_size=2 * parts, max_size=2 * parts)))
    pairs = tuple((a, b) for a, b in zip(borders[::2], borders[1::2], strict=True) if a < b)
    if not pairs:
        start = draw(st.integers(0, len(text) - 1))
        pairs = ((start, start + 1),)
    return Mention(
        label=draw(LABELS),
        start=pairs[0][0],
        end=pairs[-1][1],
        fragments=pairs if len(pairs) > 1 else (),
        score=draw(st.none() | st.floats(0, 1)),
        note=draw(notes),
        id=draw(ENTITY_IDS),
    )


@st.composite
def corpora(
    draw: st.DrawFn, *, notes: st.SearchStrategy[str | None] = NOTES, flat: bool = False, plain: bool = False
) -> Corpus:
    documents = []
    for number in range(draw(st.integers(1, 2))):
        text = draw(TEXTS)
        found = draw(st.lists(mentions(text=text, notes=notes, flat=flat), max_size=5)) if text else []
        metadata = {} if plain else draw(st.dictionaries(st.sampled_from(["group", "ward"]), TEXTS))
        documents.append(Document(id=f"n/{number}", text=text, mentions=tuple(found), metadata=metadata))
    return Corpus(documents=tuple(documents))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("round-trips")


def through(corpus: Corpus, name: str, folder: Path) -> Corpus:
    target = folder / f"{name}-{next(COUNT)}"
    FORMATS[name].write(corpus, target)
    read = FORMATS[name].read(target)
    assert [f for f in read.findings if f.rule != "conll.no-documents"] == []
    return read


def unnumbered(corpus: Corpus) -> list[tuple[str, list[tuple[object, ...]]]]:
    return [(d.text, [(m.label, m.parts, m.score, m.note) for m in d.mentions]) for d in corpus.documents]


@settings(max_examples=200, deadline=None)
@given(corpus=corpora())
@pytest.mark.parametrize("name", ["jsonl", "label-studio"])
def test_lossless_formats(name: str, folder: Path, corpus: Corpus) -> None:
    assert through(corpus, name, folder).documents == corpus.documents


@settings(max_examples=300, deadline=None)
@given(corpus=corpora(notes=st.none() | LINES, plain=True))
@pytest.mark.parametrize("between", ["jsonl", "label-studio"])
def test_brat_to_another_and_back_keeps_every_mention(between: str, folder: Path, corpus: Corpus) -> None:
    first = through(corpus, "brat", folder)
    assert unnumbered(first) == unnumbered(corpus)
    for before, after in zip(corpus.documents, first.documents, strict=True):
        given_ids = [m.id for m in before.mentions]
        ids = [m.id for m in after.mentions]
        assert len(set(ids)) == len(ids)
        assert all(new == old for old, new in zip(given_ids, ids, strict=True) if old and given_ids.count(old) == 1)
    second = through(first, between, folder)
    assert second.documents == first.documents
    assert through(second, "brat", folder).documents == first.documents


@settings(max_examples=300, deadline=None)
@given(corpus=corpora())
def test_inline_xml_keeps_text_and_nested_mentions(folder: Path, corpus: Corpus) -> None:
    target = folder / f"xml-{next(COUNT)}"
    findings = FORMATS["inline-xml"].write(corpus, target)
    read = FORMATS["inline-xml"].read(target)
    assert [d.text for d in read.documents] == [d.text for d in corpus.documents]
    assert [d.metadata for d in read.documents] == [d.metadata for d in corpus.documents]
    for before, after in zip(corpus.documents, read.documents, strict=True):
        kept = list(after.mentions)
        for mention in kept:
            assert kept.count(mention) <= before.mentions.count(mention)
        dropped = [f for f in findings if f.document == before.id and f.rule in ("xml.overlap", "xml.fragments")]
        assert len(kept) + len(dropped) == len(before.mentions)
        assert sum(f.rule == "xml.fragments" for f in dropped) == sum(bool(m.fragments) for m in before.mentions)
        crossing = [(a, b) for a in kept for b in kept if a.start < b.start < a.end < b.end]
        assert crossing == []
    if "xml.character" not in [finding.rule for finding in findings]:
        records = list(ElementTree.parse(target).getroot())
        texts = ["\n".join("".join(line.itertext()) for line in record) for record in records]
        assert texts == [d.text for d in corpus.documents]


@settings(max_examples=300, deadline=None)
@given(corpus=corpora(flat=True))
def test_conll_keeps_labels_and_tokens_of_flat_mentions(folder: Path, corpus: Corpus) -> None:
    read = through(corpus, "conll", folder)
    for before, after in zip(corpus.documents, read.documents, strict=True):
        assert after.text.split() == [t for chunk in _cut(before) for t in TOKEN.findall(chunk)]
        expected = [(m.label, TOKEN.findall(before.text[m.start : m.end])) for m in _flat(before)]
        assert [(m.label, after.text[m.start : m.end].split(" ")) for m in after.mentions] == expected


def _flat(document: Document) -> list[Mention]:
    """Longest first, by comparing every pair."""
    kept: list[Mention] = []
    for mention in sorted(document.mentions, key=lambda m: (-(m.end - m.start), m.start, m.label)):
        free = all(mention.end <= other.start or other.end <= mention.start for other in kept)
        if free and TOKEN.search(document.text[mention.start : mention.end]):
            kept.append(mention)
    return sorted(kept, key=lambda m: m.start)


def _cut(document: Document) -> list[str]:
    borders = sorted({0, len(document.text), *(b for m in _flat(document) for b in (m.start, m.end))})
    return [document.text[a:b] for a, b in itertools.pairwise(borders)]
