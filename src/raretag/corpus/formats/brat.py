"""brat standoff: a .txt file with the untouched text and an .ann file with the annotations beside it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, final

from raretag.corpus.document import Document
from raretag.corpus.finding import Finding
from raretag.corpus.formats.base import Format
from raretag.corpus.formats.brat_read import document_of
from raretag.corpus.formats.brat_write import annotation_lines, file_stem
from raretag.corpus.formats.collect import Findings, Ids
from raretag.corpus.formats.conll_tags import looks_tagged
from raretag.corpus.formats.files import BOM, SPLITS, Source, read_text, sources, split_of
from raretag.errors import DataError

_SAMPLE = 5
_ANNOTATION = re.compile(r"(?:[TREAMN#][\w-]*|\*)\t")
_MARKUP = re.compile(r'\s*(?:<[?!\w]|\{\s*"|\[\s*[\]{])')


@final
class Brat(Format):
    """brat standoff annotation (https://brat.nlplab.org/standoff.html), a folder of .txt and .ann pairs.

    Reads a folder at any depth, one .txt or one .ann file; plain .txt files are documents without mentions. Fragments
    are kept. The first `AnnotatorNotes` of an entity is the mention's note, one that says `probability 0.93` its score.
    Relations, events (their triggers are mentions), attributes, normalisations and other notes stay verbatim in
    `Document.extras` and are written back. Offsets mean the text as the annotation tool saw it: see `brat.text-form`.
    Folders, not file names, tell the part of a split.

    Writes a folder. Metadata have no place in it but for `split`, which becomes a folder (train, validation, test)
    above documents whose id does not say it already; mentions without a T id of their own get a new one.
    """

    name: ClassVar[str] = "brat"
    description: ClassVar[str] = "pairs of .txt and .ann files (brat standoff), or plain .txt files"
    suffixes: ClassVar[tuple[str, ...]] = (".txt", ".ann")
    holds: ClassVar[frozenset[str]] = frozenset({"split", "extras", "score", "note", "fragments", "overlap"})
    folder: ClassVar[bool] = True

    def _recognise(self, root: Path) -> bool:
        found = sources(root, suffixes=self.suffixes)
        marked = [source.head() for source in found if source.path.suffix.lower() == ".ann"][:_SAMPLE]
        if marked:
            return all(_looks_annotated(head) for head in marked)
        plain = [source for source in found if source.path.suffix.lower() == ".txt"][:_SAMPLE]
        heads = [source.head() for source in plain]
        return bool(heads) and not any(looks_tagged(head) or _MARKUP.match(head) for head in heads)

    def _read(self, root: Path) -> tuple[list[Document], list[Finding]]:
        found = {source.path: source for source in _with_partner(root, suffixes=self.suffixes)}
        documents: list[Document] = []
        everything: list[Finding] = []
        ids = Ids()
        for path, source in found.items():
            if path.suffix.lower() == ".ann":
                if not any(path.with_suffix(suffix) in found for suffix in (".txt", ".TXT")):
                    everything.append(Finding(rule="brat.no-text", file=source.file))
                continue
            partner = next((p for s in (".ann", ".ANN") if (p := path.with_suffix(s)) in found), None)
            findings = Findings(file=source.file if partner is None else found[partner].file)
            document = self._document(source, partner=partner, ids=ids, findings=findings)
            documents.append(document)
            everything.extend(findings.found)
        if everything and not documents:
            remedy = "Put the .txt file with the same name beside it"
            raise DataError("the annotations have no text", remedy=remedy, file=next(iter(found)))
        return documents, everything

    def _document(self, source: Source, *, partner: Path | None, ids: Ids, findings: Findings) -> Document:
        id_ = ids.take(source.stem)
        if partner is None:
            findings.add("brat.no-ann", document=id_)
        annotations = "" if partner is None else read_text(partner).removeprefix(BOM)
        return document_of(
            read_text(source.path),
            annotations=annotations,
            id_=id_,
            metadata=source.metadata,
            findings=findings,
        )

    def _write(self, documents: Sequence[Document], *, target: Path) -> list[Finding]:
        findings = Findings()
        names = Ids()
        for document in documents:
            stem = _place(document, names=names, findings=findings)
            text = target / f"{stem}.txt"
            text.parent.mkdir(parents=True, exist_ok=True)
            text.write_bytes(document.text.encode())
            lines = annotation_lines(document, findings=findings)
            (target / f"{stem}.ann").write_bytes("".join(f"{line}\n" for line in lines).encode())
        return findings.found


def _looks_annotated(head: str) -> bool:
    """Whether the file is empty or one of its first lines is an annotation (a few may be broken)."""
    lines = [line for line in head.split("\n")[:_SAMPLE] if line.strip()]
    return not lines or any(_ANNOTATION.match(line) for line in lines)


def _with_partner(root: Path, *, suffixes: tuple[str, ...]) -> tuple[Source, ...]:
    """The files below the root; a single file together with the .txt or .ann of the same name beside it."""
    found = sources(root, suffixes=suffixes, a_note_each=True)
    if root.is_dir():
        return found
    other = ".txt" if root.suffix.lower() == ".ann" else ".ann"
    partner = root.with_suffix(other)
    return found + sources(partner, suffixes=suffixes) if partner.is_file() and partner != root else found


def _place(document: Document, *, names: Ids, findings: Findings) -> str:
    """The path of the document's files below the target, without suffix."""
    stem = file_stem(document.id)
    split = document.metadata.get("split")
    if split is not None and split not in SPLITS.values():
        findings.once("write.lost", key="split")
    elif split is not None and split_of(stem, folders_only=True) != split:
        stem = f"{split}/{stem}"
    # Some file systems take names that differ in case or composition for the same.
    key = unicodedata.normalize("NFC", stem).casefold()
    unique = stem + names.take(key)[len(key) :]
    if unique not in (document.id, f"{split}/{document.id}"):
        findings.add("brat.file-name", document=document.id)
    return unique
