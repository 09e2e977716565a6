"""A note, the mentions marked in it, and their corpus. Offsets are half-open code points of the untouched text."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from types import MappingProxyType

from raretag.corpus.finding import Finding

NO_METADATA: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """A labelled stretch of a document.

    `start` and `end` enclose the whole mention. `fragments` lists its parts where it is discontinuous, in order, and is
    empty where the mention is one piece. `score` is a probability in [0, 1]; a person's annotation has None.
    """

    label: str
    start: int
    end: int
    fragments: tuple[tuple[int, int], ...] = ()
    score: float | None = None
    note: str | None = None
    id: str | None = None

    def __post_init__(self) -> None:
        parts = self.fragments or ((self.start, self.end),)
        inside = parts[0][0] == self.start and parts[-1][1] == self.end
        ordered = all(b <= c for (_, b), (c, _) in pairwise(parts))
        if self.start < 0 or not inside or not ordered or any(a >= b for a, b in parts):
            raise ValueError(f"not a span: [{self.start}, {self.end}) with fragments {self.fragments}")
        if not self.label:
            raise ValueError("a mention needs a label")

    @property
    def parts(self) -> tuple[tuple[int, int], ...]:
        """The stretches of text that the mention covers: its fragments, or itself."""
        return self.fragments or ((self.start, self.end),)

    @property
    def covered(self) -> tuple[tuple[int, int], ...]:
        """The parts, with those that touch joined: what is covered and not how it is written down."""
        joined: list[tuple[int, int]] = []
        for start, end in self.parts:
            if joined and joined[-1][1] == start:
                joined[-1] = (joined[-1][0], end)
            else:
                joined.append((start, end))
        return tuple(joined)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One note: its text as read, its mentions, and what its format holds beyond mentions.

    `metadata` holds plain strings; the keys `group` (patient) and `split` (train, validation, test) have a meaning.
    `extras` keeps annotation lines that are not mentions (brat relations, events, attributes) for a faithful rewrite.
    """

    id: str
    text: str
    mentions: tuple[Mention, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=lambda: NO_METADATA)
    extras: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        beyond = [m for m in self.mentions if m.end > len(self.text)]
        if beyond:
            raise ValueError(f"document {self.id!r}: {len(beyond)} mentions end beyond its {len(self.text)} characters")

    @property
    def unit(self) -> tuple[str, str]:
        """What the document is drawn with: its patient, where one is named, else itself."""
        patient = self.metadata.get("group")
        # the kind goes along, for a patient may be called like a document
        return ("group", patient) if patient else ("document", self.id)

    @property
    def fingerprint(self) -> str:
        """Tells whether two corpora share a note, whatever it is called and whatever its line ends.

        sha256 in UTF-8 of the text without U+FEFF (byte order marks), in NFC, every run of white space as one blank,
        none at its ends.
        """
        composed = unicodedata.normalize("NFC", self.text.replace("\ufeff", ""))
        return hashlib.sha256(" ".join(composed.split()).encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """Documents with unique ids, and what reading them could not keep."""

    documents: tuple[Document, ...]
    findings: tuple[Finding, ...] = ()
    format: str = ""

    def __post_init__(self) -> None:
        if len({document.id for document in self.documents}) != len(self.documents):
            raise ValueError("document ids are not unique")

    @property
    def labels(self) -> tuple[str, ...]:
        """Every label that occurs, in alphabetical order."""
        return tuple(sorted({mention.label for document in self.documents for mention in document.mentions}))
