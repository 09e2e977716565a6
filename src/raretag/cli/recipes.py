"""`raretag recipes`: what there is, one line each with its source."""

from __future__ import annotations

from raretag.cli.output import result


def recipes() -> None:
    """List the recipes: named settings for raretag train."""
    from raretag.cli.methods import Method, show_methods
    from raretag.training.recipes import RECIPES, recipe

    named = [recipe(name) for name in RECIPES]
    rows = [Method(name=one.name, about=one.about, source=one.source) for one in named]
    show_methods("recipe", rows, result())
