"""`raretag recipes`: what there is, one line each with its source."""

from __future__ import annotations

from rich.table import Table

from raretag.cli.output import result


def recipes() -> None:
    """List the recipes: named settings for raretag train."""
    from raretag.training.recipes import RECIPES, recipe

    table = Table(box=None, pad_edge=False)
    for column in ("recipe", "what it does", "source"):
        table.add_column(column, overflow="fold")
    for name in RECIPES:
        one = recipe(name)
        table.add_row(one.name, one.about, one.source)
    result().print(table)
