"""What a corpus holds: how many mentions each label has, which labels are rare, what is hard to express."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import accumulate
from typing import Any, Literal, final

from raretag.corpus.document import Corpus, Document, Mention

TailGroup = Literal["head", "medium", "tail"]

TAIL_GROUPS: tuple[TailGroup, ...] = ("head", "medium", "tail")
HEAD_FROM = 500
MEDIUM_FROM = 50


def tail_group(mentions: int) -> TailGroup:
    """The group of a label by its training mentions: head from 500, medium from 50 to 499, tail below 50."""
    if mentions >= HEAD_FROM:
        return "head"
    return "medium" if mentions >= MEDIUM_FROM else "tail"


def mention_counts(corpus: Corpus) -> dict[str, int]:
    """How many mentions each label of the corpus has, in the order of `corpus.labels`."""
    found = Counter(mention.label for document in corpus.documents for mention in document.mentions)
    return {label: found[label] for label in corpus.labels}


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class LabelInventory:
    """One label in a corpus.

    `mentions` > 0; `documents` that have it; `share` of all mentions in (0, 1]; `mean_length` in covered characters;
    `discontinuous` mentions; `overlapping` mentions, which share a character with another mention of any label.
    """

    label: str
    mentions: int
    documents: int
    share: float
    mean_length: float
    discontinuous: int
    overlapping: int
    group: TailGroup


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """A corpus in numbers.

    `labels` come most frequent first, then by name. `ratio` is largest to smallest label in mentions, None without a
    label. `groups` counts the patients named in the metadata, `splits` the documents per official part; both are empty
    (0, {}) where the metadata name none. `findings` counts the Findings of reading by rule.
    """

    documents: int
    characters: int
    mentions: int
    documents_without_mention: int
    labels: tuple[LabelInventory, ...]
    ratio: float | None
    overlapping: int
    discontinuous: int
    groups: int
    splits: Mapping[str, int]
    findings: Mapping[str, int]

    def to_json(self) -> dict[str, Any]:
        """The same names with built-in types only."""
        return {**asdict(self), "labels": [asdict(label) for label in self.labels]}


def inventory(corpus: Corpus) -> Inventory:
    """Count what a corpus holds. Documents and mentions may be none."""
    mentions: list[tuple[Document, Mention]] = [(d, m) for d in corpus.documents for m in d.mentions]
    overlapping = [m for document in corpus.documents for m in _overlapping(document)]
    by_label = Counter(m.label for _, m in mentions)
    with_label = Counter(label for d in corpus.documents for label in {m.label for m in d.mentions})
    characters = Counter[str]()
    for _, mention in mentions:
        characters[mention.label] += sum(end - start for start, end in mention.parts)
    discontinuous = Counter(m.label for _, m in mentions if len(m.parts) > 1)
    overlapping_by_label = Counter(m.label for m in overlapping)
    labels = tuple(
        LabelInventory(
            label=label,
            mentions=number,
            documents=with_label[label],
            share=number / len(mentions),
            mean_length=characters[label] / number,
            discontinuous=discontinuous[label],
            overlapping=overlapping_by_label[label],
            group=tail_group(number),
        )
        for label, number in sorted(by_label.items(), key=lambda item: (-item[1], item[0]))
    )
    return Inventory(
        documents=len(corpus.documents),
        characters=sum(len(d.text) for d in corpus.documents),
        mentions=len(mentions),
        documents_without_mention=sum(not d.mentions for d in corpus.documents),
        labels=labels,
        ratio=labels[0].mentions / labels[-1].mentions if labels else None,
        overlapping=len(overlapping),
        discontinuous=discontinuous.total(),
        groups=len({d.metadata["group"] for d in corpus.documents if d.metadata.get("group")}),
        splits=_sorted(Counter(d.metadata["split"] for d in corpus.documents if d.metadata.get("split"))),
        findings=_sorted(Counter(finding.rule for finding in corpus.findings)),
    )


def _overlapping(document: Document) -> list[Mention]:
    """The mentions that share a character with another one; linear in text and mentions."""
    steps = [0] * (len(document.text) + 1)
    for mention in document.mentions:
        for start, end in mention.parts:
            steps[start] += 1
            steps[end] -= 1
    shared = list(accumulate((depth > 1 for depth in accumulate(steps)), initial=0))
    return [m for m in document.mentions if any(shared[end] > shared[start] for start, end in m.parts)]


def _sorted(counter: Counter[str]) -> dict[str, int]:
    return dict(sorted(counter.items()))
