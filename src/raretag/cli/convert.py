"""`raretag convert`: from one format to another, with a list of what could not be kept."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from raretag.cli import options
from raretag.cli.output import status, tell_findings
from raretag.cli.targets import check_outside
from raretag.cli.wording import counted, shown


def convert(
    source: Annotated[Path, typer.Argument(metavar="SRC", help="A folder or file of annotated notes.")],
    target: Annotated[Path, typer.Argument(metavar="DST", help="Where to write; must not exist yet.")],
    to: Annotated[str, typer.Option("--to", help="brat, conll, jsonl, label-studio or inline-xml.")],
    format: options.Format = None,
) -> None:
    """Convert annotated notes to another format and say what it cannot hold."""
    from raretag.corpus.formats import read_corpus, write_corpus

    check_outside(target, name="DST", source=source, source_name="SRC")
    console = status()
    corpus = read_corpus(source, format=format)
    lost = write_corpus(corpus, target, format=to)
    mentions = sum(len(document.mentions) for document in corpus.documents)
    console.print(
        f"{counted(len(corpus.documents), 'document')} with {counted(mentions, 'mention')}: "
        f"{corpus.format} to {to}, {shown(target)}",
        soft_wrap=True,
    )
    tell_findings((*corpus.findings, *lost), console)
