"""The notation in which the demo corpus is written, and its parser.

{drug}            an entry of the slot `drug`, not marked
{Drug}            an entry of the slot `drug`, marked with the label `Drug`
{3-9}  {3.1-5.9}  a number in that range, both ends included, with as many decimals as written
[Test|MRI {side}] the text inside, marked with the label `Test`
[Disease#1|left]  one part of a discontinuous mention; parts with the same label and key belong together
<mild|severe|>    one of the alternatives, which may be empty
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import final

_NUMBER = re.compile(r"(\d+)(?:\.(\d+))?-(\d+)(?:\.(\d+))?")
_SPECIAL = "{}[]<>"


@final
@dataclass(frozen=True, slots=True)
class Slot:
    """A place filled from the slot `name` and, where `label` is not None, marked."""

    name: str
    label: str | None


@final
@dataclass(frozen=True, slots=True)
class Number:
    """A decimal number between `low` and `high`, both in units of its last digit."""

    low: int
    high: int
    digits: int


@final
@dataclass(frozen=True, slots=True)
class Span:
    """A marked stretch; a non-empty `key` joins it to the other parts of the same mention."""

    label: str
    key: str
    body: Pattern


@final
@dataclass(frozen=True, slots=True)
class Choice:
    """Alternatives, one of which is taken."""

    options: tuple[Pattern, ...]


Node = str | Slot | Number | Span | Choice
Pattern = tuple[Node, ...]


@cache
def parse(source: str) -> Pattern:
    """Parse one sentence or slot entry. Raises ValueError where it does not follow the notation."""
    pattern, position = _sequence(source, 0, stops="")
    if position != len(source):
        raise ValueError(f"stray {source[position]!r} at {position} in {source!r}")
    return pattern


def _sequence(source: str, position: int, *, stops: str) -> tuple[Pattern, int]:
    """Parse from `position` up to the first of the characters `stops`, or to the end."""
    nodes: list[Node] = []
    text = ""
    while position < len(source) and source[position] not in stops:
        character = source[position]
        if character not in _SPECIAL:
            text += character
            position += 1
            continue
        if character not in _OPENERS:
            break
        node, position = _OPENERS[character](source, position + 1)
        nodes += [text, node] if text else [node]
        text = ""
    if stops and position == len(source):
        raise ValueError(f"unclosed bracket in {source!r}")
    return (*nodes, text) if text else tuple(nodes), position


def _slot(source: str, position: int) -> tuple[Node, int]:
    end = source.index("}", position)
    name = source[position:end]
    if number := _NUMBER.fullmatch(name):
        whole_low, part_low, whole_high, part_high = (group or "" for group in number.groups())
        if len(part_low) != len(part_high):
            raise ValueError(f"ends of a range with unequal decimals: {name!r}")
        return Number(int(whole_low + part_low), int(whole_high + part_high), len(part_low)), end + 1
    return Slot(name.lower(), name if name[:1].isupper() else None), end + 1


def _span(source: str, position: int) -> tuple[Node, int]:
    bar = source.index("|", position)
    label, _, key = source[position:bar].partition("#")
    body, end = _sequence(source, bar + 1, stops="]")
    return Span(label, key, body), _closed(source, end, by="]")


def _choice(source: str, position: int) -> tuple[Node, int]:
    options: list[Pattern] = []
    while True:
        option, position = _sequence(source, position, stops="|>")
        options.append(option)
        if source[position] != "|":
            return Choice(tuple(options)), _closed(source, position, by=">")
        position += 1


def _closed(source: str, position: int, *, by: str) -> int:
    if source[position] != by:
        raise ValueError(f"stray {source[position]!r} at {position} in {source!r}")
    return position + 1


_OPENERS = {"{": _slot, "[": _span, "<": _choice}
