"""Named settings: one YAML file a recipe, each opening with the command that runs it."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

import yaml

from raretag.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """A recipe's name, one line about it, its source, and what it sets.

    settings: those of training that differ from the defaults. calibration, policy: what `raretag calibrate` and
    `raretag decide` do with a run of it where they are not told otherwise; empty is their own default.
    """

    name: str
    about: str
    source: str
    settings: dict[str, Any]
    calibration: dict[str, Any] = field(default_factory=dict)
    policy: dict[str, Any] = field(default_factory=dict)


RECIPES = ("plain", "inverse-sqrt")


def recipe(name: str) -> Recipe:
    """Read the recipe `name`. Raises UsageError for a name that does not exist."""
    return Recipe(name=name, **yaml.safe_load(recipe_text(name)))


def recipe_text(name: str) -> str:
    """The file of the recipe `name`, comments and all. Raises UsageError for a name that does not exist."""
    if name not in RECIPES:
        near = difflib.get_close_matches(name, RECIPES, n=1)
        meant = f"; did you mean {near[0]}?" if near else ""
        raise UsageError(f"there is no recipe {name!r}{meant}", remedy=f"Choose one of: {', '.join(RECIPES)}")
    return (files(__name__) / f"{name}.yaml").read_text(encoding="utf-8")


def settings_text(name: str) -> str:
    """The recipe as a file of settings for `--config`: its keys without `about`, `source` and the level `settings`."""
    one = recipe(name)
    content = {**one.settings}
    for part in ("calibration", "policy"):
        if getattr(one, part):
            content[part] = getattr(one, part)
    header = f"# raretag train DATA --out RUN --config THIS-FILE\n# recipe {name}: {one.about}\n# {one.source}\n"
    return header + yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
