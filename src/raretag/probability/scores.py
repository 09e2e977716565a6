"""Scores: each token's tag probabilities, with the offsets that lead back to the text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from raretag.tagging import Tokens

# the least probability that a logarithm is taken of
TINY = 1e-30


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """What a model says of one document.

    probabilities: float32 (tokens, tags), or (tokens, labels, tags of a label) with a layered schema; the last axis
    sums to 1. hidden: float (tokens, width), what the head was given, where it was asked for. Offsets lead back to the
    text; the ids of `tokens` are −1 where they were not kept, for they would be the text itself.
    """

    document: str
    tokens: Tokens
    probabilities: npt.NDArray[np.float32]
    hidden: npt.NDArray[Any] | None = None


def stack(arrays: Sequence[npt.NDArray[np.float32]], *, tags: int) -> npt.NDArray[np.float64]:
    """Documents side by side, float64 (documents, longest, tags); beyond a document's end tag 0 has probability 1."""
    longest = max((len(array) for array in arrays), default=0)
    stacked = np.zeros((len(arrays), longest, tags))
    stacked[:, :, 0] = 1.0
    for row, array in enumerate(arrays):
        stacked[row, : len(array)] = array
    return stacked
