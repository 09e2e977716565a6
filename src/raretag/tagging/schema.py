"""Which labels and tags there are, which tags training has seen, and how often."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

Scheme = Literal["BIO", "IO"]
OUTSIDE = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """Labels in order, the tag scheme, and training counts.

    Tag 0 is `O`. Under BIO label k owns tags 1 + 2k (`B-`) and 2 + 2k (`I-`), under IO tag 1 + k (`I-`).
    `mention_counts` has one entry a label, `tag_counts` one entry a tag: what the training documents hold.

    A `layered` schema keeps labels apart: a token has, for each label, a tag of its own (0 outside, 1 `B-`, 2 `I-`, or
    0 and 1 under IO), so that mentions of different labels may overlap. Its `tags` and `tag_counts` are those above;
    `O` then counts the tokens that are outside all labels.
    """

    labels: tuple[str, ...]
    scheme: Scheme = "BIO"
    mention_counts: tuple[int, ...]
    tag_counts: tuple[int, ...]
    layered: bool = False

    def __post_init__(self) -> None:
        if self.scheme not in get_args(Scheme):
            raise ValueError("the scheme is neither BIO nor IO")
        if len(set(self.labels)) != len(self.labels):
            raise ValueError("labels are not unique")
        if len(self.mention_counts) != len(self.labels) or len(self.tag_counts) != len(self.tags):
            raise ValueError("counts do not fit the labels and tags")

    @property
    def tags(self) -> tuple[str, ...]:
        """The names of all tags, `O` first."""
        prefixes = ("B", "I") if self.scheme == "BIO" else ("I",)
        return ("O", *(f"{prefix}-{label}" for label in self.labels for prefix in prefixes))

    @property
    def seen(self) -> npt.NDArray[np.bool_]:
        """bool (tags,): whether training holds the tag. `O` is always open."""
        seen = np.asarray(self.tag_counts) > 0
        seen[OUTSIDE] = True
        return seen

    @property
    def groups(self) -> npt.NDArray[np.int64]:
        """int64 (tags,): 0 for `O`, 1 + k for every tag of label k. B and I of a label are tied through it."""
        per_label = self.tags_of_a_label - 1
        return np.concatenate([[0], np.repeat(np.arange(len(self.labels)) + 1, per_label)]).astype(np.int64)

    @property
    def tags_of_a_label(self) -> int:
        """How many tags there are for one label alone, outside included: 3 under BIO, 2 under IO."""
        return 3 if self.scheme == "BIO" else 2

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the probabilities of one token: (tags,), or (labels, tags of a label) where labels are kept apart."""
        return (len(self.labels), self.tags_of_a_label) if self.layered else (len(self.tags),)

    @property
    def label_tag_counts(self) -> npt.NDArray[np.int64]:
        """int64 (labels, tags of a label): training tokens of each label's own tags, outside first.

        Outside of a label is all that is counted and not its own, so a token in two labels counts twice there.
        """
        counts = np.asarray(self.tag_counts, dtype=np.int64)
        own = counts[1:].reshape(len(self.labels), self.tags_of_a_label - 1)
        return np.column_stack([counts.sum() - own.sum(axis=1), own])

    def of_label(self, label: int) -> Schema:
        """The schema of label number `label` alone; its tags are the column of that label in layered tags."""
        return build_schema(
            self.labels[label : label + 1],
            scheme=self.scheme,
            mention_counts=self.mention_counts[label : label + 1],
            tag_counts=self.label_tag_counts[label].tolist(),
        )

    def count(self, tags: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """How often each tag stands in `tags`, (tokens,) or layered (tokens, labels), −100 left out; int64 (tags,)."""
        counts = np.zeros(len(self.tags), dtype=np.int64)
        if not self.layered:
            return counts + np.bincount(tags[tags >= 0], minlength=len(counts))
        counts[OUTSIDE] = (tags == OUTSIDE).all(axis=1).sum()
        counts[1:] = np.stack([(tags == tag).sum(axis=0) for tag in range(1, self.tags_of_a_label)], axis=1).ravel()
        return counts

    def begin(self, label: int) -> int:
        """The tag id that opens a mention of label number `label`."""
        return 1 + 2 * label if self.scheme == "BIO" else 1 + label

    def inside(self, label: int) -> int:
        """The tag id that continues a mention of label number `label`."""
        return 2 + 2 * label if self.scheme == "BIO" else 1 + label

    def to_json(self) -> dict[str, Any]:
        """Everything, as built-in types; `from_json` reads it back."""
        return {
            "labels": list(self.labels),
            "scheme": self.scheme,
            "mention_counts": list(self.mention_counts),
            "tag_counts": dict(zip(self.tags, self.tag_counts, strict=True)),
            "layered": self.layered,
        }

    @staticmethod
    def from_json(content: dict[str, Any]) -> Schema:
        """Read what `to_json` wrote. Raises KeyError, TypeError or ValueError where it is something else."""
        blank = build_schema(content["labels"], scheme=content["scheme"])
        tag_counts, layered = content["tag_counts"], content.get("layered", False)
        if not isinstance(layered, bool):
            raise TypeError("layered is neither true nor false")
        if set(tag_counts) != set(blank.tags):
            raise ValueError("tag counts do not fit the labels")
        # by name: a JSON object has no order
        return replace(
            blank,
            mention_counts=tuple(int(n) for n in content["mention_counts"]),
            tag_counts=tuple(int(tag_counts[tag]) for tag in blank.tags),
            # older files do not tell
            layered=layered,
        )


def counted_schema(mentions: Mapping[str, int]) -> Schema:
    """A schema of labels with so many mentions each, in their order; every tag is open."""
    return build_schema([*mentions], mention_counts=[*mentions.values()])


def build_schema(
    labels: Sequence[str],
    *,
    scheme: Scheme = "BIO",
    mention_counts: Sequence[int] | None = None,
    tag_counts: Sequence[int] | None = None,
    layered: bool = False,
) -> Schema:
    """A schema of `labels`; counts default to 1, which opens every tag."""
    per_label = 2 if scheme == "BIO" else 1
    return Schema(
        labels=tuple(labels),
        scheme=scheme,
        mention_counts=(1,) * len(labels) if mention_counts is None else tuple(mention_counts),
        tag_counts=(1,) * (1 + per_label * len(labels)) if tag_counts is None else tuple(tag_counts),
        layered=layered,
    )
