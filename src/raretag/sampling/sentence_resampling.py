"""Sentence resampling by how much, how rare and how dense the labelled tokens of a window are."""

from __future__ import annotations

from abc import abstractmethod
from typing import final

import numpy as np
from pydantic import Field

from raretag.options import Options
from raretag.sampling.base import OptionsT
from raretag.sampling.marginals import Array
from raretag.sampling.resampled import Resampled


class RarityOptions(Options):
    """Options of `scr`, `scrd` and `nscrd`."""

    sharpness: float = Field(
        default=1.0,
        ge=0,
        le=8,
        description="exponent on a label's rarity, -log2 of its share of all tokens; 0: ignored",
    )


class SentenceResampling(Resampled[OptionsT]):
    """r_w from c_e, the tokens of label e in window w, f_e, its share of all tokens, and ℓ, the tokens of w.

    Wang & Wang, "Sentence-Level Resampling for Named Entity Recognition", NAACL 2022. There r_w is how often a
    sentence is repeated, which makes epochs several times longer; here it is a weight at the cost of a plain epoch.
    Only tokens with a target count.
    """

    @final
    def _weights(self, epoch: int) -> Array:
        del epoch
        return np.ceil(self._repeats(self.windows.label_counts.astype(np.float64)))

    @abstractmethod
    def _repeats(self, tokens: Array) -> Array:
        """r_w before it is rounded up, (windows,), from c, float64 (windows, labels)."""

    @final
    def _root_length(self) -> Array:
        """√ℓ, at least 1."""
        return np.asarray(np.sqrt(np.maximum(self.windows.counts.sum(axis=1), 1)))


@final
class Count(SentenceResampling[Options]):
    """sC: r = 1 + Σ_e c_e."""

    def _repeats(self, tokens: Array) -> Array:
        return np.asarray(1 + tokens.sum(axis=1))


class RarityResampling(SentenceResampling[RarityOptions]):
    """Sentence resampling that weighs a label by its rarity."""

    options_type = RarityOptions

    @final
    def _rarity(self, tokens: Array) -> Array:
        """(−log2 f_e)^sharpness of each label, (labels,); whatever for labels that no window holds."""
        shares = np.maximum(tokens.sum(axis=0), 1) / self.windows.counts.sum()
        return np.asarray((-np.log2(np.minimum(shares, 1.0))) ** self.options.sharpness)


@final
class CountRarity(RarityResampling):
    """sCR: r = ⌈√(1 + Σ_e c_e (−log2 f_e))⌉."""

    def _repeats(self, tokens: Array) -> Array:
        return np.sqrt(1 + tokens @ self._rarity(tokens))


@final
class CountRarityDensity(RarityResampling):
    """sCRD: r = ⌈(1 + Σ_e c_e (−log2 f_e)) / √ℓ⌉."""

    def _repeats(self, tokens: Array) -> Array:
        return np.asarray((1 + tokens @ self._rarity(tokens)) / self._root_length())


@final
class NormalisedCountRarityDensity(RarityResampling):
    """nsCRD: r = ⌈(1 + Σ_e √c_e (−log2 f_e)) / √ℓ⌉."""

    def _repeats(self, tokens: Array) -> Array:
        return np.asarray((1 + np.sqrt(tokens) @ self._rarity(tokens)) / self._root_length())
