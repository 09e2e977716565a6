"""All commands in one place, in the order a newcomer meets them."""

from __future__ import annotations

from typing import Annotated

import typer

import raretag
from raretag.cli import (
    annotate,
    biaslab,
    calibrate,
    compare,
    convert,
    decide,
    demo,
    evaluate,
    heads,
    inspect,
    objectives,
    recipes,
    samplers,
    train,
    tune,
)

app = typer.Typer(
    name="raretag",
    help="Fine-tune the BERT you already use so that rare, critical clinical labels are not missed.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"raretag {raretag.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Options before the command."""


app.command("demo")(demo.demo)
app.command("inspect")(inspect.inspect)
app.command("convert")(convert.convert)
app.command("train")(train.train)
app.command("evaluate")(evaluate.evaluate)
app.command("calibrate")(calibrate.calibrate)
app.command("decide")(decide.decide)
app.command("annotate")(annotate.annotate)
app.command("biaslab")(biaslab.biaslab)
app.command("compare")(compare.compare)
app.command("tune")(tune.tune)
app.add_typer(recipes.recipes, name="recipes")
app.command("objectives")(objectives.objectives)
app.command("samplers")(samplers.samplers)
app.command("heads")(heads.heads)
