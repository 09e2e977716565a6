"""Files that are there whole or not at all."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from raretag.errors import DataError


def write_whole(path: Path, *, text: str) -> None:
    """Write UTF-8 text beside the target, then move it into place; folders above are made.

    Raises DataError where the file system refuses.
    """
    writing = path.with_name(f".{path.name}.writing")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with writing.open("w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        writing.replace(path)
    except OSError as error:
        with suppress(OSError):
            writing.unlink()
        remedy = "Name a folder that you may write to, on a disk with room"
        raise DataError(f"cannot be written ({error.strerror})", remedy=remedy, file=path) from None
