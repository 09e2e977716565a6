"""`raretag biaslab`: labels drawn at random, and what training makes of their probabilities."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from raretag.cli import options
from raretag.cli.output import result, status, tell_findings, write_figures
from raretag.cli.targets import check_figures, check_outside
from raretag.cli.wording import shown
from raretag.errors import UsageError


def biaslab(
    out: Annotated[Path, typer.Option("--out", help="The folder to write.")],
    data: Annotated[
        Path | None,
        typer.Option("--data", help="Notes that give the text; their labels are not used. None: demo notes."),
    ] = None,
    model: Annotated[
        str | None, typer.Option("--model", help="bias-only, frozen (seconds) or full (the encoder learns; minutes).")
    ] = None,
    mechanisms: Annotated[
        str | None,
        typer.Option("--mechanisms", help="Names, e.g. paper, btl-variants, all-classes, focal+balanced (see docs)."),
    ] = None,
    design: Annotated[
        str | None, typer.Option("--design", help="What gets a random label: token, mention or word-type.")
    ] = None,
    marginals: Annotated[
        list[str] | None,
        typer.Option("--marginals", help="Planted probabilities, e.g. 60/25/10/4/1; may be repeated."),
    ] = None,
    seeds: Annotated[str | None, typer.Option("--seeds", help="One or several, e.g. 13,14,15.")] = None,
    steps: Annotated[int | None, typer.Option("--steps", help="Of each training.")] = None,
    config: Annotated[Path | None, typer.Option("--config", help="A YAML file of settings.")] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="One setting, e.g. tokens=30000.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Keep what is finished and go on.")] = False,
    json_: options.Json = None,
    format: options.Format = None,
) -> None:
    """Show what losses, samplers and decisions make of probabilities, on text with labels drawn at random."""
    from raretag.corpus.formats import read_corpus
    from raretag.experiments.biaslab.settings_file import load_lab_settings

    if data is None and format is not None:
        raise UsageError("--format says how to read --data, which is not given", remedy="Give --data or leave it out")
    if data is not None:
        check_outside(out, name="--out", source=data, source_name="--data")
    check_figures(json_, source=data, source_name="--data")
    given: dict[str, Any] = {
        "model": model,
        "mechanisms": mechanisms,
        "design": design,
        "marginals": marginals or None,
        "seeds": seeds,
        "steps": steps,
    }
    settings = load_lab_settings(
        config=config, named={key: value for key, value in given.items() if value is not None}, overrides=set_ or ()
    )
    console = status()
    corpus = None if data is None else read_corpus(data, format=format)
    if corpus is not None:
        tell_findings(corpus.findings, console)

    from raretag.cli.lab_tables import show_bias_lab
    from raretag.cli.progress import TrainingProgress
    from raretag.experiments import bias_lab
    from raretag.reporting.biaslab import write_bias_lab_report

    with TrainingProgress.shown(console) as progress:
        found = bias_lab(
            corpus,
            out=out,
            settings=settings,
            name="demo" if data is None else data.resolve().name,
            resume=resume,
            callbacks=[progress],
            announce=lambda stage: console.print(shown(stage), style="dim", soft_wrap=True),
        )
    report = write_bias_lab_report(found, folder=out)
    write_figures(found.model_dump(mode="json"), json_)
    if json_ is None or str(json_) != "-":
        show_bias_lab(found, result())
    console.print(
        f"all figures: {shown(out / 'biaslab.json')}; to read and to show: {shown(report.page)}", soft_wrap=True
    )
    if settings.model != "full":
        console.print("next: --model full --out ANOTHER lets the encoder learn too", soft_wrap=True)
