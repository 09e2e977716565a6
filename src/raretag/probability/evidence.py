"""What a calibrator learns from: probabilities of tokens beside their gold tags."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import numpy.typing as npt

from raretag.probability.scores import Scores
from raretag.tagging import IGNORE, Schema


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evidence:
    """The tokens of several documents, one after the other.

    probabilities: float32 (tokens, *schema.shape), the last axis sums to 1. tags: int64 (tokens,), or (tokens, labels)
    with a layered schema; −100 where no tag tells the truth, and everywhere in documents without gold. owners: int64
    (tokens,), the number of each token's document, ascending. hidden: float (tokens, width), what the head was given,
    or None. Raises ValueError where shapes do not fit.
    """

    schema: Schema
    probabilities: npt.NDArray[np.float32]
    tags: npt.NDArray[np.int64]
    owners: npt.NDArray[np.int64]
    hidden: npt.NDArray[Any] | None = None

    def __post_init__(self) -> None:
        tokens = len(self.probabilities)
        tagged = (tokens, len(self.schema.labels)) if self.schema.layered else (tokens,)
        if self.probabilities.shape[1:] != self.schema.shape or self.tags.shape != tagged:
            raise ValueError(
                f"probabilities {self.probabilities.shape} and tags {self.tags.shape} do not fit a schema of tokens "
                f"{self.schema.shape}"
            )
        if self.owners.shape != (tokens,) or (self.hidden is not None and len(self.hidden) != tokens):
            raise ValueError(f"{tokens} tokens need an owner each, and a hidden state each or none at all")

    def __len__(self) -> int:
        return len(self.probabilities)

    @property
    def judged(self) -> npt.NDArray[np.bool_]:
        """bool, of the shape of `tags`: where a tag tells the truth."""
        return np.asarray(self.tags != IGNORE)


def gather(scores: Sequence[Scores], tags: Sequence[npt.NDArray[np.int64] | None], *, schema: Schema) -> Evidence:
    """Documents in a row; None in place of tags is a document without gold. Hidden states only where all have them."""
    shape = (len(schema.labels),) if schema.layered else ()
    told = [
        np.full((len(one.tokens), *shape), IGNORE, dtype=np.int64) if gold is None else gold
        for one, gold in zip(scores, tags, strict=True)
    ]
    lengths = [len(one.tokens) for one in scores]
    hidden = [one.hidden for one in scores if one.hidden is not None]
    return Evidence(
        schema=schema,
        probabilities=np.concatenate([np.zeros((0, *schema.shape), np.float32), *(s.probabilities for s in scores)]),
        tags=np.concatenate([np.zeros((0, *shape), np.int64), *told]),
        owners=np.repeat(np.arange(len(scores)), lengths),
        hidden=np.concatenate(hidden) if scores and len(hidden) == len(scores) else None,
    )
