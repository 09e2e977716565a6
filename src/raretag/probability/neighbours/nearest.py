"""The result of a search, from which votes for many settings are counted without searching again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
import numpy.typing as npt

from raretag.probability.neighbours.settings import NeighbourSettings
from raretag.probability.neighbours.vectors import Floats, Integers


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Nearest:
    """The stored tokens nearest to each query, nearest first.

    places: int64 (queries, k), rows of the store. cosines: float32 (queries, k), −∞ where too few tokens were left.
    tags: int64 (queries, k), the tags of those tokens. shares: float64 (tags,), the share of each tag in the whole
    store, which k is at most the size of; sums to 1. stored: that size.
    """

    places: Integers
    cosines: Floats
    tags: Integers
    shares: npt.NDArray[np.float64]
    stored: int

    def __len__(self) -> int:
        return len(self.places)

    def votes(self, *, settings: NeighbourSettings) -> npt.NDArray[np.float64]:
        """p_kNN(y | h) ∝ π_y^−γ Σ exp(cos(h, k_j) / T) over the nearest tokens j with tag y, float64 (queries, tags).

        π: `shares`. Wang et al. 2022 (kNN-NER, arXiv 2203.17103), where γ = 0. Rows sum to 1. Where no token is left,
        the vote is ∝ π^(1 − γ) over the tags of the store. `settings.weight` plays no part.
        Raises ValueError where settings ask for more neighbours than were looked up.
        """
        k = min(settings.neighbours, self.stored)
        if k > self.places.shape[1]:
            raise ValueError(f"{k} neighbours were asked for, but {self.places.shape[1]} were looked up")
        priors = prior_factors(self.shares, exponent=settings.prior_exponent)
        found = np.tile(self.shares * priors / (self.shares * priors).sum(), (len(self), 1))
        weights = vote_weights(self.cosines[:, :k], temperature=settings.temperature)
        cells = np.arange(len(self))[:, None] * len(self.shares) + self.tags[:, :k]
        summed = np.bincount(cells.ravel(), weights=weights.ravel(), minlength=found.size).reshape(found.shape) * priors
        some = np.isfinite(self.cosines[:, 0])
        found[some] = summed[some] / summed[some].sum(axis=1, keepdims=True)
        return found


def prior_factors(shares: npt.NDArray[np.float64], *, exponent: float) -> npt.NDArray[np.float64]:
    """π^−γ, float64 (tags,), 1 for tags that the store does not hold: nobody votes for them."""
    return np.asarray(np.where(shares > 0, shares, 1.0) ** -exponent)


def vote_weights(cosines: Floats, *, temperature: float) -> npt.NDArray[np.float64]:
    """exp(cos / T) as a part of the nearest token's, float64 (queries, k); 0 at −∞."""
    best = np.where(np.isfinite(cosines[:, :1]), cosines[:, :1], 0).astype(np.float64)
    # at temperatures near 0 all but the nearest overflow to −∞, whose vote is the right one: 0
    with np.errstate(over="ignore"):
        return np.asarray(np.exp((cosines - best) / temperature))
