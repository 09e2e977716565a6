"""Small helpers that every reader shares: collecting Findings, unique ids, and the check of a span."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import final

from raretag.corpus.finding import Finding

_KEY = re.compile(r"[A-Za-z_][\w.-]{0,39}", re.ASCII)


@final
class Findings:
    """Collects the Findings of one file (`file` is None while writing)."""

    def __init__(self, *, file: str | None = None) -> None:
        self.found: list[Finding] = []
        self._file = file
        self._once: set[tuple[str, str | None, str | None]] = set()

    def add(
        self,
        rule: str,
        *,
        document: str | None = None,
        line: int | None = None,
        span: tuple[int, int] | None = None,
        label: str | None = None,
        key: str | None = None,
        file: str | None = None,
    ) -> None:
        """Add a Finding; `span` is [start, end) in the document's text. A key that is no plain name is left out."""
        start, end = span or (None, None)
        plain = key if key is not None and _KEY.fullmatch(key) else None
        place = file or self._file
        self.found.append(
            Finding(
                rule=rule,
                document=document,
                file=place,
                line=line,
                start=start,
                end=end,
                label=label,
                key=plain,
            )
        )

    def once(self, rule: str, *, key: str | None = None, document: str | None = None, line: int | None = None) -> None:
        """Add a Finding unless there is one of this rule, key and document already."""
        if (rule, key, document) not in self._once:
            self._once.add((rule, key, document))
            self.add(rule, key=key, document=document, line=line)


@final
class Ids:
    """Hands out ids that are unique within a corpus."""

    def __init__(self) -> None:
        self._used: set[str] = set()
        self._next: dict[str, int] = {}

    def take(self, wanted: str) -> str:
        """The wanted id, or with the first free number from 2 behind a hyphen."""
        given = wanted
        while given in self._used:
            number = self._next.get(wanted, 2)
            self._next[wanted] = number + 1
            given = f"{wanted}-{number}"
        self._used.add(given)
        return given


def is_span(parts: Sequence[tuple[int, int]], *, length: int) -> bool:
    """Whether the parts are [start, end) stretches of a text of this length, none empty, rising, not overlapping."""
    ordered = all(b <= c for (_, b), (c, _) in pairwise(parts))
    return bool(parts) and ordered and parts[0][0] >= 0 and all(a < b <= length for a, b in parts)
