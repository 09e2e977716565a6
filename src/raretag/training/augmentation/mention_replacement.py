"""Mention replacement: the same sentence about another finding of the same kind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import final

import numpy as np
import numpy.typing as npt

from raretag.tagging import IGNORE, Schema
from raretag.training.dataset import TaggedWindow

Ids = npt.NDArray[np.int64]


@final
class MentionReplacement:
    """Put another training mention of the same label in a mention's place (Dai and Adel 2020, arXiv 2010.11683).

    Mentions are drawn as often as the training documents hold them, so that tags keep their marginals on average: what
    the loss learns of the prior does not change. A mention that touches text which the window does not judge, one that
    may go on beyond the window, and one whose substitute would not fit, stay as they are.
    """

    def __init__(self, windows: Sequence[TaggedWindow], *, schema: Schema, most_tokens: int) -> None:
        """windows: of the training documents, tags (tokens,). most_tokens: of a window, special ones included.

        Raises ValueError for a schema that keeps labels apart, whose mentions may lie in each other.
        """
        if schema.layered:
            raise ValueError("mentions of labels that are kept apart may overlap, so none can be replaced alone")
        self._groups = schema.groups
        self._begins = np.array([tag.startswith("B-") for tag in schema.tags], dtype=bool)
        self._most_tokens = most_tokens
        self._pools: dict[int, list[tuple[Ids, Ids]]] = {}
        for window in windows:
            for first, end in self._mentions(window):
                pool = self._pools.setdefault(self._label(window.labels, first), [])
                pool.append((window.input_ids[first:end], window.labels[first:end]))

    def __call__(self, window: TaggedWindow, *, chance: float, rng: np.random.Generator) -> TaggedWindow:
        """Each mention replaced with probability `chance`, in [0, 1]; it may come out as it was."""
        ids: list[Ids] = []
        labels: list[Ids] = []
        room = self._most_tokens - len(window.input_ids)
        kept = 0
        for first, end in self._mentions(window):
            if rng.random() >= chance:
                continue
            pool = self._pools.get(self._label(window.labels, first), [])
            if not pool:
                continue
            other_ids, other_labels = pool[int(rng.integers(len(pool)))]
            growth = len(other_ids) - (end - first)
            if growth > room:
                continue
            room -= growth
            ids += [window.input_ids[kept:first], other_ids]
            labels += [window.labels[kept:first], other_labels]
            kept = end
        if not kept:
            return window
        return replace(
            window,
            input_ids=np.concatenate([*ids, window.input_ids[kept:]]),
            labels=np.concatenate([*labels, window.labels[kept:]]),
        )

    def _label(self, labels: Ids, place: int) -> int:
        return int(self._groups[labels[place]])

    def _mentions(self, window: TaggedWindow) -> Iterator[tuple[int, int]]:
        """Half-open stretches of tokens that are a whole mention each."""
        labels = window.labels
        judged = np.flatnonzero(labels != IGNORE)
        if not len(judged):
            return
        # where the window parts a mention
        starts_within = int(judged[0]) if window.is_cut[0] else -1
        ends_within = int(judged[-1]) + 1 if window.is_cut[1] else -1
        of_label = np.where(labels == IGNORE, -1, self._groups[np.maximum(labels, 0)])
        begins = (labels > 0) & self._begins[np.maximum(labels, 0)]
        opens = (of_label > 0) & (begins | (np.diff(of_label, prepend=-1) != 0))
        has_begins = bool(self._begins.any())
        for first in np.flatnonzero(opens).tolist():
            end = first + 1
            while end < len(labels) and of_label[end] == of_label[first] and not begins[end]:
                end += 1
            # what is not judged next to it may be its other part; under BIO a whole one begins with B
            cut = first > 1 and of_label[first - 1] < 0, end < len(labels) - 1 and of_label[end] < 0
            parted = first == starts_within or end == ends_within
            if not parted and not any(cut) and (begins[first] or not has_begins):
                yield first, end
