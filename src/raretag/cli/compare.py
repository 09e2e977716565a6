"""`raretag compare`: recipes on the same folds, with intervals and tests of their differences."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Final

import typer

from raretag.cli import options
from raretag.cli.output import STANDARD_OUTPUT, result, status, tell_findings, write_figures
from raretag.cli.overrides import check_used
from raretag.cli.targets import check_figures, check_outside
from raretag.cli.wording import counted, shown
from raretag.errors import UsageError

# settings that a comparison has its own of, and what to give instead
_OWN: Final = {
    "seed": "Give --seeds",
    "split": "Give --folds: every document is judged by a model that has not seen it",
    "optimiser.patience": "Leave it out: folds train all epochs",
}


def compare(
    data: options.Data,
    out: Annotated[Path, typer.Option("--out", help="Where trainings and figures lie; the same folder goes on.")],
    recipes: Annotated[
        str,
        typer.Option("--recipes", help="Names, or files of settings (.yaml), with commas; the first is the baseline."),
    ] = "plain,rare",
    folds: Annotated[int, typer.Option("--folds", min=2, help="Into how many parts documents are dealt.")] = 5,
    seeds: Annotated[str, typer.Option("--seeds", help="Of folds, heads and batches, with commas.")] = "13",
    baseline: Annotated[str | None, typer.Option("--baseline", help="Another recipe than the first.")] = None,
    costs: Annotated[Path | None, typer.Option("--costs", help="costs.yaml, to price what each decides.")] = None,
    encoder: Annotated[str | None, typer.Option("--encoder", help="minilm, a folder, or a hub id; for all.")] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="One setting for all recipes alike.")
    ] = None,
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="Trainings side by side on this machine.")] = 1,
    ray: Annotated[
        str | None,
        typer.Option(
            "--ray", metavar="ADDRESS", help="Train on a Ray cluster (host:port, or local) that shares --out."
        ),
    ] = None,
    json: options.Json = None,
    format: options.Format = None,
) -> None:
    """Compare recipes by document-level cross-validation; broken off, the same command goes on."""
    from raretag.corpus.formats import read_corpus
    from raretag.corpus.inventory import mention_counts
    from raretag.experiments.comparison.contestant import called, contestant

    check_outside(out, name="--out", source=data, source_name="DATA")
    check_figures(json, source=data)
    check_used(set_ or (), own=_OWN, by="a comparison")
    names = [name.strip() for name in recipes.split(",") if name.strip()]
    of_name = partial(contestant, overrides=set_ or (), encoder=encoder)
    # what cannot be is told before anything is read
    for name in names:
        of_name(name)
    numbers = _seeds(seeds)
    corpus = read_corpus(data, format=format)
    chosen = [of_name(name, mentions=mention_counts(corpus)) for name in names]
    console = status()
    tell_findings(corpus.findings, console)

    from raretag.cli.comparison_tables import show_comparison
    from raretag.cli.progress import TrainingProgress
    from raretag.decision.costs_file import read_costs
    from raretag.experiments.comparison.compare import compare as run_comparison
    from raretag.reporting.comparison import write_comparison
    from raretag.tagging import build_schema

    with TrainingProgress.shown(console) as progress:
        compared = run_comparison(
            corpus,
            chosen,
            folds=folds,
            seeds=numbers,
            out=out,
            baseline=None if baseline is None else called(baseline),
            costs=None if costs is None else read_costs(costs, schema=build_schema(corpus.labels)),
            jobs=jobs,
            ray=ray,
            callbacks=lambda: [progress],
            announce=lambda stage: console.print(shown(stage), style="dim"),
        )
    if json != STANDARD_OUTPUT:
        show_comparison(compared, result())
    try:
        write_figures(compared.to_json(), json)
    finally:
        written = write_comparison(compared, out)
    console.print(f"figures of {counted(len(chosen), 'recipe')}: {', '.join(map(shown, written))}", soft_wrap=True)


def _seeds(told: str) -> list[int]:
    try:
        seeds = [int(one) for one in told.split(",")]
    except ValueError as error:
        raise UsageError(f"--seeds {told!r} is no list of numbers", remedy="Give for example --seeds 13,14") from error
    if any(not 0 <= seed < 2**32 for seed in seeds):
        raise UsageError("a seed is below 0 or too large", remedy="Give numbers from 0 to 4294967295")
    return seeds
