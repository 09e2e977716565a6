"""Spaces in YAML: the built-in ones by name, your own by path; all that is wrong in one is told at once."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import as_file, files
from itertools import chain
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from raretag.errors import UsageError
from raretag.experiments.tuning.goal import Goal
from raretag.experiments.tuning.space import Choice, Parameter, Range, Space, Value
from raretag.training.setting_names import covers, override_key
from raretag.training.settings_layers import read_settings

BUILT_IN: Final = ("full", "head")
# parts whose settings depend on which method or rule is named there
_OPTIONS_BY_NAME: Final = ("objective", "sampler", "head", "second_stage", "calibration", "policy")


def read_space(name: str) -> Space:
    """The space `name` with all that is written there: `full` or `head`, or a file, which ends in .yaml or .yml.

    Raises UsageError for another name, a file that is no such YAML, and with all that is wrong in it.
    """
    if name in BUILT_IN:
        with as_file(files("raretag.experiments.tuning") / f"{name}.yaml") as file:
            return _space(read_settings(file), file=file)
    if not name.endswith((".yaml", ".yml")):
        near = difflib.get_close_matches(name, BUILT_IN, n=1)
        raise UsageError(
            f"there is no search space {name!r}{f'; did you mean {near[0]}?' if near else ''}",
            remedy=f"Give {' or '.join(BUILT_IN)}, or a file that ends in .yaml",
        )
    return _space(read_settings(Path(name)), file=Path(name))


def space_of(name: str, *, goal: Goal, overrides: Sequence[str] = (), closed: Sequence[str] = ()) -> Space:
    """`full` or `head`, as far as the goal looks at it and `overrides`, `key=value`, leave it open; a file as it is.

    Where one setting of a method or of the policy is fixed, nothing else of it is tuned. closed: parts that the recipe
    cannot have. Raises as `read_space`, and UsageError where nothing is left.
    """
    space = read_space(name)
    if name not in BUILT_IN:
        return space
    left = space.without([*goal.blind_to, *closed, *(_fixed(one) for one in overrides)])
    if not left.parameters:
        raise UsageError(
            f"nothing of the search space {name!r} is left to tune",
            remedy="Fix less by --set, or give a file of your own to --space",
        )
    return left


def _fixed(override: str) -> str:
    key = override_key(override)
    part = key.split(".")[0]
    return part if part in _OPTIONS_BY_NAME else key


def refuse(problems: list[str], *, file: Path | str | None = None) -> None:
    """Raises UsageError with all that is wrong in a space, if there is something."""
    if problems:
        parts = f"{len(problems)} part{'s' if len(problems) > 1 else ''} of the search space cannot be used:"
        raise UsageError("\n".join([parts, *(f"  {one}" for one in problems)]), remedy="Mend these", file=file)


def _space(content: Mapping[str, Any], *, file: Path) -> Space:
    problems: list[str] = []
    found: list[Parameter] = []
    for key, told in content.items():
        alternatives = told if isinstance(told, list) else [told]
        if not alternatives:
            problems.append(f"{key}: there is nothing to choose from")
        for one in alternatives:
            try:
                found.append(_parameter(key, one, alone=len(alternatives) == 1))
            except ValidationError as error:
                problems += [f"{key}: {_told(single)}" for single in error.errors(include_url=False)]
            except ValueError as error:
                problems.append(f"{key}: {error}")
    if not content:
        problems.append("it names no setting; write for example optimiser.epochs: {low: 4, high: 12}")
    refuse([*problems, *_conditions(found)], file=file)
    return Space(tuple(found))


def _parameter(key: str, content: object, *, alone: bool) -> Parameter:
    """Raises ValueError, ValidationError among them, for what is none."""
    if not isinstance(content, Mapping):
        hint = "a single value is no search: --set it"
        raise ValueError(f"is {content!r:.40}, not low and high, or choices; {hint}")
    values = dict(content)
    conditions = values.pop("when", {})
    if not isinstance(conditions, Mapping):
        raise ValueError(f"when is {conditions!r:.40}, not {{objective.name: focal}} or the like")
    odd = [one for one in chain.from_iterable(map(_several, conditions.values())) if not isinstance(one, Value)]
    if odd:
        raise ValueError(f"when names {odd[0]!r:.40}, which is no single value")
    when = {str(one): tuple(_several(told)) for one, told in conditions.items()}
    if not alone and not when:
        raise ValueError("where there are several, each needs a when")
    kind = Choice if "choices" in values else Range
    name = key if alone else f"{key} of {' and '.join('/'.join(map(str, told)) for told in when.values())}"
    return Parameter(name=name, key=key, values=kind.model_validate(values), when=when)


def _several(told: object) -> list[Any]:
    return told if isinstance(told, list) else [told]


def _told(error: Any) -> str:
    place = ".".join(str(part) for part in error["loc"] if part not in ("int", "float"))
    if error["type"] == "extra_forbidden":
        known = [*Range.model_fields, *Choice.model_fields, "when"]
        return f"there is no {place}; there are: {', '.join(known)}"
    if error["type"] == "value_error":
        return f"{place + ' ' if place else ''}{error['ctx']['error']}"
    return f"{place}: {error['msg']}"


def _conditions(found: list[Parameter]) -> Iterator[str]:
    """What is wrong between parameters."""
    above: dict[str, list[Parameter]] = {}
    for one in found:
        for key in above:
            if key != one.key and (covers(key, one.key) or covers(one.key, key)):
                yield f"{one.key}: {key} is tuned, too, and one is a part of the other"
        for key, allowed in one.when.items():
            if key not in above:
                yield f"{one.key}: when names {key}, which does not stand above it"
            for value in allowed:
                if key in above and not any(_offers(other, value) for other in above[key]):
                    yield f"{one.key}: when names {value!r}, which {key} cannot be"
        for other in above.get(one.key, []):
            if not one.excludes(other):
                yield f"{one.key}: {one.name!r} and {other.name!r} would be open at once"
        above.setdefault(one.key, []).append(one)


def _offers(parameter: Parameter, value: Value) -> bool:
    return isinstance(parameter.values, Choice) and parameter.values.holds(value)
