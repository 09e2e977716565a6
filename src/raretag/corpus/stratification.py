"""Deal units out to parts of given sizes so that every label, rarest first, is spread over all parts."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import final


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """What must stay together: how many documents it is (>= 1) and how often it mentions each label."""

    documents: int
    mentions: Mapping[str, int]


@final
@dataclass(slots=True, kw_only=True)
class _Part:
    """A part being filled: size and room left in documents, mentions it lacks, units and labels it has."""

    size: int
    room: int
    lack: dict[str, float]
    units: list[int] = field(default_factory=list)
    labels: set[str] = field(default_factory=set)

    def take(self, index: int, *, unit: Unit) -> None:
        self.units.append(index)
        self.room -= unit.documents
        self.labels.update(unit.mentions)
        for label, number in unit.mentions.items():
            self.lack[label] -= number


def stratify(units: Sequence[Unit], *, sizes: Sequence[int], seed: int) -> list[list[int]]:
    """The indices of the units of each part.

    `sizes` are the documents wanted per part, each >= 1, together all documents of the units; there are at least as
    many units as parts. No part stays empty, and where each unit is one document the sizes are met exactly.

    Iterative stratification after Sechidis, Tsoumakas & Vlahavas (ECML PKDD 2011), on mention counts: the label left in
    the fewest units is dealt out first, the unit richest in it before the others, and a part that has none of the label
    yet takes precedence. Where they give a unit to the part with the greatest demand for that one label, here it goes
    where chi-square over all labels, the sum of lack² / expected, falls the most: mention counts come out more even.
    Remaining ties are drawn from `seed`.
    """
    rng = random.Random(seed)
    total = sum((Counter(unit.mentions) for unit in units), Counter[str]())
    parts = [
        _Part(size=size, room=size, lack={label: number * size / sum(sizes) for label, number in total.items()})
        for size in sizes
    ]
    waiting = dict.fromkeys(rng.sample(range(len(units)), len(units)))
    while waiting:
        left = Counter(label for index in waiting for label in units[index].mentions)
        if not left:
            for index in sorted(waiting, key=lambda index: -units[index].documents):
                _deal(index, unit=units[index], parts=parts, total=total, label=None, waiting=waiting, rng=rng)
            break
        rarest = min(left, key=lambda label: (left[label], total[label], label))
        having = [index for index in waiting if rarest in units[index].mentions]
        for index in sorted(having, key=lambda index: -units[index].mentions[rarest]):
            _deal(index, unit=units[index], parts=parts, total=total, label=rarest, waiting=waiting, rng=rng)
    return [part.units for part in parts]


def _deal(
    index: int,
    *,
    unit: Unit,
    parts: Sequence[_Part],
    total: Mapping[str, int],
    label: str | None,
    waiting: dict[int, None],
    rng: random.Random,
) -> None:
    empty = [part for part in parts if not part.units]
    roomy = [part for part in parts if part.room >= unit.documents]
    # an empty part would be worse than a wrong size
    choice = empty if len(empty) >= len(waiting) else roomy or [max(parts, key=lambda part: part.room)]

    def need(part: _Part) -> tuple[bool, float, int, float]:
        # (lack² - (lack - n)²) / (2 size total), which is proportional to the fall of chi-square
        fall = sum(n * (part.lack[name] - n / 2) / total[name] for name, n in unit.mentions.items()) / part.size
        return label is not None and label not in part.labels, fall, part.room, rng.random()

    max(choice, key=need).take(index, unit=unit)
    del waiting[index]
