"""Which tokens the new head is shown how often: labels balanced, what is outside them at its natural share."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from raretag.options import Options

Array = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


class TokenTrainingOptions(Options):
    """Options of every second stage that trains on sampled tokens."""

    batch_tokens: int = Field(default=256, ge=1, description="tokens in a batch")
    power: float = Field(
        default=0.0, ge=0, le=1, description="share of a label ~ (its tokens) ** power; 0: balanced, 1: as they are"
    )
    outside: Literal["natural", "balanced"] = Field(
        default="natural", description="O keeps its share of the tokens, or is balanced like one more label"
    )


def sampled_marginals(counts: Integers, *, groups: Integers, options: TokenTrainingOptions) -> Array:
    """The share of each tag among sampled tokens, float64 (tags,): sums to 1, 0 where there is no token.

    counts: int64 (tags,), tokens of each tag. groups: int64 (tags,), 0 for `O`. A label's share is q_k ∝ n_k^power
    (Kang et al. 2020, arXiv 1910.09217, section 3), n_k its tokens with all its tags, which keep their shares in it.
    Tags of a label are tied: a label's B and I grow together.
    """
    totals = np.bincount(groups, weights=counts).astype(np.float64)
    shares = np.where(totals > 0, np.maximum(totals, 1) ** options.power, 0.0)
    if options.outside == "natural":
        labels = shares[1:].sum()
        natural = totals[0] / totals.sum()
        shares = np.concatenate([[natural], shares[1:] * (1 - natural) / max(labels, np.finfo(np.float64).tiny)])
    shares = shares / shares.sum()
    return np.asarray(shares[groups] * counts / np.maximum(totals[groups], 1))


def token_probabilities(tags: Integers, *, marginals: Array) -> Array:
    """How likely each token is to be drawn, float64 (tokens,), so that tags come with these marginals (tags,)."""
    counts = np.bincount(tags, minlength=len(marginals))
    return np.asarray((marginals / np.maximum(counts, 1))[tags])
