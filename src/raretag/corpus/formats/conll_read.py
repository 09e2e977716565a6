"""Reading a CoNLL file: documents of sentences of token lines."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from raretag.corpus.document import Mention
from raretag.corpus.formats.collect import Findings
from raretag.corpus.formats.conll_tags import Row, chunks, columns, comment_id, is_tag, starts_document
from raretag.errors import DataError

_BRACKETED = re.compile(r"\((.*)\)\s*$")


@dataclass(slots=True, kw_only=True)
class Block:
    """A document as the file marks it: its id where one is given, and its sentences. None of them is empty."""

    id: str = ""
    sentences: list[list[Row]] = field(default_factory=list)


def blocks_of(text: str, *, path: Path) -> tuple[list[Block], bool]:
    """The documents of a file, and whether it marks them at all (if not, there is one block with every sentence).

    Raises DataError where a token line has fewer than two columns or not as many as the first one.
    """
    blocks = [Block()]
    sentence: list[Row] = []
    width = 0
    marked = False
    for number, raw in enumerate(text.split("\n"), start=1):
        line = raw.removesuffix("\r")
        id_ = _document_start(line)
        if id_ is not None or not line.strip() or comment_id(line) == "":
            sentence = []
        if id_ is not None:
            named_twice = marked and not blocks[-1].sentences and not blocks[-1].id
            if named_twice or (not marked and not blocks[0].sentences):
                blocks[-1].id = id_
            else:
                blocks.append(Block(id=id_))
            marked = True
        elif line.strip() and comment_id(line) is None:
            cells = columns(line)
            width = width or len(cells)
            _check(cells, width=width, path=path, line=number)
            if not sentence:
                blocks[-1].sentences.append(sentence)
            sentence.append(Row(token=cells[0], tag=cells[-1], line=number))
    return blocks, marked


def with_known_tags(block: Block, *, bare: bool, findings: Findings) -> Block:
    """The block with every tag that is none read as O (a Finding each); `bare` tags are labels in IO without prefix."""
    sentences = []
    for rows in block.sentences:
        known = []
        for row in rows:
            tag = f"I-{row.tag}" if bare and row.tag != "O" else row.tag
            if not is_tag(tag):
                findings.add("conll.tag-form", line=row.line)
                tag = "O"
            known.append(row._replace(tag=tag))
        sentences.append(known)
    return Block(id=block.id, sentences=sentences)


def join(sentences: list[list[Row]], *, id_: str, scheme: str, findings: Findings) -> tuple[str, tuple[Mention, ...]]:
    """The text, tokens joined by a blank and sentences by a line feed, and the mentions in it."""
    lines: list[str] = []
    mentions: list[Mention] = []
    offset = 0
    for rows in sentences:
        found, repaired = chunks(rows, scheme=scheme)
        starts, position = [], offset
        for row in rows:
            starts.append(position)
            position += len(row.token) + 1
        for label, first, last in found:
            end = starts[last - 1] + len(rows[last - 1].token)
            mentions.append(Mention(label=label, start=starts[first], end=end))
        for line in repaired:
            findings.add("conll.tag-sequence", document=id_, line=line)
        lines.append(" ".join(row.token for row in rows))
        offset = position
    return "\n".join(lines), tuple(mentions)


def _document_start(line: str) -> str | None:
    """The id that a line gives to the document that it starts (empty where it gives none), else None."""
    if not starts_document(line):
        return comment_id(line) or None
    # Only brackets make an id: after a lost line end the rest could be anything.
    match = _BRACKETED.search(line)
    return "" if match is None else match[1]


def _check(cells: list[str], *, width: int, path: Path, line: int) -> None:
    if not cells[0]:
        what = "the column of the token is empty"
    elif len(cells) < 2:
        what = "one column, but two or more are needed"
    elif len(cells) != width:
        what = f"{len(cells)} columns, but the first token line has {width}"
    else:
        return
    remedy = "Give every line a token first and a tag last, with the same number of columns"
    raise DataError(what, remedy=remedy, file=path, line=line)
