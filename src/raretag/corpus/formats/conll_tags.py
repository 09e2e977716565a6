"""Tags in a column: recognising their scheme, and turning tags into mentions of token ranges."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

TAG = re.compile(r"([BIESLU])-(\S+)")
_COMMENT = re.compile(r"#\s*(?:newdoc\s+)?(?:(?:doc(?:ument)?|doc_?id|id)\b\s*[=:]?\s*(\S.*)|[\w.]+\s*=.*|newdoc\b.*)")
_LINES = 200
_ENOUGH = 0.8


class Row(NamedTuple):
    """A token line: its token, its tag and its line number (from 1)."""

    token: str
    tag: str
    line: int


class Chunk(NamedTuple):
    """A mention as a range of tokens [first, last)."""

    label: str
    first: int
    last: int


def columns(line: str) -> list[str]:
    """The columns of a line: between tabs where it has any, else between runs of blanks."""
    line = line.removesuffix("\r")
    if "\t" in line:
        return [cell.strip(" ") for cell in line.split("\t")]
    return [cell for cell in line.split(" ") if cell]


def comment_id(line: str) -> str | None:
    """The document id in a comment such as `# id = x` or `#doc x`, empty for another comment, None for no comment."""
    if not line.startswith("#") or is_tag(columns(line)[-1]):
        return None
    match = _COMMENT.fullmatch(line.strip())
    return None if match is None else (match[1] or "").split("\t")[0]


def is_tag(tag: str) -> bool:
    """Whether the tag is O or a known prefix, a hyphen and a label."""
    return tag == "O" or TAG.fullmatch(tag) is not None


def looks_tagged(head: str) -> bool:
    """Whether nearly all of the first lines are tokens in two or more columns, of which the last is a tag."""
    lines = head.split("\n")[:_LINES]
    rows = [columns(line) for line in lines if line.strip() and not is_marker(line)]
    tagged = sum(len(row) > 1 and is_tag(row[-1]) for row in rows)
    return tagged > 0 and tagged >= _ENOUGH * len(rows)


def is_marker(line: str) -> bool:
    """Whether the line starts a document or is a comment, and so holds no token."""
    return starts_document(line) or comment_id(line) is not None


def starts_document(line: str) -> bool:
    """Whether the line's first column is the marker of a document, -DOCSTART-."""
    return line.startswith("-DOCSTART-") and columns(line)[0] == "-DOCSTART-"


def scheme(sentences: Sequence[Sequence[Row]]) -> str:
    """IO, IOB1, IOB2 or BIOES (BILOU is the same with other letters): the one that the fewest tags contradict.

    Ties go to IOB2, since IOB1 without touching mentions of one label and IO cannot be told apart and read the same.
    """
    loose, needless, first = 0, 0, set[str]()
    for rows in sentences:
        before: tuple[str, str] | None = None
        for row in rows:
            match = TAG.fullmatch(row.tag)
            here = (match[1], match[2]) if match else None
            if here:
                first.add(here[0])
                continued = before is not None and before[1] == here[1]
                loose += here[0] == "I" and not continued
                needless += here[0] == "B" and not continued
            before = here
    if first & set("ESLU"):
        return "BIOES"
    if "B" not in first:
        return "IO"
    return "IOB1" if needless < loose else "IOB2"


def chunks(rows: Sequence[Row], *, scheme: str) -> tuple[list[Chunk], list[int]]:
    """The mentions of one sentence, and the lines whose tag had to be repaired.

    A mention begins at B, S or U, and at any other tag that nothing continues; it ends before the next beginning,
    before O and after E, L, S or U. Repairs are beginnings or ends that the scheme does not allow.
    """
    found: list[Chunk] = []
    repaired: list[int] = []
    whole = scheme == "BIOES"
    open_: Chunk | None = None
    for n, row in enumerate(rows):
        match = TAG.fullmatch(row.tag)
        prefix, label = (match[1], match[2]) if match else ("O", "")
        goes_on = prefix in "IEL" and open_ is not None and open_.label == label
        if open_ is not None and not goes_on:
            found.append(open_._replace(last=n))
            if whole:
                repaired.append(rows[n - 1].line)
            open_ = None
        if prefix == "O":
            continue
        if prefix in "IEL" and not goes_on and not (scheme in ("IO", "IOB1") and prefix == "I"):
            repaired.append(row.line)
        if open_ is None:
            open_ = Chunk(label=label, first=n, last=n)
        if prefix in "ELSU":
            found.append(open_._replace(last=n + 1))
            open_ = None
    if open_ is not None:
        found.append(open_._replace(last=len(rows)))
        if whole:
            repaired.append(rows[-1].line)
    return found, sorted(set(repaired))
