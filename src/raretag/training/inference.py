"""Tag probabilities of whole documents: every token judged once, in the window where it sees most context."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch

from raretag.corpus import Document
from raretag.sampling import pack
from raretag.tagging import (
    SpecialTokens,
    Tokens,
    Window,
    WindowSettings,
    make_windows,
    special_tokens,
    tokenise,
)
from raretag.training.ensemble import together
from raretag.training.heads import to_probabilities
from raretag.training.model import logits_shape, tag_head
from raretag.training.precision import Precision

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

_BATCH_TOKENS = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenProbabilities:
    """One document's tokens and their tag probabilities.

    probabilities: float32 (tokens, tags), or (tokens, labels, tags of a label) from a head that keeps labels apart; the
    last axis sums to 1. hidden: float32 (tokens, width), what the head was given, where it was asked for.
    """

    document: Document
    tokens: Tokens
    probabilities: npt.NDArray[np.float32]
    hidden: npt.NDArray[np.float32] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
    """What one window judges: where it lies in its document, and where in the batch."""

    document: int
    place: slice
    row: int
    columns: slice
    probabilities: npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Predictor:
    """A trained model with all it needs to judge documents.

    others: further models of an ensemble, with the same tokens, windows and tags; all are asked, in this one's number
    format. Hidden states are those of this model.
    """

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerFast
    windows: WindowSettings
    capacity: int
    precision: Precision
    others: tuple[Predictor, ...] = ()

    def predict(
        self, documents: Sequence[Document], *, advance: Callable[[int], None] | None = None
    ) -> list[TokenProbabilities]:
        """Judge every token of `documents`, in their order.

        `advance` is told each batch's number of windows, those of every model.
        """
        tokens = tokenise([document.text for document in documents], tokenizer=self.tokenizer)
        results = [np.zeros((len(pieces), *logits_shape(self.model)), dtype=np.float32) for pieces in tokens]
        for part in self._judged(documents, tokens, advance=advance):
            results[part.document][part.place] = part.probabilities
        return [
            TokenProbabilities(document=document, tokens=pieces, probabilities=result)
            for document, pieces, result in zip(
                documents, tokens, self._joined(results, documents, advance=advance), strict=True
            )
        ]

    def predict_with_hidden(
        self, documents: Sequence[Document], *, advance: Callable[[int], None] | None = None
    ) -> list[TokenProbabilities]:
        """As `predict`, and with each token what the head was given."""
        tokens = tokenise([document.text for document in documents], tokenizer=self.tokenizer)
        results = [np.zeros((len(pieces), *logits_shape(self.model)), dtype=np.float32) for pieces in tokens]
        width = int(self.model.config.hidden_size)
        hidden = [np.zeros((len(pieces), width), dtype=np.float32) for pieces in tokens]
        seen: list[torch.Tensor] = []
        handle = tag_head(self.model).register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
        try:
            for part in self._judged(documents, tokens, advance=advance):
                results[part.document][part.place] = part.probabilities
                hidden[part.document][part.place] = seen[-1][part.row, part.columns].float().cpu().numpy()
                del seen[:-1]
        finally:
            handle.remove()
        return [
            TokenProbabilities(document=document, tokens=pieces, probabilities=result, hidden=states)
            for document, pieces, result, states in zip(
                documents, tokens, self._joined(results, documents, advance=advance), hidden, strict=True
            )
        ]

    def _joined(
        self,
        own: list[npt.NDArray[np.float32]],
        documents: Sequence[Document],
        *,
        advance: Callable[[int], None] | None,
    ) -> list[npt.NDArray[np.float32]]:
        """What all models say of each document."""
        if not self.others:
            return own
        told = [
            [one.probabilities for one in replace(other, precision=self.precision).predict(documents, advance=advance)]
            for other in self.others
        ]
        return [together(said) for said in zip(own, *told, strict=True)]

    def _judged(
        self, documents: Sequence[Document], tokens: Sequence[Tokens], *, advance: Callable[[int], None] | None
    ) -> Iterator[_Judged]:
        """The tokens that each window judges, window by window, batch by batch."""
        special = special_tokens(self.tokenizer)
        windows = [
            window
            for number, (document, pieces) in enumerate(zip(documents, tokens, strict=True))
            for window in make_windows(
                document.text, pieces, document=number, settings=self.windows, capacity=self.capacity
            )
        ]
        for batch in _batches(windows, extra=len(special.prefix) + len(special.suffix)):
            for row, (window, found) in enumerate(zip(batch, self._judge(batch, tokens, special), strict=True)):
                first = len(special.prefix) + window.own_start - window.start
                columns = slice(first, first + window.own_end - window.own_start)
                yield _Judged(
                    document=window.document,
                    place=slice(window.own_start, window.own_end),
                    row=row,
                    columns=columns,
                    probabilities=found[columns],
                )
            if advance is not None:
                advance(len(batch))

    def _judge(
        self, batch: Sequence[Window], tokens: Sequence[Tokens], special: SpecialTokens
    ) -> npt.NDArray[np.float32]:
        longest = max(len(window) for window in batch) + len(special.prefix) + len(special.suffix)
        ids = np.full((len(batch), longest), self.tokenizer.pad_token_id or 0, dtype=np.int64)
        mask = np.zeros((len(batch), longest), dtype=np.int64)
        for row, window in enumerate(batch):
            text = tokens[window.document].ids[window.start : window.end]
            seen = np.concatenate([special.prefix, text, special.suffix])
            ids[row, : len(seen)] = seen
            mask[row, : len(seen)] = 1
        device = self.model.device
        was_training = self.model.training
        self.model.eval()
        with (
            torch.inference_mode(),
            torch.autocast(device.type, torch.bfloat16, enabled=self.precision == "bfloat16"),
        ):
            logits = self.model(
                input_ids=torch.from_numpy(ids).to(device), attention_mask=torch.from_numpy(mask).to(device)
            ).logits
            result = to_probabilities(logits).cpu().numpy()
        self.model.train(was_training)
        return np.asarray(result, dtype=np.float32)


def _batches(windows: Sequence[Window], *, extra: int) -> Iterator[list[Window]]:
    lengths = np.asarray([len(window) + extra for window in windows], dtype=np.int64)
    for batch in pack(lengths, tokens=_BATCH_TOKENS):
        yield [windows[number] for number in batch]
