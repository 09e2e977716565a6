"""CoNLL columns: a token and its tag on each line, an empty line between sentences."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, final

from raretag.corpus.document import Document
from raretag.corpus.finding import Finding
from raretag.corpus.formats.base import Format
from raretag.corpus.formats.collect import Findings, Ids
from raretag.corpus.formats.conll_read import Block, blocks_of, join, with_known_tags
from raretag.corpus.formats.conll_tags import TAG, looks_tagged, scheme
from raretag.corpus.formats.conll_write import document_lines
from raretag.corpus.formats.files import Source, sources
from raretag.errors import DataError

_SAMPLE = 5


@final
class Conll(Format):
    """CoNLL columns, token first and tag last, with tabs or blanks between.

    The scheme (IO, IOB1, IOB2, BIOES, BILOU) is found per file; tags that contradict it are repaired. Bare labels are
    read as IO where no tag has a prefix and some are O. `-DOCSTART-` lines (with an id in brackets) and comments `# id
    = x` start documents; without them every sentence is a document.

    The original white space is not in this format: text is the tokens joined by a blank and sentences by a line feed.
    What was written from another format therefore comes back with the same labels and tokens, but other offsets. Tokens
    written are runs of word characters or single other characters, cut at the borders of mentions, so that every flat
    mention is kept; a line end inside a mention does not end the sentence.
    """

    name: ClassVar[str] = "conll"
    description: ClassVar[str] = "token and tag columns (CoNLL), one token a line"
    suffixes: ClassVar[tuple[str, ...]] = (".tsv", ".conll", ".bio", ".iob", ".iob2", ".txt")
    holds: ClassVar[frozenset[str]] = frozenset()

    def _recognise(self, root: Path) -> bool:
        found = sources(root, suffixes=self.suffixes)[:_SAMPLE]
        return bool(found) and all(looks_tagged(source.head()) for source in found)

    def _read(self, root: Path) -> tuple[list[Document], list[Finding]]:
        documents: list[Document] = []
        everything: list[Finding] = []
        ids = Ids()
        for source in sources(root, suffixes=self.suffixes):
            findings = Findings(file=source.file)
            documents.extend(_documents(source, ids=ids, findings=findings))
            everything.extend(findings.found)
        return documents, everything

    def _write(self, documents: Sequence[Document], *, target: Path) -> list[Finding]:
        findings = Findings()
        lines = [line for document in documents for line in document_lines(document, findings=findings)]
        target.write_bytes("".join(f"{line}\n" for line in lines).encode())
        return findings.found


def _documents(source: Source, *, ids: Ids, findings: Findings) -> list[Document]:
    blocks, marked = blocks_of(source.text(), path=source.path)
    bare = _has_bare_labels(blocks, path=source.path)
    blocks = [with_known_tags(block, bare=bare, findings=findings) for block in blocks]
    if not marked:
        blocks = [Block(sentences=[rows]) for rows in blocks[0].sentences]
        if blocks:
            findings.add("conll.no-documents")
    style = scheme([rows for block in blocks for rows in block.sentences])
    documents = []
    for number, block in enumerate(blocks, start=1):
        wanted = block.id or f"{source.stem}-{number}"
        id_ = ids.take(wanted)
        if id_ != wanted:
            findings.add("id.duplicate", document=id_)
        text, mentions = join(block.sentences, id_=id_, scheme=style, findings=findings)
        documents.append(Document(id=id_, text=text, mentions=mentions, metadata=source.metadata))
    return documents


def _has_bare_labels(blocks: list[Block], *, path: Path) -> bool:
    """Whether the file's tags are labels without prefix; DataError where the last column holds no tags at all."""
    rows = [row for block in blocks for rows in block.sentences for row in rows]
    prefixed = any(TAG.fullmatch(row.tag) for row in rows)
    outside = any(row.tag == "O" for row in rows)
    if rows and not prefixed and not outside:
        remedy = "Write tags as B-Label, I-Label, O, or in BIOES"
        raise DataError("the last column holds no tags", remedy=remedy, file=path, line=rows[0].line)
    return outside and not prefixed
