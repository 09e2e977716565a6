"""`raretag train`: from annotated notes to a run folder."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from raretag.cli import options
from raretag.cli.output import status, tell_findings
from raretag.cli.targets import check_outside
from raretag.cli.wording import counted, shown
from raretag.training.recipes import DEFAULT, PLAIN, default_recipe


def train(
    data: options.Data,
    out: Annotated[Path, typer.Option("--out", help="The run folder to write.")],
    recipe: Annotated[
        str | None,
        typer.Option(
            "--recipe",
            help=f"See raretag recipes. By default {DEFAULT}; {PLAIN} if --set chooses how a model learns (objective, "
            "regularisers, sampler, head, second stage, ensemble).",
        ),
    ] = None,
    encoder: Annotated[str | None, typer.Option("--encoder", help="minilm, a folder, or a hub id.")] = None,
    config: Annotated[Path | None, typer.Option("--config", help="A YAML file of settings.")] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="One setting, e.g. optimiser.epochs=8."),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an interrupted run.")] = False,
    format: options.Format = None,
) -> None:
    """Fine-tune an encoder on annotated notes."""
    from raretag.corpus.formats import read_corpus
    from raretag.corpus.inventory import mention_counts
    from raretag.decision.after_training import AfterTraining
    from raretag.decision.policy_fitting import Asked, check_asked
    from raretag.tagging import counted_schema
    from raretag.training.settings_file import load_recipe

    check_outside(out, name="--out", source=data, source_name="DATA")
    # a file of settings says all that it wants by itself, and may name its recipe
    recipe = default_recipe(set_ or ()) if recipe is None and config is None else recipe
    load = partial(
        load_recipe,
        recipe_name=recipe,
        config=config,
        overrides=set_ or (),
        encoder=encoder,
        problems_after=AfterTraining.problems,
    )
    # what cannot be, and what cannot be done afterwards, is told before anything is read
    told = load()
    planned = AfterTraining.of(told.after)
    planned.check(told.training)
    asked = planned.policy.asked
    check_asked(asked)
    corpus = read_corpus(data, format=format)
    console = status()
    tell_findings(corpus.findings, console)
    mentions = mention_counts(corpus)
    check_asked(asked, schema=counted_schema(mentions))
    settings, after, why = load(mentions=mentions)
    if recipe is not None or why is not None:
        named = shown(recipe) if recipe is not None else f"of {shown(config)}"
        console.print(f"recipe {named}{f': {why}' if why else ''}", style="dim", soft_wrap=True)

    from raretag.cli.progress import TrainingProgress
    from raretag.training import train as run_training

    with TrainingProgress.shown(console) as progress:
        run = run_training(
            corpus,
            out=out,
            settings=settings,
            resume=resume,
            recipe={"recipe": recipe, "after": after},
            callbacks=[progress],
            announce=lambda stage: console.print(shown(stage), style="dim"),
        )
    manifest = run.manifest
    held_out = len(manifest["data"]["test"])
    console.print(f"trained in {manifest['seconds']:,.0f} s; the run folder is {shown(run.path)}", soft_wrap=True)
    path, notes = shown(run.path), shown(data)
    steps = [f"raretag evaluate {path} {notes}  ({counted(held_out, 'document')} that training has not seen)"]
    if asked != Asked(rule="argmax"):
        # until then the most probable tags are taken
        steps = [
            f"raretag calibrate {path} {notes} --folds 5  (or other annotated notes, without training again)",
            f"raretag decide {path}",
            *steps,
        ]
    console.print("next: " + "\n      ".join(steps), soft_wrap=True)
