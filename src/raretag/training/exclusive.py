"""One training at a time in a run folder, by one process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from raretag.errors import UsageError
from raretag.training.launched import launched_processes
from raretag.training.processes import is_first


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
            "another process is at work in this folder", remedy="Wait for it, or choose another --out", file=folder
        ) from error
    try:
        yield
    finally:
        lock.release()


@contextmanager
def held_by_first(folder: Path) -> Iterator[None]:
    """As `alone`, `folder` made before, for all processes of a training: the first one holds the lock."""
    with ExitStack() as held:
        if is_first():
            folder.mkdir(parents=True, exist_ok=True)
            held.enter_context(alone(folder))
        yield


def refuse_several_processes(what: str) -> None:
    """Raises UsageError under torchrun with several processes: they would write over each other. what: cannot be."""
    if launched_processes() > 1:
        raise UsageError(
            f"{what} cannot be shared by the processes of torchrun: only a single training can",
            remedy="Start it without torchrun; raretag compare --ray spreads trainings over machines",
        )
