"""Reading one brat document: which form of the text the offsets mean, and the mentions."""

from __future__ import annotations

import re

from raretag.corpus.document import Document, Mention
from raretag.corpus.formats.brat_lines import Annotations, Entity, parse
from raretag.corpus.formats.collect import Findings, is_span
from raretag.corpus.formats.files import BOM

_SPACE = re.compile(r"\s+")


def document_of(raw: str, *, annotations: str, id_: str, metadata: dict[str, str], findings: Findings) -> Document:
    """The document made of a .txt and an .ann file; what could not be used is added to the findings."""
    parsed = parse(annotations, findings=findings, document=id_)
    text = _text_meant(raw, entities=parsed.entities)
    if text != raw:
        findings.add("brat.text-form", document=id_)
    mentions = _mentions(parsed, text=text, id_=id_, findings=findings)
    return Document(id=id_, text=text, mentions=tuple(mentions), metadata=metadata, extras=tuple(parsed.extras))


def covered(text: str, *, parts: tuple[tuple[int, int], ...]) -> str:
    """The covered text as brat copies it: fragments joined by a blank."""
    return " ".join(text[start:end] for start, end in parts)


def _text_meant(raw: str, *, entities: list[Entity]) -> str:
    """The form of the text with which most annotation copies agree: as it is, without mark, with LF ends, with both."""
    bare, unix = raw.removeprefix(BOM), raw.replace("\r\n", "\n")
    candidates = dict.fromkeys((raw, bare, unix, bare.replace("\r\n", "\n")))
    if len(candidates) == 1:
        return raw
    return max(candidates, key=lambda text: sum(_agrees(entity, text=text) for entity in entities))


def _agrees(entity: Entity, *, text: str) -> bool:
    """Whether the copy is the covered text; white space counts as one blank, since copies hold no line ends."""
    if entity.copy is None or not is_span(entity.parts, length=len(text)):
        return False
    there = covered(text, parts=entity.parts)
    return there == entity.copy or _SPACE.sub(" ", there) == _SPACE.sub(" ", entity.copy)


def _mentions(parsed: Annotations, *, text: str, id_: str, findings: Findings) -> list[Mention]:
    mentions, seen = [], set[str]()
    for entity in parsed.entities:
        parts = entity.parts
        span = (parts[0][0], parts[-1][1])
        if not is_span(parts, length=len(text)):
            findings.add("brat.offsets", document=id_, line=entity.line, label=entity.label)
            continue
        if entity.copy is not None and not _agrees(entity, text=text):
            findings.add("brat.text-differs", document=id_, line=entity.line, span=span, label=entity.label)
        first = entity.id not in seen
        if not first:
            findings.add("brat.duplicate-id", document=id_, line=entity.line, span=span, label=entity.label)
        seen.add(entity.id)
        mentions.append(
            Mention(
                label=entity.label,
                start=span[0],
                end=span[1],
                fragments=parts if len(parts) > 1 else (),
                score=parsed.scores.get(entity.id) if first else None,
                note=parsed.notes.get(entity.id) if first else None,
                id=entity.id if first else None,
            )
        )
    return mentions
