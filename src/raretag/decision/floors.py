"""Recall floors, one for all labels or by label or tail group, and the share of misses that they leave each label."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

from raretag.corpus.inventory import TAIL_GROUPS, tail_group
from raretag.errors import UsageError
from raretag.tagging import Schema

Floors = float | Mapping[str, float]


def alphas_of(floors: Floors, *, schema: Schema) -> dict[str, float]:
    """1 − floor of every label that has one. Raises UsageError with all that is wrong with the floors."""
    # one floor for all labels is one mistake
    problems = _by_name(floors, schema) if isinstance(floors, Mapping) else _out_of_range(floors, "")
    alphas = {}
    if not problems:
        asked = floors if isinstance(floors, Mapping) else dict.fromkeys(schema.labels, floors)
        taken = {label: _name(label, number, asked) for label, number in _with_counts(schema)}
        alphas = {label: _alpha(asked[name]) for label, name in taken.items() if name is not None}
        problems = [f"the floor for {name!r} falls on no label" for name in asked if name not in taken.values()]
        if not asked:
            problems = ["no label has a floor"]
    if problems:
        raise UsageError(
            "; ".join(problems), remedy="Give recall floors such as 0.95, for all, a label or a tail group"
        )
    return alphas


def together(floors: Floors, *, schema: Schema) -> dict[str, tuple[str, ...]]:
    """The labels whose floor is their tail group's, by group: who names a group asks about it as a whole."""
    if not isinstance(floors, Mapping):
        return {}
    found: dict[str, tuple[str, ...]] = {}
    for label, number in _with_counts(schema):
        name = _name(label, number, floors)
        if name is not None and name != label:
            found[name] = (*found.get(name, ()), label)
    return found


def _by_name(floors: Mapping[str, float], schema: Schema) -> list[str]:
    problems = []
    known = [*schema.labels, *TAIL_GROUPS]
    for name, floor in floors.items():
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            meant = f"did you mean {near[0]}?" if near else f"there are the groups {', '.join(TAIL_GROUPS)}"
            problems.append(f"no label and no tail group is called {name!r}; {meant}")
        elif name in schema.labels and name in TAIL_GROUPS:
            problems.append(f"{name!r} is a label and a tail group; name the labels that it shall be for one by one")
        else:
            problems += _out_of_range(floor, f" for {name!r}")
    return problems


def _out_of_range(floor: float, place: str) -> list[str]:
    if not 0 < floor < 1:
        return [f"a floor of {floor:g}{place} is not between 0 and 1"]
    if not 0 < _alpha(floor) < 1:
        return [f"a floor of {floor!r}{place} is too near {round(floor)} to be told from it"]
    return []


def _alpha(floor: float) -> float:
    # 1 − 0.95 is a little more than 0.05
    return round(1 - floor, 12)


def _with_counts(schema: Schema) -> list[tuple[str, int]]:
    return list(zip(schema.labels, schema.mention_counts, strict=True))


def _name(label: str, number: int, asked: Mapping[str, float]) -> str | None:
    """What the floor of a label is called: the label, or its tail group."""
    return next((name for name in (label, tail_group(number)) if name in asked), None)
