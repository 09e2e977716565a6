"""Writing one brat document: the lines of its .ann file, and a safe path for its id."""

from __future__ import annotations

import hashlib
import re

from raretag.corpus.document import Document, Mention
from raretag.corpus.formats.brat_lines import (
    ENTITY_ID,
    is_extra,
    probability_note,
    references,
    without_dangling,
)
from raretag.corpus.formats.brat_read import covered
from raretag.corpus.formats.collect import Findings
from raretag.corpus.formats.walk import IGNORED_STEMS

_BREAK = re.compile(r"\r\n|\r|\n")
_UNSAFE = re.compile(r'[\x00-\x1f\x7f\\:*?"<>|]')
_PART_BYTES = 180
_PATH_BYTES = 800


def annotation_lines(document: Document, *, findings: Findings) -> list[str]:
    """The lines of the .ann file: entities with their ids, their notes and probabilities, then the extras."""
    extras = [line for line in document.extras if is_extra(line)]
    if len(extras) < len(document.extras):
        findings.add("brat.extra", document=document.id)
    ids = _entity_ids(document.mentions, extras=extras)
    kept = without_dangling(extras, ids=set(ids))
    for _ in range(len(extras) - len(kept)):
        findings.add("brat.reference", document=document.id)
    entities = [
        _entity_line(mention, id_=id_, document=document, findings=findings)
        for id_, mention in zip(ids, document.mentions, strict=True)
    ]
    return entities + _note_lines(document, ids=ids, extras=kept, findings=findings) + kept


def _entity_ids(mentions: tuple[Mention, ...], *, extras: list[str]) -> list[str]:
    """Each mention's own T id where it has one that is free, else a new number that nothing else means."""
    wanted = [m.id if m.id is not None and ENTITY_ID.fullmatch(m.id) else None for m in mentions]
    avoid = {id_ for id_ in wanted if id_} | {name for line in extras for name in references(line)}
    given: list[str] = []
    taken: set[str] = set()
    number = 0
    for id_ in wanted:
        if id_ is None or id_ in taken:
            number += 1
            while f"T{number}" in avoid:
                number += 1
            id_ = f"T{number}"
        taken.add(id_)
        given.append(id_)
    return given


def _entity_line(mention: Mention, *, id_: str, document: Document, findings: Findings) -> str:
    label = re.sub(r"\s", "_", mention.label)
    if label != mention.label:
        span = (mention.start, mention.end)
        findings.add("brat.label-changed", document=document.id, span=span, label=label)
    offsets = ";".join(f"{start} {end}" for start, end in mention.parts)
    copy = re.sub(r"[\r\n]", " ", covered(document.text, parts=mention.parts))
    return f"{id_}\t{label} {offsets}\t{copy}"


def _note_lines(document: Document, *, ids: list[str], extras: list[str], findings: Findings) -> list[str]:
    taken = {line.split("\t")[0] for line in extras}
    lines: list[str] = []
    number = 0
    for id_, mention in zip(ids, document.mentions, strict=True):
        notes = [] if mention.note is None else [_BREAK.sub(" ", mention.note)]
        if notes and notes[0] != mention.note:
            span = (mention.start, mention.end)
            findings.add("brat.note-changed", document=document.id, span=span, label=mention.label)
        if mention.score is not None:
            notes.append(probability_note(mention.score))
        for note in notes:
            number += 1
            while f"#{number}" in taken:
                number += 1
            lines.append(f"#{number}\tAnnotatorNotes {id_}\t{note}")
    return lines


def file_stem(id_: str) -> str:
    """A path with `/`, without suffix, safe on every system and read back as it is; equal to the id where it can be."""
    folders = id_.split("/")
    parts = [_safe_part(part, last=n == len(folders) - 1) for n, part in enumerate(folders)]
    stem = "/".join(parts)
    return stem if len(stem.encode()) <= _PATH_BYTES else f"document-{_digest(id_)}"


def _safe_part(part: str, *, last: bool) -> str:
    safe = _UNSAFE.sub("_", part) or "_"
    ends = safe.endswith((".", " ")) or (not last and safe.endswith((".txt", ".ann")))
    if safe.startswith(".") or (last and safe.split(".")[0].casefold() in IGNORED_STEMS):
        safe = f"_{safe}"
    if ends:
        safe = f"{safe}_"
    data = safe.encode()
    if len(data) > _PART_BYTES:
        safe = f"{data[: _PART_BYTES - 20].decode(errors='ignore')}-{_digest(part)}"
    return safe


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
