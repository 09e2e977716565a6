"""One record of inline XML while it is read: lines of text, and the mentions whose tags open and close in them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

from raretag.corpus.document import Mention
from raretag.corpus.formats.collect import Findings
from raretag.corpus.formats.json_values import as_score


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One document as the file holds it: its element's attributes, its text, its mentions, its first line (from 1)."""

    attributes: Mapping[str, str]
    text: str
    mentions: tuple[Mention, ...]
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tag:
    """A label's tag that waits for its end; `start` counts from the start of the line of text."""

    name: str
    start: int
    line: int
    attributes: Mapping[str, str]


@final
class RecordBuilder:
    """Takes text and tags in the file's order. `within` is the element of the line under way, None for loose text."""

    def __init__(self, *, attributes: Mapping[str, str], line: int, findings: Findings) -> None:
        self.within: str | None = None
        self.line = line
        self._attributes = attributes
        self._findings = findings
        self._finished: list[str] = []
        self._mentions: list[Mention] = []
        self._offset = 0
        self._structured = False
        self._loose = False
        self._start_line(None)

    def add_text(self, text: str) -> None:
        """Add text, with its references already replaced, to the line under way."""
        self._pieces.append(text)
        self._length += len(text)

    def open_label(self, name: str, *, attributes: Mapping[str, str], line: int) -> None:
        """A label's start tag."""
        self._open.append(_Tag(name=name, start=self._length, line=line, attributes=attributes))

    def close_label(self, name: str, *, line: int) -> None:
        """A label's end tag: closes the innermost of this name; others stay open, so that mentions may overlap."""
        tag = next((tag for tag in reversed(self._open) if tag.name == name), None)
        if tag is not None:
            self._open.remove(tag)
        if tag is None or tag.start == self._length:
            self._findings.add("xml.tag", line=line)
        else:
            self._found.append(self._mention(tag, end=self._length))

    def begin(self, name: str, *, line: int) -> None:
        """The start tag of a line, which ends the one under way."""
        self._end_line(unclosed=self.within is not None, line=line)
        self._start_line(name)
        self._structured = True

    def end(self, name: str, *, line: int) -> None:
        """The end tag of a line."""
        if self.within is None:
            self._findings.add("xml.tag", line=line)
        self._end_line(unclosed=self.within not in (None, name), line=line)
        self._start_line(None)

    def finish(self, *, line: int) -> Record:
        """The record, ended at a line of the file."""
        self._end_line(unclosed=self.within is not None, line=line)
        if self._loose and self._structured:
            self._findings.add("xml.loose-text", line=self.line)
        # Inner elements close first, also of those with the same span; outer ones shall come first.
        mentions = self._mentions[::-1]
        mentions.sort(key=lambda mention: (mention.start, -mention.end))
        text = "\n".join(self._finished)
        return Record(attributes=self._attributes, text=text, mentions=tuple(mentions), line=self.line)

    def _start_line(self, name: str | None) -> None:
        self.within = name
        self._pieces: list[str] = []
        self._length = 0
        self._open: list[_Tag] = []
        self._found: list[Mention] = []

    def _end_line(self, *, unclosed: bool, line: int) -> None:
        """Add the line under way to the text: as it is within its element, else stripped and only if not blank."""
        for tag in self._open:
            self._findings.add("xml.tag", line=tag.line)
        if unclosed:
            self._findings.add("xml.structure", line=line)
        text = "".join(self._pieces)
        first, last = 0, len(text)
        if self.within is None or (unclosed and not text.strip()):
            first, last = len(text) - len(text.lstrip()), len(text.rstrip())
            if first >= last:
                return
            self._loose = True
        self._finished.append(text[first:last])
        shift = self._offset - first
        for mention in self._found:
            start, end = max(mention.start, first), min(mention.end, last)
            if start < end:
                self._mentions.append(dataclasses.replace(mention, start=start + shift, end=end + shift))
        self._offset += last - first + 1

    def _mention(self, tag: _Tag, *, end: int) -> Mention:
        given = tag.attributes.get("score", "")
        try:
            score = as_score(float(given))
        except ValueError:
            score = None
        if given and score is None:
            self._findings.add("xml.score", line=tag.line)
        note, id_ = tag.attributes.get("note"), tag.attributes.get("id")
        return Mention(label=tag.name, start=tag.start, end=end, score=score, note=note, id=id_ or None)
