"""One training at a time in a run folder, by one process."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from raretag.errors import UsageError


class BusyError(UsageError):
    """Another process is at work in the folder."""


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold the lock of `folder` until done; a killed process loses it. Raises BusyError where another holds it."""
    lock = FileLock(folder / "lock")
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise BusyError(
            "another training is at work in this folder", remedy="Wait for it, or choose another --out", file=folder
        ) from error
    try:
        yield
    finally:
        lock.release()


def refuse_several_processes() -> None:
    """Raises UsageError under torchrun with several processes: they would write over each other."""
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise UsageError("training in several processes is not supported yet", remedy="Start raretag without torchrun")
