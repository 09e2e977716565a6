"""A document as the encoder's tokens: ids and character offsets, whole, never truncated."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """The tokens of one document without special tokens.

    ids: int64 (tokens,). starts, ends: int64 (tokens,), half-open code points of the text, without surrounding blanks.
    """

    ids: npt.NDArray[np.int64]
    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.ids)


def tokenise(texts: Sequence[str], *, tokenizer: PreTrainedTokenizerFast) -> list[Tokens]:
    """Tokenise whole texts. Tokens that stand for no character (a lone blank marker) are left out.

    An unpaired surrogate, which no tokenizer takes, is read as U+FFFD.
    """
    if not texts:
        return []
    backend = tokenizer.backend_tokenizer
    # a tokenizer file may carry its own truncation and padding, which would cut notes silently
    backend.no_truncation()
    backend.no_padding()
    encodings = backend.encode_batch([_SURROGATE.sub("\ufffd", text) for text in texts], add_special_tokens=False)
    return [_trimmed(text, encoding.ids, encoding.offsets) for text, encoding in zip(texts, encodings, strict=True)]


def _trimmed(text: str, ids: list[int], offsets: list[tuple[int, int]]) -> Tokens:
    rows: list[list[int]] = []
    for token, (start, end) in zip(ids, offsets, strict=True):
        while start < end and text[start].isspace():
            start += 1
        while start < end and text[end - 1].isspace():
            end -= 1
        if start < end:
            rows.append([token, start, end])
    # accents that the tokenizer strips belong to the letter before them
    for row, following in zip(rows, [*(start for _, start, _ in rows[1:]), len(text)], strict=False):
        while row[2] < following and unicodedata.combining(text[row[2]]):
            row[2] += 1
    table = np.asarray(rows, dtype=np.int64).reshape(-1, 3)
    return Tokens(ids=table[:, 0], starts=table[:, 1], ends=table[:, 2])
