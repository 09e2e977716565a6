"""Whether what a space can propose can be trained, and what may not be tuned at all; told before the first training."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import combinations, product
from typing import Final

from raretag.errors import UsageError
from raretag.experiments.tuning.space import Choice, Parameter, Space, Value
from raretag.experiments.tuning.space_file import refuse
from raretag.training.setting_names import covers

# by its first part, or whole
_NEVER: Final = {
    "seed": "another seed is other folds and other luck, not a better recipe",
    "split": "it decides which documents are seen",
    "tagging": "probabilities of other tags cannot be compared",
    "encoder": "probabilities of other tokens cannot be compared; tune each encoder, then raretag compare",
    "optimiser.patience": "folds train all epochs",
    "ledger_steps": "it changes no model",
    "checkpoint_seconds": "it changes no model",
    "precision": "it is the machine's",
}


def check_space(
    space: Space,
    *,
    settings_of: Callable[[Mapping[str, Value]], object],
    overridden: frozenset[str],
    closed: Mapping[str, str],
    file: str | None = None,
) -> None:
    """Raises UsageError with all that is wrong.

    settings_of: what raises UsageError for settings that do not go together. Both ends of every range and every choice
    are tried with what they are open beside, and every two choices together. overridden: keys that `--set` fixes.
    closed: parts of the settings that this study cannot tune, and why.
    """
    problems = [f"{key}: {why}" for key in sorted(space.keys) for why in _never(key)]
    problems += [
        f"{key}: --set fixes it, too"
        for key in sorted(space.keys)
        if any(covers(one, key) or covers(key, one) for one in overridden)
    ]
    problems += [f"{key}: {why}" for part, why in closed.items() for key in sorted(space.keys) if covers(part, key)]
    refuse(problems, file=file)
    # the same complaint may come with several combinations: the first, which is the simplest, is told
    found: dict[str, str] = {}
    for told in _combinations(space):
        try:
            settings_of(told)
        except UsageError as error:
            for line in error.what.strip().splitlines()[1:] or [error.what]:
                beside = ", ".join(f"{key}={value}" for key, value in told.items())
                found.setdefault(line.strip(), f"{line.strip()} (with {beside})")
    refuse([*found.values()], file=file)


def _never(key: str) -> Iterator[str]:
    for one in (key, key.split(".")[0]):
        if one in _NEVER:
            yield f"is not to be tuned: {_NEVER[one]}"
            return


def _combinations(space: Space) -> Iterator[dict[str, Value]]:
    """Few settings at a time, the simplest first."""
    for one in space.parameters:
        for needed, value in product(_needed(one, space), one.values.edges):
            yield {**needed, one.key: value}
    chosen = [
        (one, {**needed, one.key: value})
        for one in space.parameters
        if isinstance(one.values, Choice)
        for needed, value in product(_needed(one, space), one.values.choices)
    ]
    for (first, told), (second, beside) in combinations(chosen, 2):
        apart = any(told[key] != beside[key] for key in told.keys() & beside.keys())
        if first.key != second.key and not apart:
            yield {**told, **beside}


def _needed(parameter: Parameter, space: Space) -> list[dict[str, Value]]:
    """All values that open it, each with what opens these."""
    ways: list[dict[str, Value]] = [{}]
    for key, allowed in parameter.when.items():
        opening = [
            {**needed, key: value}
            for value in allowed
            for above in space.parameters
            if above.key == key and isinstance(above.values, Choice) and above.values.holds(value)
            for needed in _needed(above, space)
        ]
        ways = [
            {**way, **more}
            for way, more in product(ways, opening)
            if all(way[both] == more[both] for both in way.keys() & more.keys())
        ]
    return ways
