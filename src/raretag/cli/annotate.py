"""`raretag annotate`: any reader in; brat, JSONL or another format out, with a probability for each mention."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from raretag.cli import options
from raretag.cli.output import status, tell_findings, write_routes
from raretag.cli.targets import check_outside, check_room
from raretag.cli.wording import counted, shown
from raretag.errors import UsageError

if TYPE_CHECKING:
    from raretag.decision.decided import Decision
    from raretag.training.run_folder import RunFolder


def annotate(
    run: options.Run,
    source: Annotated[Path, typer.Argument(metavar="IN", help="A folder or file of notes, annotated or plain.")],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="Where to write; must not exist yet.")],
    to: Annotated[
        str | None,
        typer.Option("--to", help="Format of OUT; by default jsonl for OUT.jsonl, brat for a name without suffix."),
    ] = None,
    routes: Annotated[
        Path | None,
        typer.Option(
            "--routes",
            help="Also write what is accepted, to be reviewed or dropped, a JSON object a line; needs raretag decide.",
        ),
    ] = None,
    least: Annotated[
        float | None,
        typer.Option(
            "--least", min=0, max=1, help="In --routes, list what is dropped from this probability on; by default 0.05."
        ),
    ] = None,
    ray: Annotated[
        str | None,
        typer.Option("--ray", metavar="ADDRESS", help="Judge on a Ray cluster (host:port, or local) that shares RUN."),
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
    if routes is not None:
        _check_routes(routes, folder, source=source)
    elif least is not None:
        raise UsageError(
            "--least shapes the list of what is dropped, which --routes writes", remedy="Give --routes, or leave it out"
        )
    check_room(target)
    corpus = read_corpus(source, format=format)
    console = status()
    # a note without annotations is what this command is for
    tell_findings([one for one in corpus.findings if one.rule != "brat.no-ann"], console)

    from raretag.cli.progress import counting
    from raretag.serving.annotate import LEAST
    from raretag.serving.annotate import annotate as run_annotation

    with counting(console, "judging") as advance:
        done = run_annotation(folder, corpus, least=LEAST if least is None else least, ray=ray, advance=advance)
    lost = write_corpus(done.corpus, target, format=wanted)
    mentions = sum(len(document.mentions) for document in done.corpus.documents)
    console.print(
        f"{counted(mentions, 'mention')} in {counted(len(done.corpus.documents), 'document')}: "
        f"{shown(target)} ({wanted})",
        soft_wrap=True,
    )
    if done.decisions is not None:
        if routes is not None:
            write_routes(done.decisions, routes)
        _tell_reviews(done.decisions, routes, console)
    tell_findings(lost, console)


def _check_routes(routes: Path, folder: RunFolder, *, source: Path) -> None:
    """Raises UsageError where nothing would be routed, or the file is taken or lies among the notes."""
    from raretag.decision.policy_file import POLICY

    check_outside(routes, name="--routes", source=source, source_name="IN")
    if not (folder.path / POLICY).is_file():
        raise UsageError(
            "this run has no policy to route mentions by",
            remedy="First: raretag decide RUN, or leave --routes out",
            file=folder.path,
        )
    if not routes.parent.is_dir():
        raise UsageError("there is no such folder to write the routes into", remedy="Make it first", file=routes.parent)
    if routes.exists():
        raise UsageError("the file of routes exists already", remedy="Choose another --routes", file=routes)


def _tell_reviews(decisions: Mapping[str, Decision], routes: Path | None, console: Console) -> None:
    reviews, tokens = (sum(getattr(one, name) for one in decisions.values()) for name in ("reviewed_tokens", "tokens"))
    stretches = sum(len(one.reviewed) for one in decisions.values())
    if stretches:
        where = "keep them with --routes FILE" if routes is None else shown(routes)
        console.print(
            f"to review: {counted(stretches, 'place')}, {reviews / tokens:.1%} of the tokens: {where}",
            soft_wrap=True,
        )


def _format_of(target: Path) -> str:
    if target.suffix not in {"", ".jsonl"}:
        raise UsageError(
            f"OUT ends in {target.suffix}, which tells no format",
            remedy="Name it with --to, or let OUT end in .jsonl, or in nothing for brat",
            file=target,
        )
    return "jsonl" if target.suffix else "brat"
