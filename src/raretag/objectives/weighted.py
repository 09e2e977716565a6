"""Weighted cross-entropy, w_y · (−log p_y): one class for each way to get weights from counts."""

from __future__ import annotations

from abc import abstractmethod
from typing import final

import numpy as np
import numpy.typing as npt
import torch
from pydantic import Field
from torch import Tensor

from raretag.objectives.base import Array, Objective, OptionsT
from raretag.objectives.weights import (
    effective_number_weights,
    one_minus_share_weights,
    power_weights,
    welt_weights,
)
from raretag.options import Options


class TiedOptions(Options):
    """Options of weights without a strength."""

    tie: bool = Field(default=True, description="tags of a label share the weight of their summed count")


class CappedOptions(TiedOptions):
    """Options of weights that grow without bound."""

    cap: float = Field(default=10.0, ge=1, description="largest ratio of a weight to the smallest")


class PowerOptions(CappedOptions):
    """Options of `weighted`."""

    gamma: float = Field(default=0.5, ge=0, le=2, description="exponent of 1 / count: 0 unweighted, 1 inverse count")


class EffectiveNumberOptions(CappedOptions):
    """Options of `effective-number`."""

    beta: float = Field(default=0.999, ge=0, lt=1, description="0 unweighted; towards 1 inverse count")


class Weighted(Objective[OptionsT]):
    """ℓ = w_y · (−log softmax(z)_y), with `weights` float64 (tags,) that are known before training.

    Its optimum has Σ_t w_{y_t} p_k(x_t) = w_k n_k: it moves the prior to w_k n_k / Σ w n, which `effective_prior` says.
    """

    def __init__(
        self, counts: npt.ArrayLike, *, groups: npt.ArrayLike | None = None, options: OptionsT | None = None
    ) -> None:
        super().__init__(counts, groups=groups, options=options)
        self.weights = self._weights()

    @abstractmethod
    def _weights(self) -> Array:
        """w of each tag, float64 (tags,), >= 0."""

    @final
    def _token_losses(self, logits: Tensor, targets: Tensor) -> Tensor:
        weights = torch.as_tensor(self.weights, dtype=logits.dtype, device=logits.device)
        return weights[targets] * torch.nn.functional.cross_entropy(logits, targets, reduction="none")

    @final
    def _prior(self, marginals: Array) -> Array:
        return np.asarray(self.weights * marginals.sum(axis=0))


@final
class PowerWeighted(Weighted[PowerOptions]):
    """w_c ∝ n_c^{−γ}, see `power_weights`."""

    options_type = PowerOptions

    def _weights(self) -> Array:
        chosen = self.options
        return power_weights(self.counts, groups=self.groups, gamma=chosen.gamma, cap=chosen.cap, tie=chosen.tie)


@final
class InverseCount(Weighted[CappedOptions]):
    """w_c ∝ 1 / n_c (INS): without a cap, every label has the same mass."""

    options_type = CappedOptions

    def _weights(self) -> Array:
        return power_weights(self.counts, groups=self.groups, gamma=1, cap=self.options.cap, tie=self.options.tie)


@final
class InverseSqrt(Weighted[CappedOptions]):
    """w_c ∝ 1 / √n_c (ISNS)."""

    options_type = CappedOptions

    def _weights(self) -> Array:
        return power_weights(self.counts, groups=self.groups, gamma=0.5, cap=self.options.cap, tie=self.options.tie)


@final
class EffectiveNumber(Weighted[EffectiveNumberOptions]):
    """w_c ∝ (1 − β) / (1 − β^{n_c}) (Cui et al. 2019, arXiv 1901.05555), see `effective_number_weights`."""

    options_type = EffectiveNumberOptions

    def _weights(self) -> Array:
        chosen = self.options
        return effective_number_weights(
            self.counts, groups=self.groups, beta=chosen.beta, cap=chosen.cap, tie=chosen.tie
        )


@final
class WeLT(Weighted[TiedOptions]):
    """w ∝ softmax_c(1 − n_c / N) (Mobasher et al. 2023, 2023.bionlp-1.40): a ratio of e at most."""

    options_type = TiedOptions

    def _weights(self) -> Array:
        return welt_weights(self.counts, groups=self.groups, tie=self.options.tie)


@final
class OneMinusShare(Weighted[TiedOptions]):
    """w_c ∝ 1 − n_c / N (Rehman et al. 2024, arXiv 2409.03238): damps what is frequent, and little else."""

    options_type = TiedOptions

    def _weights(self) -> Array:
        return one_minus_share_weights(self.counts, groups=self.groups, tie=self.options.tie)
