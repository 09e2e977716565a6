"""From a pattern to a line of text with its mentions; offsets are counted while the text is put together."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

from raretag.corpus.demo.draw import Draw
from raretag.corpus.demo.markup import Number, Pattern, Slot, Span, parse
from raretag.corpus.document import Mention

Slots = Mapping[str, tuple[str, ...]]

_LONG_WORD = re.compile(r"[a-z]{7,}")
_REDRAWS = 8


@final
@dataclass(frozen=True, slots=True)
class Line:
    """One line of a note; the offsets of its mentions count from the start of the line."""

    text: str
    mentions: tuple[Mention, ...]


@final
class Renderer:
    """Renders the lines of one document; avoids drawing the same slot entry twice in it."""

    def __init__(self, *, slots: Slots, draw: Draw, typo_rate: float) -> None:
        """Take the slots, the draws, and the share of words of seven letters or more to misspell."""
        self._slots = slots
        self._draw = draw
        self._typo_rate = typo_rate
        self._used: set[str] = set()

    def line(self, source: str, *, capital: bool = True) -> Line:
        """Render one sentence in the notation of `markup`, its first letter raised where `capital`.

        Raises KeyError for an unknown slot, ValueError where the notation is broken or a mention is empty.
        """
        text, spans = _Writer(), list[tuple[str, str, int, int]]()
        self._write(parse(source), text=text, spans=spans)
        whole = "".join(text.pieces)
        if capital and whole[0].isascii():
            whole = whole[0].upper() + whole[1:]
        return Line(whole, _mentions(spans))

    def _write(self, pattern: Pattern, *, text: _Writer, spans: list[tuple[str, str, int, int]]) -> None:
        for node in pattern:
            start = text.length
            if isinstance(node, str):
                text.add(_LONG_WORD.sub(self._spell, node))
            elif isinstance(node, Number):
                text.add(_decimal(node.low + self._draw.below(node.high - node.low + 1), digits=node.digits))
            elif isinstance(node, Slot):
                self._fill(node.name, text=text, spans=spans)
                if node.label is not None:
                    spans.append((node.label, "", start, text.length))
            elif isinstance(node, Span):
                self._write(node.body, text=text, spans=spans)
                spans.append((node.label, node.key, start, text.length))
            else:
                self._write(self._draw.pick(node.options), text=text, spans=spans)

    def _fill(self, slot: str, *, text: _Writer, spans: list[tuple[str, str, int, int]]) -> None:
        """Write an entry of the slot; where it has many, one whose wording is new to the document."""
        entries = self._slots[slot]
        tries = _REDRAWS if len(entries) > _REDRAWS else 1
        for _ in range(tries):
            entry = self._draw.pick_early(entries)
            filling, inner = _Writer(start=text.length), list[tuple[str, str, int, int]]()
            self._write(parse(entry), text=filling, spans=inner)
            words = "".join(filling.pieces)
            if entry not in self._used and words not in self._used:
                break
        self._used |= {entry, words}
        text.add(words)
        spans += inner

    def _spell(self, word: re.Match[str]) -> str:
        if not self._draw.chance(self._typo_rate):
            return word[0]
        letters = word[0]
        at = 1 + self._draw.below(len(letters) - 2)
        head, here, after, tail = letters[:at], letters[at], letters[at + 1], letters[at + 2 :]
        return head + self._draw.pick((after, after + here, here + here + after)) + tail


@final
class _Writer:
    """Text in the making; `length` is where in the line it ends, in code points."""

    def __init__(self, *, start: int = 0) -> None:
        self.pieces: list[str] = []
        self.length = start

    def add(self, piece: str) -> None:
        self.pieces.append(piece)
        self.length += len(piece)


def _decimal(value: int, *, digits: int) -> str:
    whole, part = divmod(value, 10**digits)
    return f"{whole}.{part:0{digits}d}" if digits else str(whole)


def _mentions(spans: list[tuple[str, str, int, int]]) -> tuple[Mention, ...]:
    """Join the parts that share label and key; put all in the order of the text, the enclosing one first."""
    parts: dict[tuple[str, str, int], list[tuple[int, int]]] = {}
    for number, (label, key, start, end) in enumerate(spans):
        parts.setdefault((label, key, -1 if key else number), []).append((start, end))
    mentions = []
    for (label, _, _), pieces in parts.items():
        pieces.sort()
        fragments = tuple(pieces) if len(pieces) > 1 else ()
        mentions.append(Mention(label=label, start=pieces[0][0], end=pieces[-1][1], fragments=fragments))
    return tuple(sorted(mentions, key=lambda mention: (mention.start, -mention.end, mention.label)))
