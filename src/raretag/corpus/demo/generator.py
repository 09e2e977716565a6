"""Puts the notes of the demo corpus together."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import final

from raretag.corpus.demo.critical import TOPICS
from raretag.corpus.demo.draw import Draw
from raretag.corpus.demo.general import MAN, SLOTS, WOMAN
from raretag.corpus.demo.notes import KINDS, Kind
from raretag.corpus.demo.render import Line, Renderer, Slots
from raretag.corpus.demo.themes import THEMES
from raretag.corpus.document import Corpus, Document, Mention
from raretag.errors import UsageError

_REFERENCE_SIZE = 320
_SECOND_NOTE = 0.15


@final
@dataclass(frozen=True, slots=True)
class _Plan:
    """What is settled about a note before a word of it is written."""

    patient: int
    slots: Slots
    kind: Kind
    critical: tuple[str, ...] = ()


def demo_corpus(*, documents: int = 320, seed: int = 20240903) -> Corpus:
    """Generate the demo corpus: synthetic English clinical notes with a long tail of labels, one sentence a line.

    `documents` is the number of notes, at least 1; the counts of all labels grow with it, and below about 15 notes
    the rarest labels may be absent. `seed` is a whole number. The same two numbers give the same corpus on every
    machine. Each document's metadata holds `group` (patient; about one in seven has two notes) and `kind`
    (admission, ward, nursing, discharge, radiology). Labels and boundary rules: docs/demo-corpus.md.

    Raises UsageError where `documents` is less than 1.
    """
    if documents < 1:
        raise UsageError(f"the demo corpus cannot have {documents} documents", remedy="ask for 1 or more")
    draw = Draw(seed)
    plans = _with_critical(_plans(documents, draw=draw), draw=draw)
    notes = tuple(_note(plan, number=number, draw=draw) for number, plan in enumerate(plans, start=1))
    return Corpus(documents=notes, format="demo")


def _plans(documents: int, *, draw: Draw) -> list[_Plan]:
    """Choose the patients, with a theme, a sex and an age each, and the kinds of their notes."""
    kinds = _kinds(documents, draw=draw)
    plans: list[_Plan] = []
    patient = 0
    while len(plans) < documents:
        patient += 1
        person = draw.pick((WOMAN, MAN))
        slots = {**SLOTS, **person, **draw.pick(THEMES), "age": (str(38 + draw.below(56)),)}
        notes = 2 if draw.chance(_SECOND_NOTE) else 1
        plans += [_Plan(patient, slots, kind) for kind in kinds[len(plans) : len(plans) + notes]]
    return plans


def _kinds(documents: int, *, draw: Draw) -> list[Kind]:
    """Give each kind of note its share of the documents; the first kind takes what rounding leaves."""
    kinds = [kind for kind in KINDS[1:] for _ in range(round(kind.share * documents))]
    return draw.shuffled([KINDS[0]] * (documents - len(kinds)) + kinds)[:documents]


def _with_critical(plans: list[_Plan], *, draw: Draw) -> list[_Plan]:
    """Deal the sentences about rare events out in turn, so that two of one topic seldom meet in a note."""
    deck: list[str] = []
    for topic in TOPICS:
        deck += _rounds(topic.reports, count=_scaled(topic.report_count, documents=len(plans)), draw=draw)
        deck += _rounds(topic.lookalikes, count=_scaled(topic.lookalike_count, documents=len(plans)), draw=draw)
    open_to = [index for index, plan in enumerate(plans) if plan.kind.clinical] or list(range(len(plans)))
    dealt: dict[int, tuple[str, ...]] = {}
    for turn, index in enumerate(draw.shuffled(open_to)):
        dealt[index] = tuple(deck[turn :: len(open_to)])
    return [replace(plan, critical=dealt.get(index, ())) for index, plan in enumerate(plans)]


def _rounds(sentences: tuple[str, ...], *, count: int, draw: Draw) -> list[str]:
    """Return `count` sentences; each is used once before any is used again."""
    taken: list[str] = []
    while len(taken) < count:
        taken += draw.shuffled(sentences)
    return taken[:count]


def _scaled(count: int, *, documents: int) -> int:
    return (2 * count * documents + _REFERENCE_SIZE) // (2 * _REFERENCE_SIZE)


def _note(plan: _Plan, *, number: int, draw: Draw) -> Document:
    """Write one note: title, sentences of each section, the critical sentences somewhere after the first."""
    renderer = Renderer(slots=plan.slots, draw=draw, typo_rate=plan.kind.typo_rate)
    sentences: list[str] = []
    for section in plan.kind.sections:
        count = section.least + draw.below(section.most - section.least + 1)
        sentences += draw.shuffled(section.sentences)[:count]
    for sentence in plan.critical:
        sentences.insert(1 + draw.below(len(sentences)), sentence)
    lines = [Line(draw.pick(plan.kind.titles), ())]
    lines += [renderer.line(sentence, capital=plan.kind.capital) for sentence in sentences]
    return Document(
        id=f"demo-{number:04d}",
        text="\n".join(line.text for line in lines) + "\n",
        mentions=_placed(lines),
        metadata={"group": f"patient-{plan.patient:04d}", "kind": plan.kind.name},
    )


def _placed(lines: list[Line]) -> tuple[Mention, ...]:
    """Move the mentions of each line to where the line stands in the note."""
    placed: list[Mention] = []
    start = 0
    for line in lines:
        placed += [_moved(mention, by=start) for mention in line.mentions]
        start += len(line.text) + 1
    return tuple(placed)


def _moved(mention: Mention, *, by: int) -> Mention:
    fragments = tuple((start + by, end + by) for start, end in mention.fragments)
    return replace(mention, start=mention.start + by, end=mention.end + by, fragments=fragments)
