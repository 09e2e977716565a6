"""The text that labels are drawn for: whole documents in two parts, as windows without labels."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, final

import numpy as np
import numpy.typing as npt

from raretag.corpus import Document
from raretag.errors import DataError
from raretag.experiments.biaslab.results import LabText, Part
from raretag.tagging import IGNORE, Tokens, build_schema, encode, special_tokens, tokenise
from raretag.training.dataset import TaggedWindow, WindowDataset, cut

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

    from raretag.experiments.biaslab.settings import LabSettings

Integers = npt.NDArray[np.int64]

# what stands for a mention's number in `mentions`
OUTSIDE = -1
UNTOLD = -2


@final
@dataclass(frozen=True, kw_only=True)
class TextPart:
    """The documents of one part; judged tokens are counted through, in the order of documents.

    windows: label 0 at judged tokens, −100 elsewhere. ids: int64 (tokens,), of the vocabulary. documents: int64
    (tokens,), the number of each token's document. mentions: int64 (tokens,), the number of the true mention that it
    belongs to, −1 outside, −2 where no tag tells the truth.
    """

    windows: tuple[TaggedWindow, ...]
    ids: Integers
    documents: Integers
    mentions: Integers

    def __len__(self) -> int:
        return len(self.ids)

    def labelled(self, tags: Integers) -> WindowDataset:
        """The windows with `tags`, int64 (tokens,), or (tokens, labels) where labels are kept apart."""
        return WindowDataset(
            [
                replace(window, labels=_placed(window.labels, tags[start : start + number]))
                for window, start, number in zip(self.windows, self.starts, self.judged, strict=True)
            ]
        )

    @cached_property
    def judged(self) -> Integers:
        """int64 (windows,): judged tokens of each window."""
        return np.asarray([int((window.labels != IGNORE).sum()) for window in self.windows], dtype=np.int64)

    @property
    def starts(self) -> Integers:
        """int64 (windows,): the number of each window's first judged token."""
        return np.concatenate([[0], np.cumsum(self.judged)[:-1]])


@final
@dataclass(frozen=True, kw_only=True)
class Text:
    """Both parts, and what the results say of them."""

    parts: dict[Part, TextPart]
    facts: LabText


def cut_text(
    documents: Sequence[Document],
    *,
    name: str,
    tokenizer: PreTrainedTokenizerFast,
    capacity: int,
    settings: LabSettings,
) -> Text:
    """Choose whole documents, the same for every seed, until `settings.tokens` are reached; the last are held out.

    Raises DataError where there are not two documents with text.
    """
    tokens = tokenise([document.text for document in documents], tokenizer=tokenizer)
    chosen = _chosen([len(one) for one in tokens], tokens=settings.tokens, held_out=settings.held_out)
    parts: dict[Part, TextPart] = {}
    for part, numbers in chosen.items():
        parts[part] = _part(
            [documents[n] for n in numbers],
            [tokens[n] for n in numbers],
            tokenizer=tokenizer,
            capacity=capacity,
            settings=settings,
        )
    digest = hashlib.sha256()
    for part, numbers in chosen.items():
        digest.update(part.encode())
        for number in numbers:
            digest.update(documents[number].fingerprint.encode())
            digest.update(tokens[number].ids.tobytes())
        digest.update(parts[part].mentions.tobytes())
    return Text(
        parts=parts,
        facts=LabText(
            name=name,
            documents={part: len(numbers) for part, numbers in chosen.items()},
            tokens={part: len(one) for part, one in parts.items()},
            sha256=digest.hexdigest(),
        ),
    )


def _chosen(lengths: Sequence[int], *, tokens: int, held_out: float) -> dict[Part, list[int]]:
    """Numbers of documents, in an order that is random but always the same."""
    order = [int(number) for number in np.random.default_rng(0).permutation(len(lengths)) if lengths[number]]
    reached = np.cumsum([lengths[number] for number in order])
    order = order[: int(np.searchsorted(reached, tokens)) + 1]
    if len(order) < 2:
        raise DataError(
            f"{len(order)} documents with text cannot make a part to train on and one to hold out",
            remedy="Give more documents, or raise tokens",
        )
    total = sum(lengths[number] for number in order)
    first = int(np.searchsorted(np.cumsum([lengths[number] for number in order]), (1 - held_out) * total)) + 1
    first = min(max(first, 1), len(order) - 1)
    return {"training": order[:first], "held_out": order[first:]}


def _part(
    documents: Sequence[Document],
    tokens: Sequence[Tokens],
    *,
    tokenizer: PreTrainedTokenizerFast,
    capacity: int,
    settings: LabSettings,
) -> TextPart:
    special = special_tokens(tokenizer)
    windows: list[TaggedWindow] = []
    for document, pieces in zip(documents, tokens, strict=True):
        blank = np.zeros(len(pieces), dtype=np.int64)
        windows += cut(document.text, pieces, blank, settings=settings.windows, capacity=capacity, special=special)
    return TextPart(
        windows=tuple(windows),
        ids=np.concatenate([pieces.ids for pieces in tokens]),
        documents=np.repeat(np.arange(len(tokens)), [len(pieces) for pieces in tokens]),
        mentions=_mentions(documents, tokens),
    )


def _mentions(documents: Sequence[Document], tokens: Sequence[Tokens]) -> Integers:
    """The mentions counted through, as the longest of overlapping ones are kept."""
    schema = build_schema(["mention"])
    found: list[Integers] = []
    before = 0
    for document, pieces in zip(documents, tokens, strict=True):
        alike = replace(document, mentions=tuple(replace(one, label="mention") for one in document.mentions))
        tags = encode(alike, pieces, schema=schema).tags
        numbers = before + np.cumsum(tags == schema.begin(0)) - 1
        before = int(numbers[-1]) + 1 if len(numbers) else before
        found.append(np.where(tags > 0, numbers, np.where(tags == IGNORE, UNTOLD, OUTSIDE)))
    return np.concatenate(found)


def _placed(labels: Integers, tags: Integers) -> Integers:
    placed = np.full((len(labels), *tags.shape[1:]), IGNORE, dtype=np.int64)
    placed[labels != IGNORE] = tags
    return placed
