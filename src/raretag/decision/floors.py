"""Recall floors, one for all labels or by label or tail group, and the share of misses that they leave each label."""

from __future__ import annotations

from collections.abc import Mapping

from raretag.decision.by_label import ByLabel, taken_names, wrong_names
from raretag.errors import UsageError
from raretag.tagging import Schema

Floors = ByLabel


def alphas_of(floors: Floors, *, schema: Schema) -> dict[str, float]:
    """1 − floor of every label that has one. Raises UsageError with all that is wrong with the floors."""
    # one floor for all labels is one mistake
    problems = _by_name(floors, schema) if isinstance(floors, Mapping) else _out_of_range(floors, "")
    alphas = {}
    if not problems:
        asked = floors if isinstance(floors, Mapping) else dict.fromkeys(schema.labels, floors)
        taken = taken_names(asked, schema=schema)
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
    for label, name in taken_names(floors, schema=schema).items():
        if name is not None and name != label:
            found[name] = (*found.get(name, ()), label)
    return found


def _by_name(floors: Mapping[str, float], schema: Schema) -> list[str]:
    wrong = wrong_names(floors, schema=schema)
    return [
        problem
        for name, floor in floors.items()
        for problem in ([wrong[name]] if name in wrong else _out_of_range(floor, f" for {name!r}"))
    ]


def _out_of_range(floor: float, place: str) -> list[str]:
    if not 0 < floor < 1:
        return [f"a floor of {floor:g}{place} is not between 0 and 1"]
    if not 0 < _alpha(floor) < 1:
        return [f"a floor of {floor!r}{place} is too near {round(floor)} to be told from it"]
    return []


def _alpha(floor: float) -> float:
    # 1 − 0.95 is a little more than 0.05
    return round(1 - floor, 12)
