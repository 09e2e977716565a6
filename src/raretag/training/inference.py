"""Tag probabilities of whole documents: every token judged once, in the window where it sees most context."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
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
from raretag.training.heads import to_probabilities
from raretag.training.model import logits_shape
from raretag.training.precision import Precision

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

_BATCH_TOKENS = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenProbabilities:
    """One document's tokens and their tag probabilities.

    probabilities: float32 (tokens, tags), or (tokens, labels, tags of a label) from a head that keeps labels apart; the
    last axis sums to 1.
    """

    document: Document
    tokens: Tokens
    probabilities: npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Predictor:
    """A trained model with all it needs to judge documents."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerFast
    windows: WindowSettings
    capacity: int
    precision: Precision

    def predict(
        self, documents: Sequence[Document], *, advance: Callable[[int], None] | None = None
    ) -> list[TokenProbabilities]:
        """Judge every token of `documents`, in their order. `advance` is told each batch's number of windows."""
        tokens = tokenise([document.text for document in documents], tokenizer=self.tokenizer)
        special = special_tokens(self.tokenizer)
        windows = [
            window
            for number, (document, pieces) in enumerate(zip(documents, tokens, strict=True))
            for window in make_windows(
                document.text, pieces, document=number, settings=self.windows, capacity=self.capacity
            )
        ]
        results = [np.zeros((len(pieces), *logits_shape(self.model)), dtype=np.float32) for pieces in tokens]
        for batch in _batches(windows, extra=len(special.prefix) + len(special.suffix)):
            for window, probabilities in zip(batch, self._judge(batch, tokens, special), strict=True):
                first = len(special.prefix) + window.own_start - window.start
                last = first + window.own_end - window.own_start
                results[window.document][window.own_start : window.own_end] = probabilities[first:last]
            if advance is not None:
                advance(len(batch))
        return [
            TokenProbabilities(document=document, tokens=pieces, probabilities=result)
            for document, pieces, result in zip(documents, tokens, results, strict=True)
        ]

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
