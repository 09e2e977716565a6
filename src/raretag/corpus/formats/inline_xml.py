"""Inline XML: the text of each record with its mentions as elements around the words."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar, final

from raretag.corpus.document import Document
from raretag.corpus.finding import Finding
from raretag.corpus.formats.base import Format
from raretag.corpus.formats.collect import Findings, Ids
from raretag.corpus.formats.files import REPLACEMENT, Source, sources
from raretag.corpus.formats.inline_xml_read import Scanner
from raretag.corpus.formats.inline_xml_syntax import MARKUP, is_record
from raretag.corpus.formats.inline_xml_write import record_lines

_SAMPLE = 5
_ID_NAMES = ("id", "num")


@final
class InlineXml(Format):
    """Inline XML: records (`DOCUMENT`, `doc`, `record`, in any case) that hold lines (`DATE`, `TITLE`, `S`) of text.

    Each line element is a line of the text as it is; other text in the record is a line of its own if it is not blank,
    stripped. Every other element is a mention with its name as label; elements may nest. The file need not be
    well-formed: attributes may be unquoted, `<` and `&` may stand for themselves, an unclosed line or record ends where
    the next begins. The document's id is the attribute `id`, else `num` (full-width digits become plain ones); other
    attributes of the record are metadata. The names with structure are constants in `inline_xml_syntax`.

    Written is well-formed XML of the same shape, every line of the text an `S` (a line end within a mention stays in
    it), with id, score and note as attributes. Text and offsets come back exactly; which lines were DATE or TITLE is
    not kept.
    """

    name: ClassVar[str] = "inline-xml"
    description: ClassVar[str] = "XML records with the mentions as elements around the words"
    suffixes: ClassVar[tuple[str, ...]] = (".xml",)
    holds: ClassVar[frozenset[str]] = frozenset({"metadata", "score", "note", "overlap"})

    def _recognise(self, root: Path) -> bool:
        found = sources(root, suffixes=self.suffixes)[:_SAMPLE]
        return bool(found) and all(_has_record(source.head()) for source in found)

    def _read(self, root: Path) -> tuple[list[Document], list[Finding]]:
        documents: list[Document] = []
        everything: list[Finding] = []
        ids = Ids()
        for source in sources(root, suffixes=self.suffixes):
            findings = Findings(file=source.file)
            documents.extend(_documents(source, ids=ids, findings=findings))
            everything.extend(findings.found)
        return documents, everything

    def _write(self, documents: Sequence[Document], *, target: Path) -> list[Finding]:
        findings = Findings()
        records = [record_lines(document, findings=findings) for document in documents]
        text = "".join(['<?xml version="1.0" encoding="UTF-8"?>\n<root>\n', *records, "</root>\n"])
        target.write_bytes(text.encode())
        return findings.found


def _has_record(head: str) -> bool:
    """Whether the file starts with markup and has a record in it."""
    names = (match["name"] for match in MARKUP.finditer(head))
    return head.lstrip().startswith("<") and any(name is not None and is_record(name) for name in names)


def _documents(source: Source, *, ids: Ids, findings: Findings) -> list[Document]:
    documents = []
    text = source.text()
    for number, record in enumerate(Scanner(text, findings=findings).records(), start=1):
        wanted = _id(record.attributes) or f"{source.stem}-{number}"
        id_ = ids.take(wanted)
        if id_ != wanted:
            findings.add("id.duplicate", document=id_, line=record.line)
        if REPLACEMENT in record.text and REPLACEMENT not in text:
            findings.add("text.character", document=id_, line=record.line)
        metadata = {key: value for key, value in record.attributes.items() if key not in _ID_NAMES}
        documents.append(
            Document(id=id_, text=record.text, mentions=record.mentions, metadata={**source.metadata, **metadata})
        )
    return documents


def _id(attributes: Mapping[str, str]) -> str:
    number = attributes.get("num", "")
    return attributes.get("id") or (unicodedata.normalize("NFKC", number) if number.isdecimal() else number)
