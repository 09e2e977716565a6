"""Formats of annotated notes: one registry, recognised by content.

`read_corpus` and `write_corpus` are the two that most callers need.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from raretag.corpus.document import Corpus
from raretag.corpus.finding import Finding
from raretag.corpus.formats.base import Format, existing
from raretag.corpus.formats.brat import Brat
from raretag.corpus.formats.conll import Conll
from raretag.corpus.formats.files import read_text, sources
from raretag.corpus.formats.inline_xml import InlineXml
from raretag.corpus.formats.jsonl import Jsonl
from raretag.corpus.formats.label_studio import LabelStudio
from raretag.errors import DataError, UsageError

__all__ = ["FORMATS", "Format", "format_named", "read_corpus", "recognise", "write_corpus"]

FORMATS: Mapping[str, Format] = MappingProxyType(
    {each.name: each for each in (Brat(), Conll(), Jsonl(), LabelStudio(), InlineXml())}
)


def format_named(name: str) -> Format:
    """The format with this name; UsageError where there is none."""
    if name not in FORMATS:
        raise UsageError(f"no format is called {name!r}", remedy=f"Formats are: {', '.join(FORMATS)}")
    return FORMATS[name]


def recognise(path: Path | str) -> Format:
    """The one format that the content looks like, judged by the start of its first files.

    Raises DataError where the path is missing or empty, or none or several formats fit.
    """
    root = existing(path)
    fitting = [each for each in FORMATS.values() if each.recognise(root)]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        names = " and ".join(each.name for each in fitting)
        raise DataError(f"looks like {names}", remedy="Name the format, or give a path with one kind", file=root)
    suffixes = tuple(suffix for each in FORMATS.values() for suffix in each.suffixes)
    for source in sources(root, suffixes=suffixes)[:1]:
        read_text(source.path)
    known = "; ".join(f"{each.name}: {each.description}" for each in FORMATS.values())
    raise DataError("no known format", remedy=f"Name the format if it is one of these ({known})", file=root)


def read_corpus(path: Path | str, *, format: str | None = None) -> Corpus:
    """Read a file or folder in the named format, or in the one recognised; see `Format.read` for what it raises."""
    chosen = recognise(path) if format is None else format_named(format)
    return chosen.read(path)


def write_corpus(corpus: Corpus, path: Path | str, *, format: str) -> tuple[Finding, ...]:
    """Write the corpus in the named format to a new path; the Findings say what it could not hold."""
    return format_named(format).write(corpus, path)
