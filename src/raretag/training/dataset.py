"""Documents as tagged windows, ready for batches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np
import numpy.typing as npt
import torch
from torch.utils.data import Dataset

from raretag.corpus import Document, Finding
from raretag.tagging import (
    IGNORE,
    Schema,
    SpecialTokens,
    Tokens,
    Window,
    WindowSettings,
    build_schema,
    encode,
    make_windows,
    special_tokens,
    tokenise,
)
from raretag.training.settings import TaggingSettings

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast


@dataclass(frozen=True, slots=True, kw_only=True)
class TaggedWindow:
    """One window, special tokens included.

    input_ids: int64 (tokens,). labels: tags, int64 (tokens,), or (tokens, labels) where labels are kept apart; −100
    where nothing is judged. is_cut: whether what is judged may begin, and whether it may end, within a mention.
    """

    input_ids: npt.NDArray[np.int64]
    labels: npt.NDArray[np.int64]
    is_cut: tuple[bool, bool] = (False, False)


@final
class WindowDataset(Dataset[TaggedWindow]):
    """The windows of the training documents."""

    def __init__(self, windows: Sequence[TaggedWindow]) -> None:
        self.windows = tuple(windows)

    def __len__(self) -> int:
        return len(self.windows)

    def __getitem__(self, index: int) -> TaggedWindow:
        return self.windows[index]

    @property
    def lengths(self) -> list[int]:
        """Tokens of each window, special ones included."""
        return [len(window.input_ids) for window in self.windows]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingData:
    """What training learns from: the schema with its counts, the windows, and what tags could not express."""

    schema: Schema
    dataset: WindowDataset
    findings: tuple[Finding, ...]


def prepare(
    documents: Sequence[Document],
    *,
    labels: Sequence[str],
    tagging: TaggingSettings,
    windows: WindowSettings,
    capacity: int,
    tokenizer: PreTrainedTokenizerFast,
    layered: bool = False,
) -> TrainingData:
    """Tokenise, tag and cut `documents`; counts of the schema are theirs alone. layered: as `Schema` has it."""
    tokens = tokenise([document.text for document in documents], tokenizer=tokenizer)
    blank = build_schema(labels, scheme=tagging.scheme, layered=layered)
    mentions = dict.fromkeys(labels, 0)
    for document in documents:
        for mention in document.mentions:
            mentions[mention.label] = mentions.get(mention.label, 0) + 1
    encoded = [
        encode(document, pieces, schema=blank, overlaps=tagging.overlaps, counts=mentions)
        for document, pieces in zip(documents, tokens, strict=True)
    ]
    special = special_tokens(tokenizer)
    tag_counts = np.zeros(len(blank.tags), dtype=np.int64)
    tagged: list[TaggedWindow] = []
    for document, pieces, tags in zip(documents, tokens, encoded, strict=True):
        tag_counts += blank.count(tags.tags)
        tagged += cut(document.text, pieces, tags.tags, settings=windows, capacity=capacity, special=special)
    schema = build_schema(
        labels,
        scheme=blank.scheme,
        mention_counts=[mentions[label] for label in labels],
        tag_counts=tag_counts.tolist(),
        layered=layered,
    )
    return TrainingData(
        schema=schema,
        dataset=WindowDataset(tagged),
        findings=tuple(finding for one in encoded for finding in one.findings),
    )


def cut(
    text: str,
    tokens: Tokens,
    tags: npt.NDArray[np.int64],
    *,
    settings: WindowSettings,
    capacity: int,
    special: SpecialTokens,
) -> list[TaggedWindow]:
    """The windows of one document with its tags, int64 (tokens,) or layered (tokens, labels)."""
    windows = make_windows(text, tokens, document=0, settings=settings, capacity=capacity)
    return [_tagged(window, tokens, tags, special) for window in windows]


def _tagged(window: Window, tokens: Tokens, tags: npt.NDArray[np.int64], special: SpecialTokens) -> TaggedWindow:
    ids = np.concatenate([special.prefix, tokens.ids[window.start : window.end], special.suffix])
    labels = np.full((len(ids), *tags.shape[1:]), IGNORE, dtype=np.int64)
    first = len(special.prefix) + window.own_start - window.start
    labels[first : first + window.own_end - window.own_start] = tags[window.own_start : window.own_end]
    is_cut = _may_part_a_mention(tags, window.own_start), _may_part_a_mention(tags, window.own_end)
    return TaggedWindow(input_ids=ids, labels=labels, is_cut=is_cut)


def _may_part_a_mention(tags: npt.NDArray[np.int64], border: int) -> bool:
    """Whether mentions lie on both sides of the border before a token: one, or two that touch, which are few."""
    return bool(0 < border < len(tags) and (tags[border - 1] > 0).any() and (tags[border] > 0).any())


def collate(windows: Sequence[TaggedWindow], *, pad_id: int) -> Mapping[str, Any]:
    """A padded batch: input_ids, attention_mask and labels, int64 (windows, longest), labels (…, labels) if apart."""
    longest = max(len(window.input_ids) for window in windows)
    shape = (len(windows), longest)
    ids = np.full(shape, pad_id, dtype=np.int64)
    mask = np.zeros(shape, dtype=np.int64)
    labels = np.full((*shape, *windows[0].labels.shape[1:]), IGNORE, dtype=np.int64)
    for row, window in enumerate(windows):
        size = len(window.input_ids)
        ids[row, :size] = window.input_ids
        mask[row, :size] = 1
        labels[row, :size] = window.labels
    return {
        "input_ids": torch.from_numpy(ids),
        "attention_mask": torch.from_numpy(mask),
        "labels": torch.from_numpy(labels),
    }
