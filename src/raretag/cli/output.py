"""What every command says to a person goes to standard error or, as its result, to standard output."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from raretag.cli.wording import shown
from raretag.corpus import RULES, Finding
from raretag.errors import DataError

if TYPE_CHECKING:
    from raretag.decision.decided import Decision
    from raretag.training.run_folder import RunFolder

STANDARD_OUTPUT = Path("-")
# a pipe or a file has no width: tables there are as wide as they need
_PIPE_WIDTH = 1_000_000


def result() -> Console:
    """The console of a command's result."""
    return _console(stderr=False)


def status() -> Console:
    """The console of progress and remarks, so that a result can be piped on."""
    return _console(stderr=True)


def _console(*, stderr: bool) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else _PIPE_WIDTH
    # labels and paths are users' own words, never markup
    return Console(stderr=stderr, markup=False, emoji=False, highlight=False, width=width)


def write_figures(content: dict[str, Any], target: Path | None) -> None:
    """Print or write `content` as JSON where the user asked for it. Raises DataError where it cannot be written."""
    if target is None:
        return
    unicode = target != STANDARD_OUTPUT or (sys.stdout.encoding or "").lower().startswith("utf")
    text = json.dumps(content, ensure_ascii=not unicode, indent=1, allow_nan=False)
    if target == STANDARD_OUTPUT:
        print(text)  # noqa: T201
        return
    try:
        target.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise DataError("the figures cannot be written here", remedy="Choose another --json", file=target) from error


def keep(folder: RunFolder, name: str, content: dict[str, Any]) -> Path:
    """Put a JSON file into the run folder. Raises DataError where it cannot be written."""
    try:
        return folder.write(name, content)
    except OSError as error:
        raise DataError(
            f"{name} cannot be written into the run folder ({error.strerror})",
            remedy="Make it writable, or keep the figures with --json FILE",
            file=folder.path,
        ) from error


def write_routes(decisions: Mapping[str, Decision], target: Path) -> None:
    """A JSON object for each routed mention, by document; no text. Raises DataError where it cannot be written."""
    lines = [
        json.dumps(
            {
                "document": name,
                "label": one.mention.label,
                "start": one.mention.start,
                "end": one.mention.end,
                "probability": one.mention.score,
                "route": one.route,
                "expected_cost": one.expected_cost,
            },
            ensure_ascii=False,
        )
        for name, decision in decisions.items()
        for one in decision.routed
    ]
    try:
        target.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    except OSError as error:
        raise DataError("the routes cannot be written here", remedy="Choose another --routes", file=target) from error


def tell_findings(findings: Iterable[Finding], console: Console) -> None:
    """A line for each kind of Finding, the most frequent first, with the place of its first."""
    found = list(findings)
    first = {finding.rule: finding for finding in reversed(found)}
    for rule, number in Counter(finding.rule for finding in found).most_common():
        line = Text.assemble((f"{number:>7,}", "yellow"), f" {rule}: {RULES[rule].meaning}")
        console.print(line, soft_wrap=True)
        console.print(f"        {_place(first[rule])}; {RULES[rule].remedy}", style="dim", soft_wrap=True)


def _place(finding: Finding) -> str:
    where = finding.file or (f"document {finding.document}" if finding.document else "")
    if finding.line is not None:
        where += f", line {finding.line}"
    elif finding.start is not None:
        where += f", characters {finding.start} to {finding.end}"
    return f"first in {shown(where)}" if where else "throughout"
