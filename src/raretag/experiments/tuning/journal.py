"""The study's file: one line a change, shared by processes and machines; what is damaged is told with its line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, cast, final

from filelock import FileLock, Timeout
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from raretag.errors import DataError, UsageError

JOURNAL: Final = "study.journal"
_LOCK: Final = ".study.lock"
_FILE_LOCK: Final = ".study.journal.lock"
_TRIALS: Final = ".trials"
# seconds between attempts at a lock, which is held for milliseconds
_POLL: Final = 0.005
_DAMAGED: Final = (
    "Put back a copy of it, or move it away: with the same --seed the same trials are then told again from their "
    "trainings, which are kept"
)


@contextmanager
def locked(out: Path) -> Iterator[None]:
    """Alone with the study of `out`, for a moment; the folder is made. Raises UsageError where `out` is no folder."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise UsageError("this is no folder", remedy="Choose another --out", file=out) from error
    with FileLock(out / _LOCK, poll_interval=_POLL):
        yield


@contextmanager
def holding(lock: FileLock) -> Iterator[None]:
    """Give up a trial's lock at the end, however it ends."""
    try:
        yield
    finally:
        lock.release()


def taken(out: Path, number: int) -> FileLock | None:
    """The lock of a trial, held; None where another process works on it. A killed process loses its own."""
    folder = out / _TRIALS
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / f"{number}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return None
    return lock


def open_journal(out: Path) -> JournalStorage:
    """The storage in the folder `out`, made where there is none; to be called while `locked`.

    A last line that was broken off in the middle is taken back: nobody has read it. Raises DataError with the line
    where the file is damaged otherwise.
    """
    file = out / JOURNAL
    if file.is_file():
        with FileLock(file.with_name(_FILE_LOCK), poll_interval=_POLL):
            _mend(file)
            _check(file)
    try:
        return JournalStorage(JournalFileBackend(str(file), lock_obj=cast(Any, _Lock(file))))
    except Exception as error:
        raise damaged(file) from error


def damaged(file: Path, *, line: int | None = None) -> DataError:
    """What is said of a study's file that cannot be read."""
    return DataError("the study's file is damaged", remedy=_DAMAGED, file=file, line=line)


def _mend(file: Path) -> None:
    with file.open("rb+") as stream:
        content = stream.read()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            stream.truncate(whole)


def _check(file: Path) -> None:
    with file.open("rb") as stream:
        for number, line in enumerate(stream, start=1):
            try:
                told = json.loads(line)
            except ValueError as error:
                raise damaged(file, line=number) from error
            if not isinstance(told, dict) or "op_code" not in told:
                raise damaged(file, line=number)


@final
class _Lock:
    """The operating system's lock: a killed process loses it at once; optuna's own link stays for half a minute."""

    def __init__(self, file: Path) -> None:
        self._lock = FileLock(file.with_name(_FILE_LOCK), poll_interval=_POLL)

    def acquire(self) -> bool:
        """Wait until it is held."""
        self._lock.acquire()
        return True

    def release(self) -> None:
        """Give it up."""
        self._lock.release()
