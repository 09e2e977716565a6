"""How much more recall counts than precision, for all labels or by label or tail group: the β of F_β."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from raretag.decision.by_label import ByLabel, taken_names, wrong_names
from raretag.errors import UsageError
from raretag.tagging import Schema

_MOST: Final = 10.0
# precision and recall alike
PLAIN: Final = 1.0


def betas_of(betas: ByLabel | None, *, schema: Schema) -> dict[str, float]:
    """β of every label of the schema, 1 where none is told. Raises UsageError with all that is wrong.

    A group without labels is no mistake: a recipe's groups are for any corpus.
    """
    if betas is None:
        return dict.fromkeys(schema.labels, PLAIN)
    if not isinstance(betas, Mapping):
        _refuse(out_of_range(betas))
        return dict.fromkeys(schema.labels, betas)
    wrong = wrong_names(betas, schema=schema)
    taken = taken_names(betas, schema=schema)
    _refuse([*wrong.values(), *out_of_range(betas)])
    return {label: PLAIN if name is None else betas[name] for label, name in taken.items()}


def out_of_range(betas: ByLabel) -> list[str]:
    """What is wrong with the numbers, whatever the labels are."""
    named = {f" for {name!r}": beta for name, beta in betas.items()} if isinstance(betas, Mapping) else {"": betas}
    return [
        f"a beta of {beta:g}{place} is not in (0, {_MOST:g}]" for place, beta in named.items() if not 0 < beta <= _MOST
    ]


def _refuse(problems: list[str]) -> None:
    if problems:
        raise UsageError("; ".join(problems), remedy="Give betas such as 1.5, for all, a label or a tail group")
