"""`raretag tune`: search settings on folds of the training documents, and write the best as a recipe."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from raretag.cli import options
from raretag.cli.output import STANDARD_OUTPUT, result, status, tell_findings, write_figures
from raretag.cli.overrides import check_used
from raretag.cli.targets import check_figures, check_outside
from raretag.cli.wording import counted, shown


def tune(
    data: options.Data,
    out: Annotated[Path, typer.Option("--out", help="Where study and trainings lie; the same folder goes on.")],
    trials: Annotated[int, typer.Option("--trials", min=1, help="How many the study shall have in all.")] = 30,
    recipe: Annotated[
        str, typer.Option("--recipe", help="The baseline and first trial: a name, or a file of settings (.yaml).")
    ] = "plain",
    goal: Annotated[
        str, typer.Option("--goal", help="brier (calibrated tokens), or macro10-f1 (labels with 10 mentions).")
    ] = "brier",
    at_least: Annotated[
        list[str] | None,
        typer.Option("--at-least", metavar="NAME=RECALL", help="Recall of a label, or of head, medium or tail."),
    ] = None,
    micro_not_below: Annotated[
        bool, typer.Option("--micro-not-below", help="Micro-F1 must not fall below the baseline's.")
    ] = False,
    space: Annotated[
        str, typer.Option("--space", help="full, head (what comes after training: seconds), or a file (.yaml).")
    ] = "full",
    folds: Annotated[int, typer.Option("--folds", min=2, help="Into how many parts documents are dealt.")] = 3,
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="Trials side by side on this machine.")] = 1,
    ray: Annotated[
        str | None,
        typer.Option("--ray", metavar="ADDRESS", help="Work on a Ray cluster (host:port, or local) that shares --out."),
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", min=0, max=2**32 - 1, help="Of parts, folds, trainings and proposals.")
    ] = None,
    encoder: Annotated[str | None, typer.Option("--encoder", help="minilm, a folder, or a hub id.")] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="One setting for all trials alike.")
    ] = None,
    json: options.Json = None,
    format: options.Format = None,
) -> None:
    """Search settings on training documents alone; broken off, the same command goes on."""
    from raretag.corpus.formats import read_corpus
    from raretag.corpus.inventory import mention_counts
    from raretag.experiments.comparison.contestant import contestant
    from raretag.experiments.tuning.goal import goal_of
    from raretag.experiments.tuning.space_file import BUILT_IN, read_space, space_of

    check_outside(out, name="--out", source=data, source_name="DATA")
    check_figures(json, source=data)
    own = {"optimiser.patience": "Leave it out: folds train all epochs"}
    if seed is not None:
        own["seed"] = "It is that of --seed: give one of the two"
    check_used(set_ or (), own=own, by="this study")
    aim = goal_of(goal, at_least=at_least or (), micro_not_below=micro_not_below)
    # what cannot be is told before anything is read
    read_space(space)
    corpus = read_corpus(data, format=format)
    console = status()
    tell_findings(corpus.findings, console)

    from raretag.cli.progress import TrainingProgress
    from raretag.cli.tuning_tables import show_tuning
    from raretag.experiments.tuning.result import best_trial
    from raretag.experiments.tuning.task import closed_parts, task_of
    from raretag.experiments.tuning.tune import contestant_of
    from raretag.experiments.tuning.tune import tune as run_tuning
    from raretag.reporting.tuning import write_tuning

    overrides = (*(set_ or ()), *(() if seed is None else (f"seed={seed}",)))
    settings = contestant(recipe, overrides=overrides, mentions=mention_counts(corpus)).settings
    closed = closed_parts(settings, heads=[settings.head.name])
    task = task_of(
        corpus,
        recipe=recipe,
        space=space_of(space, goal=aim, overrides=set_ or (), closed=[*closed]),
        goal=aim,
        folds=folds,
        out=out,
        overrides=overrides,
        encoder=encoder,
        space_name=None if space in BUILT_IN else space,
    )
    learned = counted(len(task.corpus.documents), "document")
    console.print(
        f"tuning on {learned}; {counted(task.left, 'test document')} set aside and not opened ({task.origin})",
        soft_wrap=True,
    )
    with TrainingProgress.shown(console) as progress:
        tuned = run_tuning(
            task,
            trials=trials,
            jobs=jobs,
            ray=ray,
            callbacks=lambda: [progress],
            announce=lambda stage: console.print(shown(stage), style="dim", soft_wrap=True),
        )
    best = None if tuned.best is None else contestant_of(task, tuned.row(tuned.best))
    written = write_tuning(tuned, out, best=best, command=shlex.join(["raretag", *sys.argv[1:]]))
    if json != STANDARD_OUTPUT:
        show_tuning(tuned, result())
    write_figures(tuned.to_json(), json)
    console.print(f"figures: {', '.join(map(shown, written))}", soft_wrap=True)
    # told last, so that everything else is there
    best_trial(tuned)
    console.print(
        f"next: raretag train {shown(data)} --out RUN --config {shown(out / 'best.yaml')}",
        soft_wrap=True,
    )
