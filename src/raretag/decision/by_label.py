"""A value for all labels, or by label or tail group: which label has which, and what names are wrong."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping

from raretag.corpus.inventory import TAIL_GROUPS, tail_group
from raretag.tagging import Schema

ByLabel = float | Mapping[str, float]


def wrong_names(names: Iterable[str], *, schema: Schema) -> dict[str, str]:
    """What is wrong with each name that is neither a label nor a tail group, or that is both."""
    known = [*schema.labels, *TAIL_GROUPS]
    problems = {}
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            meant = f"did you mean {near[0]}?" if near else f"there are the groups {', '.join(TAIL_GROUPS)}"
            problems[name] = f"no label and no tail group is called {name!r}; {meant}"
        elif name in schema.labels and name in TAIL_GROUPS:
            problems[name] = f"{name!r} is a label and a tail group; name the labels that it shall be for one by one"
    return problems


def taken_names(asked: Mapping[str, float], *, schema: Schema) -> dict[str, str | None]:
    """By label, what it is called in `asked`: its own name before its tail group's; None where neither is there."""
    return {
        label: next((name for name in (label, tail_group(number)) if name in asked), None)
        for label, number in zip(schema.labels, schema.mention_counts, strict=True)
    }
