"""What makes up a kind of note."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A part of a note: between `least` and `most` different sentences of those given, in a random order."""

    least: int
    most: int
    sentences: tuple[str, ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of note.

    `share` is its share of all notes. `typo_rate` is the share of long words that are misspelt. `capital` says whether
    lines begin with a capital letter. `clinical` notes may hold the critical events; a radiology report may not.
    """

    name: str
    share: float
    titles: tuple[str, ...]
    sections: tuple[Section, ...]
    typo_rate: float
    capital: bool = True
    clinical: bool = True
