"""Read `costs.yaml`: everything that is wrong in it is told at once."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from raretag.decision.costs import Costs, DefaultCosts, LabelCosts
from raretag.errors import UsageError
from raretag.tagging import Schema
from raretag.training.settings_layers import read_settings

_REMEDY: Final = (
    "Write currency, default.miss and default.false_alarm, and where they differ labels.<label>.miss, .false_alarm "
    "and .wrong_label; review is the cost of one human review"
)


def read_costs(file: Path, *, schema: Schema) -> Costs:
    """The costs in a YAML file. Raises UsageError with every key that is unknown, missing or out of range."""
    content = read_settings(file)
    problems = _unknown_labels(content, schema) + _layered(content, schema)
    costs = None
    try:
        costs = Costs.model_validate(content)
    except ValidationError as error:
        problems = [_told(problem) for problem in error.errors(include_url=False)] + problems
    if costs is None or problems:
        lines = "\n".join(f"  {problem}" for problem in problems)
        count = f"{len(problems)} cost{'s' if len(problems) > 1 else ''}"
        raise UsageError(f"{count} cannot be used:\n{lines}\n", remedy=_REMEDY, file=file)
    return costs


def _told(problem: Any) -> str:
    """One problem that pydantic found, with its path and value."""
    location = [str(part) for part in problem["loc"]]
    path = ".".join(location)
    if problem["type"] == "missing":
        return f"{path}: is missing"
    if problem["type"] == "extra_forbidden":
        model = Costs if len(location) == 1 else DefaultCosts if location[0] == "default" else LabelCosts
        return f"{path}: there is no such key{_near(location[-1], list(model.model_fields))}"
    return f"{path}: {problem['msg']}, not {problem['input']!r:.60}"


def _unknown_labels(content: dict[str, Any], schema: Schema) -> list[str]:
    labels = content.get("labels")
    if not isinstance(labels, dict):
        return []
    return [
        f"labels.{label}: the run has no such label{_near(str(label), list(schema.labels))}"
        for label in labels
        if label not in schema.labels
    ]


def _layered(content: dict[str, Any], schema: Schema) -> list[str]:
    """A wrong label has no meaning where a stretch may carry several: each label is a question by itself."""
    if not schema.layered:
        return []
    labels = content.get("labels")
    places = {"default": content.get("default")}
    places |= {f"labels.{label}": own for label, own in labels.items()} if isinstance(labels, dict) else {}
    return [
        f"{path}.wrong_label: labels of this run may overlap, so that none stands in another's place; leave it out"
        for path, own in places.items()
        if isinstance(own, dict) and own.get("wrong_label") is not None
    ]


def _near(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    if near:
        return f"; did you mean {near[0]}?"
    return f"; there are: {', '.join(known[:12])}{' …' if len(known) > 12 else ''}"
