"""JSONL: one document a line, in raretag's own lossless form, Prodigy's or doccano's."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, final

from raretag.corpus.document import Document, Mention
from raretag.corpus.finding import Finding
from raretag.corpus.formats.base import Format
from raretag.corpus.formats.collect import Findings, Ids
from raretag.corpus.formats.files import sources
from raretag.corpus.formats.json_values import parse
from raretag.corpus.formats.jsonl_records import record_of

_SAMPLE = 5
_OBJECT_WITH_TEXT = re.compile(r'\s*\{.*?"text"\s*:', re.DOTALL)


@final
class Jsonl(Format):
    """JSONL, one object a line. Written in the own form, which keeps everything a document holds:

    `{"id", "text", "mentions": [{"label", "start", "end", "fragments"?, "score"?, "note"?, "id"?}], "metadata",
    "extras"}`.

    Also read: Prodigy's `spans` with `start`, `end`, `label`, its `meta` and `answer` (only accepted records are used),
    and doccano's `label` or `labels` with `[start, end, label]` or `entities` with `start_offset`, `end_offset`,
    `label`. All offsets are code points. Metadata values become strings.
    """

    name: ClassVar[str] = "jsonl"
    description: ClassVar[str] = "one JSON object a line, with text and spans (raretag, Prodigy, doccano)"
    suffixes: ClassVar[tuple[str, ...]] = (".jsonl", ".ndjson", ".jl")
    holds: ClassVar[frozenset[str]] = frozenset({"metadata", "extras", "score", "note", "fragments", "overlap"})

    def _recognise(self, root: Path) -> bool:
        found = sources(root, suffixes=self.suffixes)[:_SAMPLE]
        return bool(found) and all(_OBJECT_WITH_TEXT.match(source.head()) for source in found)

    def _read(self, root: Path) -> tuple[list[Document], list[Finding]]:
        documents: list[Document] = []
        everything: list[Finding] = []
        ids = Ids()
        for source in sources(root, suffixes=self.suffixes):
            findings = Findings(file=source.file)
            count = 0
            for number, line in enumerate(source.text().split("\n"), start=1):
                if not line.strip():
                    continue
                count += 1
                value, replaced = parse(line, path=source.path, line=number)
                record = record_of(value, line=number, findings=findings)
                if record is None:
                    continue
                wanted = record.id or f"{source.stem}-{count}"
                id_ = ids.take(wanted)
                if id_ != wanted:
                    findings.add("id.duplicate", document=id_, line=number)
                if replaced:
                    findings.add("text.character", document=id_, line=number)
                documents.append(record.document(id_=id_, metadata=source.metadata))
            everything.extend(findings.found)
        return documents, everything

    def _write(self, documents: Sequence[Document], *, target: Path) -> list[Finding]:
        lines = [json.dumps(_object(document), ensure_ascii=False) for document in documents]
        target.write_bytes("".join(f"{line}\n" for line in lines).encode())
        return []


def _object(document: Document) -> dict[str, object]:
    return {
        "id": document.id,
        "text": document.text,
        "mentions": [_mention_object(mention) for mention in document.mentions],
        "metadata": dict(document.metadata),
        "extras": list(document.extras),
    }


def _mention_object(mention: Mention) -> dict[str, object]:
    kept: dict[str, object] = {"label": mention.label, "start": mention.start, "end": mention.end}
    if mention.fragments:
        kept["fragments"] = [list(part) for part in mention.fragments]
    optional = {"score": mention.score, "note": mention.note, "id": mention.id}
    return kept | {key: value for key, value in optional.items() if value is not None}
