"""Errors a person can act on: what was wrong, where, and what to do; never the text of a note."""

from __future__ import annotations

from pathlib import Path


class RaretagError(Exception):
    """Base of every error raised on purpose. The command line prints it as one line and exits with `exit_code`."""

    exit_code = 1

    def __init__(self, what: str, *, remedy: str, file: Path | str | None = None, line: int | None = None) -> None:
        """Say what is wrong, how to mend it and, where known, in which file and line (from 1)."""
        self.what = what
        self.remedy = remedy
        self.file = None if file is None else str(file)
        self.line = line
        super().__init__(str(self))

    def __str__(self) -> str:
        place = "" if self.file is None else self.file + ("" if self.line is None else f":{self.line}") + ": "
        # a list of problems ends its last line itself, and a guess its sentence
        end = {"\n": "", "?": " "}.get(self.what[-1:], ". ")
        return f"{place}{self.what}{end}{self.remedy}"


class DataError(RaretagError):
    """The data or the run folder cannot be used (exit code 1)."""


class UsageError(RaretagError):
    """The command, an option or a settings file asks for something that does not exist (exit code 2)."""

    exit_code = 2
