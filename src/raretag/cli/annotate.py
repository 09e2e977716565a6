"""`raretag annotate`: any reader in; brat, JSONL or another format out, with a probability for each mention."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from raretag.cli import options
from raretag.cli.output import status, tell_findings
from raretag.cli.targets import check_outside
from raretag.cli.wording import counted, shown
from raretag.errors import UsageError


def annotate(
    run: options.Run,
    source: Annotated[Path, typer.Argument(metavar="IN", help="A folder or file of notes, annotated or plain.")],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="Where to write; must not exist yet.")],
    to: Annotated[
        str | None,
        typer.Option("--to", help="Format of OUT; by default jsonl for OUT.jsonl, brat for a name without suffix."),
    ] = None,
    format: options.Format = None,
) -> None:
    """Mark the mentions in notes, each with its probability."""
    from raretag.corpus.formats import format_named, read_corpus, write_corpus
    from raretag.training.run_folder import RunFolder

    check_outside(target, name="OUT", source=source, source_name="IN")
    wanted = format_named(to or _format_of(target)).name
    folder = RunFolder.open(run)
    if target.exists():
        raise UsageError("the target exists already", remedy="Choose another OUT", file=target)
    corpus = read_corpus(source, format=format)
    console = status()

    from raretag.cli.progress import counting
    from raretag.serving import annotate as run_annotation

    with counting(console, "judging") as advance:
        annotated = run_annotation(folder, corpus, advance=advance)
    lost = write_corpus(annotated, target, format=wanted)
    mentions = sum(len(document.mentions) for document in annotated.documents)
    console.print(
        f"{counted(mentions, 'mention')} in {counted(len(annotated.documents), 'document')}: "
        f"{shown(target)} ({wanted})",
        soft_wrap=True,
    )
    tell_findings(lost, console)


def _format_of(target: Path) -> str:
    if target.suffix not in {"", ".jsonl"}:
        raise UsageError(
            f"OUT ends in {target.suffix}, which tells no format",
            remedy="Name it with --to, or let OUT end in .jsonl, or in nothing for brat",
            file=target,
        )
    return "jsonl" if target.suffix else "brat"
