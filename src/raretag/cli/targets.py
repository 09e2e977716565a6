"""Where a command may write: under a name, and never among the notes that it reads."""

from __future__ import annotations

import os
from pathlib import Path

from raretag.cli.output import STANDARD_OUTPUT
from raretag.errors import DataError, UsageError


def check_target(target: Path, *, name: str) -> None:
    """Raises UsageError where `target`, the argument `name`, is no name of its own: empty, `.`, `..`, `/` or `-`."""
    if target.name in {"", ".."} or target == Path("-"):
        raise UsageError(f"{name} is no name for a new file or folder", remedy="Give one, for example: out")


def check_outside(target: Path, *, name: str, source: Path, source_name: str) -> None:
    """As `check_target`; also UsageError where `target` is `source` or lies inside it, links followed."""
    check_target(target, name=name)
    inner, outer = Path(os.path.realpath(target)), Path(os.path.realpath(source))
    if inner.is_relative_to(outer):
        raise UsageError(
            f"{name} lies inside {source_name}",
            remedy="Choose a place outside it; what is written there would be read as notes the next time",
            file=target,
        )


def check_figures(target: Path | None, *, source: Path | None = None, source_name: str = "DATA") -> None:
    """Raises UsageError or DataError where the file of --json would lie among the notes or could not be made."""
    if target is None or target == STANDARD_OUTPUT:
        return
    if source is not None:
        check_outside(target, name="--json", source=source, source_name=source_name)
    if target.is_dir():
        raise UsageError("this is a folder, not a file", remedy="Choose another --json", file=target)
    place = target if target.exists() else target.absolute().parent
    if not (target.exists() or place.is_dir()) or not os.access(place, os.W_OK):
        raise DataError("the figures cannot be written here", remedy="Choose another --json", file=target)


def check_room(target: Path) -> None:
    """Raises DataError where `target` could not be made, before the work that it is to hold."""
    above = target.absolute().parent
    while not above.exists() and above != above.parent:
        above = above.parent
    if not above.is_dir() or not os.access(above, os.W_OK | os.X_OK):
        raise DataError(
            f"nothing can be written here, for {str(above)!r} is {'not writable' if above.is_dir() else 'a file'}",
            remedy="Choose another path",
            file=target,
        )
