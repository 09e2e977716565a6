"""What lies below a folder of data: the files that may hold notes, and the run folders."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import final

from raretag.errors import DataError

IGNORED_STEMS = frozenset({"readme", "license", "licence", "copying", "changelog", "citation", "notice"})
RUN_FILES = frozenset({"manifest.json", "schema.json"})


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """Paths below a folder, with `/`, sorted: files to read, and run folders, whose files are not among them."""

    files: tuple[str, ...]
    run_folders: tuple[str, ...]


def walk(root: Path) -> Walk:
    """Everything below the root but hidden files and folders, run folders, README, LICENSE and the like.

    A file that is called like these and has annotations beside it (.ann) is a note.
    Links to folders are followed after all else, so each folder is found once, under its own name where it has one
    below the root. A run folder holds RUN_FILES; the root itself is never taken for one. Raises DataError for a folder
    that cannot be read.
    """
    files: list[str] = []
    runs: list[str] = []
    folders, links = [root], list[Path]()
    # a link to a folder above the root would bring in its neighbours
    seen = set(Path(os.path.realpath(root)).parents)
    while folders or links:
        folder = folders.pop() if folders else links.pop(0)
        real = Path(os.path.realpath(folder))
        if real in seen:
            continue
        seen.add(real)
        below = folder.relative_to(root)
        entries = [entry for entry in _entries(folder) if not entry.name.startswith(".")]
        if folder != root and {entry.name for entry in entries} >= RUN_FILES:
            runs.append(below.as_posix())
            continue
        annotated = {Path(entry.name).stem for entry in entries if entry.name.endswith(".ann")}
        for entry in entries:
            if _is_folder(entry):
                (links if entry.is_symlink() else folders).append(folder / entry.name)
            elif entry.name.split(".")[0].casefold() not in IGNORED_STEMS or Path(entry.name).stem in annotated:
                files.append((below / entry.name).as_posix())
    return Walk(files=tuple(sorted(files)), run_folders=tuple(sorted(runs)))


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        what = f"the folder cannot be read ({error.strerror})"
        raise DataError(what, remedy="Check its permissions, or take it out", file=folder) from None


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        # a link that leads nowhere: reading it as a file says so
        return False
