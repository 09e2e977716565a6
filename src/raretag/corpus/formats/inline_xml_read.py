"""A tolerant scanner for inline XML: records of lines, in which every other element is a mention."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from typing import final

from raretag.corpus.formats.collect import Findings
from raretag.corpus.formats.inline_xml_record import Record, RecordBuilder
from raretag.corpus.formats.inline_xml_syntax import MARKUP, attributes, is_line, is_record, unescape

_KNOWN = frozenset({"id", "score", "note"})


@final
class Scanner:
    """Reads a file from left to right; text outside records is not used, what is not well-formed becomes Findings."""

    def __init__(self, source: str, *, findings: Findings) -> None:
        self._source = source
        self._findings = findings
        self._line_ends = [match.start() for match in re.finditer("\n", source)]
        self._record: RecordBuilder | None = None

    def records(self) -> Iterator[Record]:
        """The records in the order of the file."""
        position = 0
        for match in MARKUP.finditer(self._source):
            self._text(unescape(self._source[position : match.start()]))
            position = match.end()
            if match["cdata"] is not None:
                self._text(match["cdata"])
            elif match["name"] is not None and is_record(match["name"]):
                yield from self._record_tag(match)
            elif match["name"] is not None and self._record is not None:
                self._inner_tag(match, record=self._record)
        self._text(unescape(self._source[position:]))
        yield from self._unclosed(line=len(self._line_ends) + 1)

    def _text(self, text: str) -> None:
        if self._record is not None:
            self._record.add_text(text)

    def _record_tag(self, match: re.Match[str]) -> Iterator[Record]:
        line = self._line(match)
        if match["close"]:
            if self._record is not None:
                yield self._record.finish(line=line)
                self._record = None
            return
        yield from self._unclosed(line=line)
        self._record = RecordBuilder(attributes=attributes(match["rest"]), line=line, findings=self._findings)

    def _unclosed(self, *, line: int) -> Iterator[Record]:
        if self._record is not None:
            self._findings.add("xml.structure", line=self._record.line)
            yield self._record.finish(line=line)

    def _inner_tag(self, match: re.Match[str], *, record: RecordBuilder) -> None:
        name, line = match["name"], self._line(match)
        if is_line(name) and match["close"]:
            record.end(name, line=line)
        elif is_line(name):
            record.begin(name, line=line)
        elif match["close"]:
            record.close_label(name, line=line)
        elif match["rest"].endswith("/"):
            self._findings.add("xml.tag", line=line)
        else:
            values = attributes(match["rest"])
            if values.keys() - _KNOWN:
                self._findings.once("xml.attribute", line=line)
            record.open_label(name, attributes=values, line=line)

    def _line(self, match: re.Match[str]) -> int:
        return bisect_left(self._line_ends, match.start()) + 1
