"""The shared corpora: counts equal an independent count over the raw files, and conversions keep every mention."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from raretag.corpus.document import Corpus
from raretag.corpus.formats import FORMATS, read_corpus, recognise

pytestmark = pytest.mark.corpora

SHARED = Path(__file__).resolve().parents[3] / ".." / "shared" / "data"
BRAT = ("maccrobat", "nubes", "meddocan")
FORMAT_OF = {
    **dict.fromkeys(BRAT, "brat"),
    "bionlp13cg": "conll",
    "bc5cdr": "conll",
    "nursing-ja": "inline-xml",
}


def corpus_folder(name: str) -> Path:
    folder = SHARED / name
    if not folder.is_dir():
        pytest.skip(f"the shared corpus {name} is not beside the project")
    return folder


def labels(corpus: Corpus) -> Counter[str]:
    return Counter(mention.label for document in corpus.documents for mention in document.mentions)


@pytest.mark.parametrize("name", BRAT)
def test_brat_counts(name: str) -> None:
    raw = [path.read_text(encoding="utf-8") for path in corpus_folder(name).rglob("*.ann")]
    expected = Counter(label for text in raw for label in re.findall(r"^T[0-9]+\t(\S+) ", text, re.MULTILINE))
    assert labels(read_corpus(corpus_folder(name))) == expected


@pytest.mark.parametrize("name", ["bionlp13cg", "bc5cdr"])
def test_conll_counts(name: str) -> None:
    expected: Counter[str] = Counter()
    for path in corpus_folder(name).glob("*.tsv"):
        before = "O"
        for line in path.read_text(encoding="utf-8").split("\n"):
            tag = line.split("\t")[-1] or "O"
            if tag[0] == "B" or (tag[0] == "I" and before[2:] != tag[2:]):
                expected[tag[2:]] += 1
            before = tag
    assert labels(read_corpus(corpus_folder(name))) == expected


def test_inline_xml_counts() -> None:
    raw = (corpus_folder("nursing-ja") / "PatientStatus.xml").read_text(encoding="utf-8")
    structure = {"root", "DOCUMENT", "DATE", "TITLE", "S"}
    corpus = read_corpus(corpus_folder("nursing-ja"))
    assert labels(corpus) == Counter(n for n in re.findall(r"</([\w-]+)>", raw) if n not in structure)
    assert len(corpus.documents) == len(re.findall("<DOCUMENT ", raw)) == 1008


@pytest.mark.parametrize("name", list(FORMAT_OF))
def test_formats_are_recognised_and_offsets_agree(name: str) -> None:
    folder = corpus_folder(name)
    assert recognise(folder).name == FORMAT_OF[name]
    corpus = read_corpus(folder)
    assert len({document.id for document in corpus.documents}) == len(corpus.documents)
    assert sum(finding.rule == "brat.text-differs" for finding in corpus.findings) <= 1


def test_official_splits() -> None:
    documents = read_corpus(corpus_folder("meddocan")).documents
    splits = Counter(document.metadata["split"] for document in documents)
    assert splits == {"train": 500, "validation": 250, "test": 250}


@pytest.mark.parametrize("between", ["jsonl", "label-studio"])
@pytest.mark.parametrize("name", BRAT)
def test_conversions_keep_everything(name: str, between: str, tmp_path: Path) -> None:
    first = read_corpus(corpus_folder(name))
    FORMATS[between].write(first, tmp_path / "between")
    second = FORMATS[between].read(tmp_path / "between")
    assert second.documents == first.documents
    findings = FORMATS["brat"].write(second, tmp_path / "brat")
    assert {finding.rule for finding in findings} <= {"brat.reference"}
    third = FORMATS["brat"].read(tmp_path / "brat")
    assert [(d.id, d.text, d.mentions) for d in third.documents] == [
        (d.id, d.text, d.mentions) for d in first.documents
    ]
    assert sum(len(d.extras) for d in third.documents) == sum(len(d.extras) for d in first.documents) - len(findings)


def test_inline_xml_comes_back(tmp_path: Path) -> None:
    first = read_corpus(corpus_folder("nursing-ja"))
    assert FORMATS["inline-xml"].write(first, tmp_path / "x") == ()
    assert FORMATS["inline-xml"].read(tmp_path / "x").documents == first.documents


@pytest.mark.parametrize("name", ["bionlp13cg", "bc5cdr"])
def test_conll_keeps_every_mention(name: str, tmp_path: Path) -> None:
    first = read_corpus(corpus_folder(name))
    FORMATS["conll"].write(first, tmp_path / "x")
    assert labels(FORMATS["conll"].read(tmp_path / "x")) == labels(first)
