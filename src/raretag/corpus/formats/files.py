"""Which files belong to a corpus, what they are called in it, and their text as strict UTF-8."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from raretag.corpus.finding import Finding
from raretag.corpus.formats.walk import walk
from raretag.errors import DataError

BOM = "\ufeff"
REPLACEMENT = "\ufffd"
HEAD_BYTES = 65_536
# beside notes, but never notes: descriptions, and the settings of brat
COMPANIONS = frozenset({".md", ".cff", ".conf"})
SPLITS = {
    "train": "train",
    "dev": "validation",
    "devel": "validation",
    "valid": "validation",
    "validation": "validation",
    "val": "validation",
    "test": "test",
}
_UNUSABLE = re.compile("[\x00\ud800-\udfff]")


def clean(text: str) -> str:
    """The text with NUL and unpaired surrogates replaced by U+FFFD, so that offsets stay and it can be encoded."""
    return _UNUSABLE.sub(REPLACEMENT, text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A file of a corpus.

    `stem` is its path below the root without suffix, `file` the same with suffix (for Findings), both with `/`. `split`
    is train, validation or test where its place below the root says so, else None.
    """

    path: Path
    stem: str
    file: str
    split: str | None

    @property
    def metadata(self) -> dict[str, str]:
        """The metadata that the place of the file gives to its documents."""
        return {} if self.split is None else {"split": self.split}

    def text(self) -> str:
        """The text without byte order mark. Raises DataError where it is not readable as UTF-8."""
        return read_text(self.path).removeprefix(BOM)

    def head(self) -> str:
        """About the first 64 KB of the text, for recognising a format; empty where unreadable."""
        try:
            if not self.path.is_file():
                return ""
            with self.path.open("rb") as stream:
                data = stream.read(HEAD_BYTES)
        except OSError:
            return ""
        return data.decode("utf-8", "replace").removeprefix(BOM)


def split_of(stem: str, *, folders_only: bool) -> str | None:
    """train, validation or test where a folder, or the file itself unless `folders_only`, is called so, else None.

    Case does not matter; the outermost name wins.
    """
    *folders, file = stem.split("/")
    names = (SPLITS.get(part.casefold()) for part in (folders if folders_only else (*folders, file)))
    return next((name for name in names if name), None)


def sources(root: Path, *, suffixes: tuple[str, ...], a_note_each: bool = False) -> tuple[Source, ...]:
    """The file itself, or a folder's files with one of the suffixes (lower case, with dot), sorted by path.

    Where the files hold `a_note_each`, their own names are names of notes and tell no part of a split.
    """
    if not root.is_dir():
        return (Source(path=root, stem=clean(root.stem), file=clean(root.name), split=None),)
    found = []
    for name in walk(root).files:
        suffix = Path(name).suffix
        if suffix.lower() in suffixes:
            stem = clean(name.removesuffix(suffix))
            split = split_of(stem, folders_only=a_note_each)
            found.append(Source(path=root / name, stem=stem, file=clean(name), split=split))
    return tuple(found)


def passed_by(root: Path, *, suffixes: tuple[str, ...]) -> Iterator[Finding]:
    """A Finding for each run folder below the root, and for the first file of each ending beside `suffixes`."""
    if not root.is_dir():
        return
    found = walk(root)
    for name in found.run_folders:
        yield Finding(rule="file.run-folder", file=clean(name))
    passed = {*suffixes, *COMPANIONS}
    for name in found.files:
        suffix = Path(name).suffix.lower()
        if suffix not in passed:
            passed.add(suffix)
            yield Finding(rule="file.ignored", file=clean(name))


def read_text(path: Path) -> str:
    """The file's text, byte for byte: byte order mark and line ends are kept.

    Raises DataError where it is no regular file or cannot be opened, and, with the byte offset, where it is not UTF-8
    or holds NUL bytes.
    """
    try:
        refuse_irregular(path)
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror})", remedy="Check its permissions", file=path) from None
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise _wrong_encoding(path, offset=0, guess="UTF-16")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _wrong_encoding(path, offset=error.start, guess="ISO-8859-1 or Windows-1252") from None
    if "\0" in text:
        raise _wrong_encoding(path, offset=data.index(b"\0"), guess="UTF-16 without a mark, or no text at all")
    return text


def refuse_irregular(path: Path) -> None:
    """Raise DataError where the path exists but is a pipe, a device or the like, which may never end."""
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise DataError("not a regular file or folder", remedy="Save its content to a file first", file=path)


def _wrong_encoding(path: Path, *, offset: int, guess: str) -> DataError:
    remedy = f"It may be {guess}; convert it, for example: iconv -f ENCODING -t UTF-8"
    return DataError(f"not UTF-8 text at byte {offset}", remedy=remedy, file=path)
