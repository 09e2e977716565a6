"""`raretag evaluate`: figures per label, with counts and intervals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.console import Console

from raretag.cli import options
from raretag.cli.output import STANDARD_OUTPUT, keep, result, status, tell_findings, write_figures
from raretag.cli.targets import check_figures
from raretag.cli.wording import counted, shown

if TYPE_CHECKING:
    from raretag.corpus import Document
    from raretag.tagging import Schema

EVALUATION: Final = "evaluation.json"


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

    check_figures(json, source=data)
    folder = RunFolder.open(run)
    corpus = read_corpus(data, format=format)
    console = status()
    tell_findings(corpus.findings, console)

    from raretag.cli.decision_tables import show_decisions
    from raretag.cli.progress import counting
    from raretag.cli.tables import show_evaluation, show_probabilities
    from raretag.evaluation.run import evaluate_run, unseen_documents

    unseen = unseen_documents(folder, corpus)
    if unseen.seen:
        console.print(f"left out: {counted(unseen.seen, 'document')} that training saw", style="dim")
    if unseen.calibrated:
        console.print(f"left out: {counted(unseen.calibrated, 'document')} that calibration saw", style="dim")
    if unseen.shared:
        told = counted(unseen.shared, "test document")
        console.print(f"kept: {told} whose text also stands in training, as the corpus has it", style="yellow")
    _tell_unknown_labels(unseen.documents, schema=folder.schema, console=console)
    with counting(console, "judging") as advance:
        figures = evaluate_run(folder, unseen.documents, resamples=resamples, advance=advance)
    if figures.decisions is not None and figures.decisions.opened_before:
        console.print(
            f"{counted(figures.decisions.opened_before, 'document')} of these had been opened before the policy was "
            "fixed: its figures may flatter",
            style="yellow",
            soft_wrap=True,
        )
    content = {**figures.to_json(), "data": unseen.to_json()}
    # shown before anything is written: a full disk does not lose them
    if json != STANDARD_OUTPUT:
        if figures.decisions is not None:
            console.print(
                f"mentions are those that the policy accepts (rule {figures.decisions.policy.rule}); what it sends to "
                "review counts as missed, but for the table of decisions",
                style="dim",
                soft_wrap=True,
            )
        show_evaluation(figures.mentions, result())
        show_probabilities(figures, result())
        if figures.decisions is not None:
            show_decisions(figures.decisions.report, result())
    try:
        write_figures(content, json)
    finally:
        written = keep(folder, EVALUATION, content)
    console.print(f"all figures: {shown(written)}", style="dim", soft_wrap=True)


def _tell_unknown_labels(documents: Sequence[Document], *, schema: Schema, console: Console) -> None:
    trained = {label for label, number in zip(schema.labels, schema.mention_counts, strict=True) if number}
    gold = Counter(mention.label for document in documents for mention in document.mentions)
    unknown = sorted(gold.keys() - trained)
    if unknown:
        missed = sum(gold[label] for label in unknown)
        console.print(
            f"{missed:,} of {counted(gold.total(), 'gold mention')} have labels the model was not trained for: "
            f"{', '.join(map(shown, unknown))}",
            style="yellow",
            soft_wrap=True,
        )
