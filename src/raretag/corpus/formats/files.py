"""Which files belong to a corpus, what they are called in it, and their text as strict UTF-8."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from raretag.errors import DataError

BOM = "\ufeff"
REPLACEMENT = "\ufffd"
HEAD_BYTES = 65_536
IGNORED_STEMS = frozenset({"readme", "license", "licence", "copying", "changelog", "citation", "notice"})
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
    """The text with NUL and unpaired surrogates replaced by U+FFFD, so that offsets stay and it can be
    encoded.
    """
    return _UNUSABLE.sub(REPLACEMENT, text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A file of a corpus.

    `stem` is its path below the root without suffix, `file` the same with suffix (for Findings), both with
    `/`. `split` is train, validation or test where a folder or the file below the root is called so, else
    None.
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
            with self.path.open("rb") as stream:
                data = stream.read(HEAD_BYTES)
        except OSError:
            return ""
        return data.decode("utf-8", "replace").removeprefix(BOM)


def split_of(stem: str) -> str | None:
    """train, validation or test where a part of the path is called so (in any case), else None; the outermost
    wins.
    """
    names = (SPLITS.get(part.casefold()) for part in stem.split("/"))
    return next((name for name in names if name), None)


def walk(root: Path) -> Iterator[str]:
    """Paths below the root, with `/`, without hidden files and folders and without README, LICENSE and the
    like.
    """
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith(".")]
        below = Path(folder).relative_to(root)
        for name in names:
            if not name.startswith(".") and name.split(".")[0].casefold() not in IGNORED_STEMS:
                yield (below / name).as_posix()


def sources(root: Path, *, suffixes: tuple[str, ...]) -> tuple[Source, ...]:
    """The file itself, or a folder's files with one of the suffixes (lower case, with dot), sorted by
    path."""
    if not root.is_dir():
        return (Source(path=root, stem=clean(root.stem), file=clean(root.name), split=None),)
    found = []
    for name in sorted(walk(root)):
        suffix = Path(name).suffix
        if suffix.lower() in suffixes:
            stem = clean(name.removesuffix(suffix))
            found.append(Source(path=root / name, stem=stem, file=clean(name), split=split_of(stem)))
    return tuple(found)


def read_text(path: Path) -> str:
    """The file's text, byte for byte: byte order mark and line ends are kept.

    Raises DataError with the byte offset where the file cannot be opened, is not UTF-8 or holds NUL bytes.
    """
    try:
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


def _wrong_encoding(path: Path, *, offset: int, guess: str) -> DataError:
    remedy = f"It may be {guess}; convert it, for example: iconv -f ENCODING -t UTF-8"
    return DataError(f"not UTF-8 text at byte {offset}", remedy=remedy, file=path)
