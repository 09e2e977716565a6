"""Named settings: one YAML file a recipe, each opening with the command that runs it."""

from __future__ import annotations

from importlib.resources import files
from typing import Any, NamedTuple

import yaml

from raretag.errors import UsageError


class Recipe(NamedTuple):
    """A recipe's name, one line about it, its source, and the settings that differ from the defaults."""

    name: str
    about: str
    source: str
    settings: dict[str, Any]


RECIPES = ("plain", "inverse-sqrt")


def recipe(name: str) -> Recipe:
    """Read the recipe `name`. Raises UsageError for a name that does not exist."""
    if name not in RECIPES:
        raise UsageError(f"there is no recipe {name!r}", remedy=f"Choose one of: {', '.join(RECIPES)}")
    content = yaml.safe_load((files(__name__) / f"{name}.yaml").read_text(encoding="utf-8"))
    return Recipe(name=name, **content)
