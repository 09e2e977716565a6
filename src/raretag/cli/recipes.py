"""`raretag recipes`: what there is, one line each with its source; `show` prints a recipe, `copy` makes it your own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from raretag.cli.output import result, status
from raretag.cli.wording import shown
from raretag.errors import DataError, UsageError

recipes = typer.Typer(invoke_without_command=True, help="List the recipes: named settings for raretag train.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="A recipe, see raretag recipes.")]


@recipes.callback()
def listing(context: typer.Context) -> None:
    """List the recipes: named settings for raretag train."""
    if context.invoked_subcommand is not None:
        return
    from raretag.cli.methods import Method, show_methods
    from raretag.training.recipes import RECIPES, recipe

    named = [recipe(name) for name in RECIPES]
    rows = [Method(name=one.name, about=one.about, source=one.source) for one in named]
    show_methods("recipe", rows, result())


@recipes.command()
def show(name: Name) -> None:
    """Print a recipe as it is written, comments and all."""
    from raretag.training.recipes import recipe_text

    result().print(recipe_text(name), end="", soft_wrap=True)


@recipes.command()
def copy(name: Name, file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to; must not exist.")]) -> None:
    """Write a recipe's settings to a file of your own, for raretag train --config FILE."""
    from raretag.training.recipes import recipe as of_name
    from raretag.training.recipes import settings_text

    text = settings_text(name)
    try:
        with file.open("x", encoding="utf-8") as target:
            target.write(text)
    except FileExistsError as error:
        raise UsageError("the file exists already", remedy="Choose another FILE", file=file) from error
    except OSError as error:
        raise DataError(
            f"the recipe cannot be written here ({error.strerror})", remedy="Choose another FILE", file=file
        ) from error
    for rule in of_name(name).rules:
        status().print(f"left out, as it is for some corpora: {rule.why}", soft_wrap=True)
    status().print(f"next: raretag train DATA --out RUN --config {shown(file)}", soft_wrap=True)
