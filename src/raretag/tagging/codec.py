"""Mentions to tags and tags to mentions. What tags cannot express is a Finding and still counts in scoring."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from raretag.corpus import Document, Finding, Mention
from raretag.errors import UsageError
from raretag.tagging.schema import OUTSIDE, Schema, build_schema
from raretag.tagging.tokens import Tokens

IGNORE = -100
OverlapPolicy = Literal["longest", "shortest", "rarest"]
TagIds = npt.NDArray[np.int64]


def _size(mention: Mention) -> int:
    return sum(end - start for start, end in mention.parts)


# who goes first gets the tokens; ties go to the mention that starts first, then by label
OVERLAP_POLICIES: Mapping[str, Callable[[Mention, Mapping[str, int]], int]] = {
    "longest": lambda mention, _: -_size(mention),
    "shortest": lambda mention, _: _size(mention),
    "rarest": lambda mention, counts: counts.get(mention.label, 0),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoded:
    """Tags of a document and what they cannot express.

    tags: int64 (tokens,), or (tokens, labels) of a layered schema; −100 where no tag tells the truth.
    """

    tags: TagIds
    findings: tuple[Finding, ...]


def encode(
    document: Document,
    tokens: Tokens,
    *,
    schema: Schema,
    overlaps: OverlapPolicy = "longest",
    counts: Mapping[str, int] | None = None,
) -> Encoded:
    """Give every token of `document` its tag.

    Of mentions that share a token one is kept, in the order of the policy (`rarest` needs `counts`, mentions by label).
    Tokens of a mention that is not kept, and that no kept mention covers, are −100: neither O nor the label would be
    true. Labels outside the schema are treated like mentions that are not kept.

    With a layered schema each label has tags of its own, as if there were no other: only mentions of one label compete,
    and only that label's tags are −100 under a mention that is not kept. A mention of a label outside the schema says
    nothing about the others, so it leaves no −100.

    Raises UsageError for a policy that does not exist or lacks its counts.
    """
    if overlaps not in OVERLAP_POLICIES:
        raise UsageError(
            f"there is no overlap policy {overlaps!r}", remedy=f"Choose one of: {', '.join(OVERLAP_POLICIES)}"
        )
    if overlaps == "rarest" and counts is None:
        raise UsageError(
            "the overlap policy 'rarest' needs to know how frequent each label is",
            remedy="Give counts, the number of mentions by label",
        )
    chosen = _Policy(OVERLAP_POLICIES[overlaps], counts or {})
    return (
        _encode_layers(document, tokens, schema, chosen)
        if schema.layered
        else _encode(document, tokens, schema, chosen)
    )


class _Policy(NamedTuple):
    preference: Callable[[Mention, Mapping[str, int]], int]
    counts: Mapping[str, int]

    def rank(self, mention: Mention) -> tuple[int, int, int, str]:
        return self.preference(mention, self.counts), mention.start, mention.end, mention.label


def _encode_layers(document: Document, tokens: Tokens, schema: Schema, policy: _Policy) -> Encoded:
    """Label by label; what no label of the schema answers for is told by a schema without labels."""
    tags = np.full((len(tokens), len(schema.labels)), OUTSIDE, dtype=np.int64)
    findings: list[Finding] = []
    for label in {mention.label: None for mention in document.mentions}:
        own = replace(document, mentions=tuple(mention for mention in document.mentions if mention.label == label))
        number = schema.labels.index(label) if label in schema.labels else None
        alone = build_schema([]) if number is None else schema.of_label(number)
        encoded = _encode(own, tokens, alone, policy)
        findings.extend(encoded.findings)
        if number is not None:
            tags[:, number] = encoded.tags
    return Encoded(tags=tags, findings=tuple(findings))


def _encode(document: Document, tokens: Tokens, schema: Schema, policy: _Policy) -> Encoded:
    """One tag a token."""
    numbers = {label: number for number, label in enumerate(schema.labels)}
    order = sorted(range(len(document.mentions)), key=lambda n: policy.rank(document.mentions[n]))
    tags = np.full(len(tokens), OUTSIDE, dtype=np.int64)
    taken = np.zeros(len(tokens), dtype=bool)
    lost: dict[int, str] = {}
    for number in order:
        mention = document.mentions[number]
        covered = [_covering(tokens, start, end) for start, end in mention.parts]
        if all(a >= b for a, b in covered):
            lost[number] = "tagging.no-token"
        elif mention.fragments:
            lost[number] = "tagging.fragments"
        elif mention.label not in numbers:
            lost[number] = "tagging.unknown-label"
        elif taken[slice(*covered[0])].any():
            lost[number] = "tagging.overlap"
        else:
            first, last = covered[0]
            tags[first:last] = schema.inside(numbers[mention.label])
            tags[first] = schema.begin(numbers[mention.label])
            taken[first:last] = True
    for number in lost:
        for start, end in document.mentions[number].parts:
            first, last = _covering(tokens, start, end)
            tags[first:last] = np.where(taken[first:last], tags[first:last], IGNORE)
    return Encoded(tags=tags, findings=_findings(document, tokens, tags, schema, lost))


def decode(tags: Sequence[int] | TagIds, tokens: Tokens, *, schema: Schema) -> list[Mention]:
    """Read mentions off tags, int (tokens,), or (tokens, labels) with a layered schema.

    An `I-` without its beginning begins one; −100 counts as `O`. A token that begins inside the one before (a byte of
    the same character) cannot begin a mention of its own. Mentions come in the order of their text, and of labels.
    """
    if not schema.layered:
        return _decode(tags, tokens, schema)
    columns = np.asarray(tags, dtype=np.int64).reshape(len(tokens), len(schema.labels)).T
    found = [
        mention
        for number in np.flatnonzero((columns > OUTSIDE).any(axis=1)).tolist()
        for mention in _decode(columns[number], tokens, schema.of_label(number))
    ]
    return sorted(found, key=lambda mention: (mention.start, mention.end))


def _decode(tags: Sequence[int] | TagIds, tokens: Tokens, schema: Schema) -> list[Mention]:
    """One tag a token."""
    groups = schema.groups
    mentions: list[Mention] = []
    first, label = 0, -1
    for position in range(len(tags) + 1):
        tag = int(tags[position]) if position < len(tags) else OUTSIDE
        group = int(groups[tag]) - 1 if tag >= 0 else -1
        if 0 < position < len(tags) and tokens.starts[position] < tokens.ends[position - 1]:
            continue
        opens = group >= 0 and (group != label or (schema.scheme == "BIO" and tag == schema.begin(group)))
        if label >= 0 and (opens or group != label):
            mentions.append(
                Mention(
                    label=schema.labels[label],
                    start=int(tokens.starts[first]),
                    end=int(tokens.ends[position - 1]),
                )
            )
        if opens:
            first = position
        label = group
    return mentions


def _covering(tokens: Tokens, start: int, end: int) -> tuple[int, int]:
    """The range of tokens that share a character with [start, end)."""
    first = int(np.searchsorted(tokens.ends, start, side="right"))
    last = int(np.searchsorted(tokens.starts, end, side="left"))
    return first, max(first, last)


def _findings(
    document: Document, tokens: Tokens, tags: TagIds, schema: Schema, lost: Mapping[int, str]
) -> tuple[Finding, ...]:
    """A Finding for every mention that the tags do not give back exactly; each one given back answers for one."""
    back = {(m.label, m.start, m.end) for m in _decode(tags, tokens, schema)}
    found: list[Finding] = []
    for number, mention in enumerate(document.mentions):
        key = (mention.label, mention.start, mention.end)
        if key in back and not mention.fragments:
            back.remove(key)
            continue
        rule = lost.get(number)
        if rule is None:
            first, last = _covering(tokens, mention.start, mention.end)
            whole = tokens.starts[first] == mention.start and tokens.ends[last - 1] == mention.end
            rule = "tagging.adjacent" if whole else "tagging.inside-token"
        found.append(
            Finding(rule=rule, document=document.id, start=mention.start, end=mention.end, label=mention.label)
        )
    return tuple(found)
