"""`raretag annotate`: any reader in; brat, JSONL or another format out, with a probability for each mention."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from raretag.cli import options
from raretag.cli.output import status, tell_findings


def annotate(
    run: options.Run,
    source: Annotated[Path, typer.Argument(metavar="IN", help="A folder or file of notes, annotated or plain.")],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="Where to write; must not exist yet.")],
    to: Annotated[
        str | None,
        typer.Option("--to", help="Format of OUT; by default jsonl where OUT ends in .jsonl, else brat."),
    ] = None,
    format: options.Format = None,
) -> None:
    """Mark the mentions in notes, each with its probability."""
    from raretag.corpus.formats import read_corpus, write_corpus
    from raretag.errors import UsageError
    from raretag.training.run_folder import RunFolder

    folder = RunFolder.open(run)
    if target.exists():
        raise UsageError("the target exists already", remedy="Choose another OUT", file=target)
    corpus = read_corpus(source, format=format)
    console = status()

    from raretag.cli.progress import counting
    from raretag.serving import annotate as run_annotation

    with counting(console, "judging") as advance:
        annotated = run_annotation(folder, corpus, advance=advance)
    wanted = to or ("jsonl" if target.suffix == ".jsonl" else "brat")
    lost = write_corpus(annotated, target, format=wanted)
    mentions = sum(len(document.mentions) for document in annotated.documents)
    console.print(f"{mentions:,} mentions in {len(annotated.documents):,} documents: {target} ({wanted})")
    tell_findings(lost, console)
