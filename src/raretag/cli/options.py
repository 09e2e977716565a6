"""Arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Data = Annotated[Path, typer.Argument(help="A folder or file of annotated notes; its format is recognised.")]
Run = Annotated[Path, typer.Argument(help="A run folder that raretag train wrote.")]
Format = Annotated[str | None, typer.Option("--format", help="Read DATA as this format instead of recognising it.")]
Json = Annotated[
    Path | None,
    typer.Option("--json", help="Also write the figures as JSON to this file; - prints them, alone."),
]
