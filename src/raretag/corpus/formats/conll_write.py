"""Writing a CoNLL file: tokens of a text that respect the borders of its mentions, and IOB2 tags."""

from __future__ import annotations

import re
from collections.abc import Iterator

from raretag.corpus.document import Document, Mention
from raretag.corpus.formats.collect import Findings

_TOKEN = re.compile(r"\w+|[^\w\s]")
_NEWLINE = re.compile(r"[\r\n]")
_PARTS_A_LINE = re.compile(r"[\r\n\t]")


def document_lines(document: Document, *, findings: Findings) -> list[str]:
    """The lines of a document: its marker, then a line for each token, with an empty line after each sentence."""
    id_ = _PARTS_A_LINE.sub(" ", document.id)
    if id_ != document.id:
        findings.add("conll.id-changed", document=document.id)
    lines = [f"-DOCSTART- ({id_})", ""]
    kept = flat_mentions(document, findings=findings)
    for sentence in sentences(document.text, mentions=kept):
        lines += [f"{token}\t{tag}" for token, tag in sentence]
        lines.append("")
    return lines


def flat_mentions(document: Document, *, findings: Findings) -> list[Mention]:
    """The mentions that a column holds, in the order of the text; of two that overlap the longer, then the earlier."""
    kept: list[Mention] = []
    covered = bytearray(len(document.text))
    for mention in sorted(document.mentions, key=lambda m: (m.start - m.end, m.start, m.label)):
        span = (mention.start, mention.end)
        rule = None
        if len(mention.parts) > 1:
            rule = "conll.fragments"
        elif _TOKEN.search(document.text, *span) is None:
            rule = "conll.no-token"
        elif any(covered[mention.start : mention.end]):
            rule = "conll.overlap"
        if rule is not None:
            findings.add(rule, document=document.id, span=span, label=mention.label)
            continue
        if re.search(r"\s", mention.label):
            findings.add("conll.label-changed", document=document.id, span=span, label=mention.label)
        covered[mention.start : mention.end] = b"\1" * (mention.end - mention.start)
        kept.append(mention)
    return sorted(kept, key=lambda m: m.start)


def sentences(text: str, *, mentions: list[Mention]) -> Iterator[list[tuple[str, str]]]:
    """Sentences of (token, tag): they end at line ends outside mentions; tokens are cut at the borders of mentions."""
    sentence: list[tuple[str, str]] = []
    position = 0
    for mention in [*mentions, None]:
        end = len(text) if mention is None else mention.start
        for n, line in enumerate(_NEWLINE.split(text[position:end])):
            if n > 0 and sentence:
                yield sentence
                sentence = []
            sentence += [(token, "O") for token in _TOKEN.findall(line)]
        if mention is not None:
            label = re.sub(r"\s", "_", mention.label)
            tokens = _TOKEN.findall(text[mention.start : mention.end])
            sentence += [(token, f"{'I' if n else 'B'}-{label}") for n, token in enumerate(tokens)]
            position = mention.end
    if sentence:
        yield sentence
