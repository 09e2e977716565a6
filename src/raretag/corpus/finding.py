"""What could not be kept, and why: a line for a person to act on, never the text of a note."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Rule(NamedTuple):
    """What a kind of Finding means and what to do about it."""

    meaning: str
    remedy: str


RULES: dict[str, Rule] = {
    "text.character": Rule(
        "a NUL or an unpaired surrogate, which no text file may hold, was replaced by U+FFFD",
        "offsets are unchanged; export the data again from its source if the character matters",
    ),
    "id.duplicate": Rule(
        "two documents have the same id, so the later one got a number",
        "give every document an id of its own if ids must stay as they are",
    ),
    "file.ignored": Rule(
        "files with this ending, of which this is the first, are not of the format and were not used",
        "nothing, unless they hold notes or annotations; then convert them first or name their format",
    ),
    "file.run-folder": Rule(
        "the folder is a run that training wrote, so nothing in it was used",
        "nothing; keep runs outside the data to be rid of this line",
    ),
    "brat.no-ann": Rule(
        "the text has no .ann file, so it is a document without mentions",
        "add an empty .ann file if it was annotated and holds none; nothing to do if it is to be annotated",
    ),
    "brat.no-text": Rule(
        "the .ann file has no .txt file of the same name beside it, so it was not used",
        "put the text back, or remove the .ann file",
    ),
    "brat.line": Rule(
        "the line is not a brat annotation, so it was not used",
        "an entity is written: T1, tab, label, blank, start, blank, end, tab, text",
    ),
    "brat.label": Rule(
        "the label holds a blank, which brat cannot, so the line was not used",
        "write the label with _ in place of the blank",
    ),
    "brat.offsets": Rule(
        "the offsets are outside the text, overlap each other or do not rise, so the line was not used",
        "offsets are code points from 0, start before end; check that .txt and .ann belong together",
    ),
    "brat.text-differs": Rule(
        "the text at these offsets is not the copy in the .ann file; the offsets were believed",
        "check whether the text was edited after annotation",
    ),
    "brat.text-form": Rule(
        "the offsets fit the text only without its byte order mark or with LF line ends, so it was read so",
        "nothing, unless other tools need the file as it is",
    ),
    "brat.duplicate-id": Rule(
        "the .ann file uses a T number twice, so the later mention lost its number",
        "renumber it; relations and events that name it mean the first one",
    ),
    "brat.label-changed": Rule(
        "the label holds a blank, which brat cannot, so it was written with _",
        "rename the label if it must be the same everywhere",
    ),
    "brat.note-changed": Rule(
        "the note has line breaks, which brat cannot hold, so they were written as blanks",
        "nothing, unless the line breaks matter",
    ),
    "brat.reference": Rule(
        "a relation, event or attribute names a mention that is no longer there, so it was not written",
        "nothing, if the mention was removed on purpose",
    ),
    "brat.extra": Rule(
        "an annotation that is not a mention is not in brat's form, so it was not written",
        "write to the format that it came from, or to jsonl, which keeps it",
    ),
    "brat.file-name": Rule(
        "the document's id cannot be a file name, so the file has another name",
        "rename the document if its id must stay as it is",
    ),
    "conll.no-documents": Rule(
        "the file marks no documents, so every sentence is one; splits and intervals are then optimistic",
        "put a -DOCSTART- line before each document if the borders are known",
    ),
    "conll.tag-sequence": Rule(
        "the tag does not fit the tag before it or after it, so the mention was repaired",
        "check the tag; it was read as if the mention began or ended here",
    ),
    "conll.tag-form": Rule(
        "the tag is neither O nor a prefix, a hyphen and a label, so it was read as O",
        "write tags as B-Label, I-Label, O, or in BIOES",
    ),
    "conll.id-changed": Rule(
        "the document's id has line breaks or tabs, which a marker line cannot hold, so they were written as blanks",
        "rename the document if its id must stay as it is",
    ),
    "conll.label-changed": Rule(
        "the label holds a blank, which a column cannot, so it was written with _",
        "rename the label if it must be the same everywhere",
    ),
    "conll.overlap": Rule(
        "the mention overlaps a longer one and a column holds only one of them, so it was not written",
        "write to brat, jsonl or label-studio to keep it",
    ),
    "conll.fragments": Rule(
        "the mention is discontinuous, which a tag per token cannot express, so it was not written",
        "write to brat, jsonl or label-studio to keep it",
    ),
    "conll.no-token": Rule(
        "the mention covers nothing but white space, so no token can carry it and it was not written",
        "check its offsets",
    ),
    "json.key": Rule(
        "the file has a key that no known form has, so its values were not used",
        "move what must be kept into `metadata` (raretag) or `meta` (Prodigy), as plain values",
    ),
    "json.record": Rule(
        "the record is not an object with a text, so it was not used",
        "give it a key `text` with a string",
    ),
    "json.span": Rule(
        "the span has no label, or its offsets are missing, outside the text or do not rise; not used",
        "offsets are code points from 0, start before end",
    ),
    "json.value": Rule(
        "the value of this key has the wrong type or range, so it was not used",
        "metadata are plain values, scores lie in [0, 1], lists are lists",
    ),
    "json.answer": Rule(
        "the record was rejected or ignored by the annotator, so it was not used",
        "set its `answer` to accept if it is good after all",
    ),
    "label-studio.annotators": Rule(
        "several annotations; used was the ground truth, else the first that was not cancelled",
        "mark the right one as ground truth, or export one annotator at a time",
    ),
    "label-studio.cancelled": Rule(
        "every annotation of the task was cancelled, so the document has no mentions",
        "annotate the task, or leave it out of the export",
    ),
    "label-studio.predictions": Rule(
        "the task holds predictions of a model, which were not used",
        "accept them in Label Studio first if they are to count as annotations",
    ),
    "label-studio.result": Rule(
        "the task holds results that are neither labels on text nor relations, which were not used",
        "nothing, unless they matter for named entities",
    ),
    "label-studio.utf16": Rule(
        "the offsets count UTF-16 units, so they were converted to code points",
        "nothing; the copies of the text agree after conversion",
    ),
    "label-studio.text-differs": Rule(
        "the text at these offsets is not the region's copy of it; the offsets were believed",
        "check whether the text was edited after annotation",
    ),
    "xml.structure": Rule(
        "a record or a line of it is not closed, so it ends where the next one begins",
        "add the missing end tag",
    ),
    "xml.tag": Rule(
        "a label's tag is not closed within its line, or was never opened, so it makes no mention",
        "add the missing tag",
    ),
    "xml.loose-text": Rule(
        "the record has text outside its lines, which was read as a line of its own",
        "nothing, unless it does not belong to the note",
    ),
    "xml.attribute": Rule(
        "a label's tag has an attribute that is not known, which was not used",
        "the known ones are id, score and note",
    ),
    "xml.score": Rule(
        "a label's tag has a score that is no probability, which was not used",
        "a score is a number in [0, 1]",
    ),
    "xml.overlap": Rule(
        "the mention crosses the border of another, which elements cannot express; it was not written",
        "write to brat, jsonl or label-studio to keep it",
    ),
    "xml.fragments": Rule(
        "the mention is discontinuous, which an element cannot express, so it was not written",
        "write to brat, jsonl or label-studio to keep it",
    ),
    "xml.label-changed": Rule(
        "the label cannot be the name of an element, so it was written with _",
        "rename the label if it must be the same everywhere",
    ),
    "xml.character": Rule(
        "the text holds a control character, written as a reference that strict XML parsers refuse",
        "raretag reads it back; remove the character for other tools",
    ),
    "write.lost": Rule(
        "the format has no place for this, so it was not written",
        "write to jsonl to keep everything",
    ),
    "split.shared-group": Rule(
        "the test document's patient is in train or validation too, so its scores are optimistic",
        "move all documents of a patient into one part, or let no document name a part, so that parts are drawn",
    ),
    "split.shared-text": Rule(
        "the test document's text is in train or validation too, so its scores are optimistic",
        "take out one of the copies, or let no document name a part, so that parts are drawn",
    ),
    "tagging.overlap": Rule(
        "the mention overlaps a longer or otherwise preferred one and the tags can hold only one of them",
        "it counts as missed in scoring; choose another overlap policy if this label matters more",
    ),
    "tagging.fragments": Rule(
        "the mention is discontinuous, which a tag per token cannot express",
        "it counts as missed in scoring; its tokens are left out of the loss",
    ),
    "tagging.inside-token": Rule(
        "the mention begins or ends inside a token of the encoder",
        "its tags cover the whole token, so it counts as missed under strict scoring; check its offsets",
    ),
    "tagging.adjacent": Rule(
        "the mention touches another of the same label and the IO scheme cannot tell them apart",
        "it counts as missed in scoring; choose the BIO scheme",
    ),
    "tagging.unknown-label": Rule(
        "the label is not in the model's schema",
        "it counts as missed in scoring; retrain with documents that hold this label",
    ),
    "tagging.no-token": Rule(
        "the encoder's tokenizer makes no token of the mention's characters",
        "it counts as missed in scoring; choose an encoder that knows this script",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing in the data that was repaired, set aside or cannot be expressed.

    `rule` names an entry of RULES. `line` counts from 1; `start` and `end` are code points of the document's text.
    `key` names a field of the data, such as a JSON key.
    """

    rule: str
    document: str | None = None
    file: str | None = None
    line: int | None = None
    start: int | None = None
    end: int | None = None
    label: str | None = None
    key: str | None = None

    def __post_init__(self) -> None:
        if self.rule not in RULES:
            raise ValueError(f"no such rule: {self.rule}")

    @property
    def meaning(self) -> str:
        """What was found, in a sentence."""
        return RULES[self.rule].meaning

    @property
    def remedy(self) -> str:
        """What a person can do about it, in a sentence."""
        return RULES[self.rule].remedy
