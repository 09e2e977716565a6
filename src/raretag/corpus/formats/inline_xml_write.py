"""Writing a document as a record of inline XML."""

from __future__ import annotations

from raretag.corpus.document import Document, Mention
from raretag.corpus.formats.collect import Findings
from raretag.corpus.formats.inline_xml_syntax import (
    NAME,
    as_label,
    escape,
    escape_attribute,
    has_forbidden,
)

_LINE_END = "</S>\n<S>"


def record_lines(document: Document, *, findings: Findings) -> str:
    """The record: metadata as its attributes, each line of the text an `S`, each mention an element in it."""
    attributes = {"id": document.id}
    for key, value in document.metadata.items():
        if NAME.fullmatch(key) and key not in ("id", "num"):
            attributes[key] = value
        else:
            findings.once("write.lost", key=key)
    kept = nested_mentions(document, findings=findings)
    values = [*attributes.values(), *(mention.note or "" for mention in kept)]
    if any(has_forbidden(text) for text in (document.text, *values)):
        findings.add("xml.character", document=document.id)
    body = _body(document, mentions=kept, findings=findings)
    return f"<DOCUMENT{_written(attributes)}>\n<S>{body}</S>\n</DOCUMENT>\n"


def nested_mentions(document: Document, *, findings: Findings) -> list[Mention]:
    """The mentions that elements can express, outer before inner; of two that cross, the earlier one is kept."""
    kept: list[Mention] = []
    around: list[Mention] = []
    for mention in sorted(document.mentions, key=lambda m: (m.start, -m.end)):
        around = [outer for outer in around if outer.end > mention.start]
        span = (mention.start, mention.end)
        if len(mention.parts) > 1:
            findings.add("xml.fragments", document=document.id, span=span, label=mention.label)
        elif any(outer.end < mention.end for outer in around):
            findings.add("xml.overlap", document=document.id, span=span, label=mention.label)
        else:
            kept.append(mention)
            around.append(mention)
    return kept


def _body(document: Document, *, mentions: list[Mention], findings: Findings) -> str:
    """The text with elements; a line end within a mention stays a line end, any other parts two `S` elements."""
    pieces: list[str] = []
    inside: list[tuple[int, str]] = []
    position = 0

    def advance(to: int) -> None:
        nonlocal position
        text = escape(document.text[position:to])
        pieces.append(text if inside else text.replace("\n", _LINE_END))
        position = to

    def close(before: int) -> None:
        while inside and inside[-1][0] <= before:
            advance(inside[-1][0])
            pieces.append(f"</{inside.pop()[1]}>")

    for mention in mentions:
        close(mention.start)
        advance(mention.start)
        label = as_label(mention.label)
        if label != mention.label:
            span = (mention.start, mention.end)
            findings.add("xml.label-changed", document=document.id, span=span, label=mention.label)
        pieces.append(f"<{label}{_written(_attributes(mention))}>")
        inside.append((mention.end, label))
    close(len(document.text))
    advance(len(document.text))
    return "".join(pieces)


def _attributes(mention: Mention) -> dict[str, str]:
    given = {
        "id": mention.id,
        "score": None if mention.score is None else repr(float(mention.score)),
        "note": mention.note,
    }
    return {key: value for key, value in given.items() if value is not None}


def _written(attributes: dict[str, str]) -> str:
    return "".join(f' {key}="{escape_attribute(value)}"' for key, value in attributes.items())
