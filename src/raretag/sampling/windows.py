"""What a sampler knows of the training windows: their lengths and which tags they hold, nothing of the text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
import numpy.typing as npt

from raretag.objectives.base import IGNORE_INDEX, checked_label_groups

Integers = npt.NDArray[np.int64]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """The training windows, seen from outside.

    lengths: int64 (windows,), tokens of each, special ones included, >= 1. counts: int64 (windows, tags), targets of
    each tag in each window. groups: int64 (tags,), 0 for `O`, 1 + k for the tags of label k (`Schema.groups`).
    Raises ValueError where shapes do not fit, a length is below 1 or a count below 0.
    """

    lengths: Integers
    counts: Integers
    groups: Integers

    def __post_init__(self) -> None:
        fitting = self.counts.ndim == 2 and self.lengths.shape == self.counts.shape[:1]
        if not fitting or (self.lengths < 1).any() or (self.counts < 0).any():
            raise ValueError("windows need one length >= 1 each, and counts >= 0 of every tag in every window")
        checked_label_groups(self.groups, tags=self.counts.shape[1])

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def label_counts(self) -> Integers:
        """int64 (windows, labels): the tokens of each label in each window; label k is group k + 1."""
        labels = int(self.groups.max(initial=0))
        found = np.zeros((len(self), labels), dtype=np.int64)
        for label in range(labels):
            found[:, label] = self.counts[:, self.groups == label + 1].sum(axis=1)
        return found


def tag_counts(tags: Integers, *, number: int) -> Integers:
    """How often each of `number` tags is a target in `tags`, any shape with −100 where there is none; int64 (tags,)."""
    return np.bincount(tags[tags != IGNORE_INDEX].ravel(), minlength=number).astype(np.int64)
