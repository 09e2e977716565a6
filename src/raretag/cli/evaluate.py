"""`raretag evaluate`: figures per label, with counts and intervals."""

from __future__ import annotations

from typing import Annotated

import typer

from raretag.cli import options
from raretag.cli.output import STANDARD_OUTPUT, result, status, tell_findings, write_figures


def evaluate(
    run: options.Run,
    data: options.Data,
    json: options.Json = None,
    resamples: Annotated[
        int, typer.Option(min=0, help="Resamples of the documents for the 95 % intervals; 0 gives none.")
    ] = 2000,
    format: options.Format = None,
) -> None:
    """Score a run on documents that its training never saw; writes evaluation.json into the run folder."""
    from raretag.corpus.formats import read_corpus
    from raretag.training.run_folder import RunFolder

    folder = RunFolder.open(run)
    corpus = read_corpus(data, format=format)
    console = status()
    tell_findings(corpus.findings, console)

    from raretag.cli.progress import counting
    from raretag.cli.tables import show_evaluation
    from raretag.evaluation.run import evaluate_run, unseen_documents

    unseen = unseen_documents(folder, corpus)
    if unseen.seen:
        console.print(f"{unseen.seen:,} documents that training saw are left out", style="dim")
    with counting(console, "judging") as advance:
        figures = evaluate_run(folder, unseen.documents, resamples=resamples, advance=advance)
    written = folder.write("evaluation.json", figures.to_json())
    write_figures(figures.to_json(), json)
    if json != STANDARD_OUTPUT:
        show_evaluation(figures, result())
    console.print(f"all figures: {written}", style="dim")
