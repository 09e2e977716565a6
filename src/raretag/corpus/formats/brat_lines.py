"""The lines of a brat .ann file: parsing them, and the references between them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from raretag.corpus.formats.collect import Findings

ENTITY_ID = re.compile(r"T[\w-]+")
_OFFSETS = r"[0-9]{1,9} [0-9]{1,9}(?:;[0-9]{1,9} [0-9]{1,9})*"
_ENTITY = re.compile(rf"(T[\w-]+)\t(\S+) ({_OFFSETS})(?:\t(.*))?")
_BLANK_LABEL = re.compile(rf"T[\w-]+\t.*\s.* {_OFFSETS}(?:\t.*)?")
_EXTRA = re.compile(r"(?:[REAMN#][\w-]*|\*)\t[^\n]*")
_NOTE = re.compile(r"#[\w-]*\tAnnotatorNotes (T[\w-]+)(?:\t(.*))?")
_PROBABILITY = re.compile(r"probability ([0-9]+(?:\.[0-9]+)?(?:e-?[0-9]+)?)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """A T line: id, label, parts [start, end) in rising order, its copy of the text (None if missing), line number."""

    id: str
    label: str
    parts: tuple[tuple[int, int], ...]
    copy: str | None
    line: int


@dataclass(slots=True, kw_only=True)
class Annotations:
    """What an .ann file holds. `notes` and `scores` are by entity id; `extras` are all other lines, verbatim."""

    entities: list[Entity] = field(default_factory=list)
    notes: dict[str, str] = field(default_factory=dict)
    scores: dict[str, float] = field(default_factory=dict)
    extras: list[str] = field(default_factory=list)


def parse(text: str, *, findings: Findings, document: str) -> Annotations:
    """Parse an .ann file. Lines that are no annotation become Findings; offsets are not checked here."""
    result = Annotations()
    remarks: list[str] = []
    for number, raw in enumerate(text.split("\n"), start=1):
        line = raw.removesuffix("\r")
        if line.startswith("T"):
            match = _ENTITY.fullmatch(line)
            if match is not None:
                result.entities.append(_entity(match, line=number))
            else:
                rule = "brat.label" if _BLANK_LABEL.fullmatch(line) else "brat.line"
                findings.add(rule, document=document, line=number)
        elif line.startswith("#") and is_extra(line):
            remarks.append(line)
        elif is_extra(line):
            result.extras.append(line)
        elif line.strip():
            findings.add("brat.line", document=document, line=number)
    _sort_remarks(remarks, result=result)
    return result


def is_extra(line: str) -> bool:
    """Whether the line is a brat annotation other than an entity: R, E, A, M, N, # or *."""
    return _EXTRA.fullmatch(line) is not None


def probability_note(score: float) -> str:
    """The text of the note that keeps a score."""
    return f"probability {float(score)!r}"


def references(line: str) -> list[str]:
    """The ids that an extra line names: the arguments of R and E, the target of A, M, N and #, the members of *."""
    words = line.split("\t")[1].split(" ")
    if line[0] in "RE":
        return [word.rpartition(":")[2] for word in words if ":" in word]
    return words[1:] if line[0] == "*" else words[1:2]


def without_dangling(extras: list[str], *, ids: set[str]) -> list[str]:
    """The extra lines whose references are there; a line that names a dropped line goes with it."""
    kept, gone = list(extras), set[str]()
    while True:
        dangling = {line for line in kept if any(_missing(r, ids=ids, gone=gone) for r in references(line))}
        if not dangling:
            return kept
        kept = [line for line in kept if line not in dangling]
        gone |= {line.split("\t")[0] for line in dangling} - {line.split("\t")[0] for line in kept} - {"*"}


def _missing(reference: str, *, ids: set[str], gone: set[str]) -> bool:
    return reference in gone or (reference not in ids and ENTITY_ID.fullmatch(reference) is not None)


def _entity(match: re.Match[str], *, line: int) -> Entity:
    name, label, offsets, copy = match.groups()
    pairs = (part.split(" ") for part in offsets.split(";"))
    parts = tuple(sorted((int(start), int(end)) for start, end in pairs))
    return Entity(id=name, label=label, parts=parts, copy=copy, line=line)


def _sort_remarks(remarks: list[str], *, result: Annotations) -> None:
    """Give the first note and the first probability of each entity to it; everything else stays as it is."""
    ids = {entity.id for entity in result.entities}
    for line in remarks:
        match = _NOTE.fullmatch(line)
        target, note = (match[1], match[2] or "") if match else ("", "")
        score = _score(note)
        if target not in ids:
            result.extras.append(line)
        elif score is not None and target not in result.scores:
            result.scores[target] = score
        elif score is None and target not in result.notes:
            result.notes[target] = note
        else:
            result.extras.append(line)


def _score(note: str) -> float | None:
    match = _PROBABILITY.fullmatch(note)
    value = float(match[1]) if match else -1.0
    return value if 0 <= value <= 1 else None
