"""One JSONL record to one document: raretag's own form, Prodigy's and doccano's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from raretag.corpus.document import Document, Mention
from raretag.corpus.formats.collect import Findings
from raretag.corpus.formats.json_values import (
    as_id,
    as_offset,
    as_pair,
    as_score,
    is_empty,
    mention_of,
    strings,
)

SPAN_KEYS = ("mentions", "spans", "entities", "labels", "label")
_KNOWN = frozenset({"id", "text", "metadata", "meta", "extras", "answer", *SPAN_KEYS})
_SPAN_KNOWN = frozenset({"label", "start", "end", "start_offset", "end_offset"})
_SPAN_OWN = frozenset({"fragments", "score", "note", "id"})
# Prodigy repeats in these what the offsets already say.
_SPAN_DERIVED = frozenset({"token_start", "token_end", "text"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A usable record: its own id (None where it has none), and everything of the document but its id."""

    id: str | None
    text: str
    mentions: tuple[Mention, ...]
    metadata: Mapping[str, str]
    extras: tuple[str, ...]

    def document(self, *, id_: str, metadata: Mapping[str, str]) -> Document:
        """The document with this id; the given metadata yield to the record's own."""
        return Document(
            id=id_,
            text=self.text,
            mentions=self.mentions,
            metadata={**metadata, **self.metadata},
            extras=self.extras,
        )


def record_of(value: object, *, line: int, findings: Findings) -> Record | None:
    """The record in a JSON value, or None (with a Finding) where it has no text or was not accepted."""
    text = value.get("text") if isinstance(value, dict) else None
    if not isinstance(value, dict) or not isinstance(text, str):
        findings.add("json.record", line=line)
        return None
    id_ = as_id(value.get("id"))
    if value.get("answer", "accept") != "accept":
        findings.add("json.answer", document=id_, line=line)
        return None
    for key, item in value.items():
        if key not in _KNOWN and not is_empty(item):
            findings.once("json.key", key=key, line=line)
    key = next((key for key in SPAN_KEYS if not is_empty(value.get(key))), None)
    for other in SPAN_KEYS:
        if other != key and not is_empty(value.get(other)):
            findings.once("json.key", key=other, line=line)
    return Record(
        id=id_,
        text=text,
        mentions=tuple(_mentions(value.get(key), key=key, text=text, id_=id_, line=line, findings=findings))
        if key
        else (),
        metadata={
            **strings(value.get("meta"), findings=findings, key="meta", document=id_),
            **strings(value.get("metadata"), findings=findings, key="metadata", document=id_),
        },
        extras=_extras(value.get("extras"), id_=id_, line=line, findings=findings),
    )


def _mentions(spans: object, *, key: str, text: str, id_: str | None, line: int, findings: Findings) -> list[Mention]:
    if not isinstance(spans, list):
        findings.add("json.value", document=id_, line=line, key=key)
        return []
    found = []
    for span in spans:
        if isinstance(span, list):
            pair, label = as_pair(span[:2]), span[2] if len(span) == 3 else None
            mention = mention_of(label, parts=None if pair is None else (pair,), length=len(text))
        elif isinstance(span, dict):
            mention = _mention(span, length=len(text), line=line, findings=findings)
        else:
            mention = None
        if mention is None:
            findings.add("json.span", document=id_, line=line, key=key)
        else:
            found.append(mention)
    return found


def _mention(span: dict[str, object], *, length: int, line: int, findings: Findings) -> Mention | None:
    for key, item in span.items():
        if key not in _SPAN_KNOWN | _SPAN_OWN | _SPAN_DERIVED and not is_empty(item):
            findings.once("json.key", key=key, line=line)
    score, note = as_score(span.get("score")), span.get("note")
    if score is None and span.get("score") is not None:
        findings.add("json.value", line=line, key="score")
    if note is not None and not isinstance(note, str):
        findings.add("json.value", line=line, key="note")
        note = None
    return mention_of(
        span.get("label"),
        parts=_parts(span),
        length=length,
        score=score,
        note=note,
        id_=as_id(span.get("id")),
    )


def _parts(span: dict[str, object]) -> tuple[tuple[int, int], ...] | None:
    """The parts of a span: its fragments where it lists any that fit its start and end, else start and end."""
    start = as_offset(span.get("start", span.get("start_offset")))
    end = as_offset(span.get("end", span.get("end_offset")))
    if start is None or end is None:
        return None
    fragments = span.get("fragments")
    if is_empty(fragments):
        return ((start, end),)
    pairs = [as_pair(item) for item in fragments] if isinstance(fragments, list) else [None]
    parts = tuple(pair for pair in pairs if pair is not None)
    fits = len(parts) == len(pairs) and parts[0][0] == start and parts[-1][1] == end
    return parts if fits else None


def _extras(value: object, *, id_: str | None, line: int, findings: Findings) -> tuple[str, ...]:
    if is_empty(value):
        return ()
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        findings.add("json.value", document=id_, line=line, key="extras")
        return ()
    return tuple(value)
