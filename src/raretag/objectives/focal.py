"""Focal loss: cross-entropy that lets go of tokens the model already gets right."""

from __future__ import annotations

from typing import final

import numpy.typing as npt
import torch
from pydantic import Field
from torch import Tensor

from raretag.objectives.base import Objective
from raretag.objectives.weights import power_weights
from raretag.options import Options


class FocalOptions(Options):
    """Options of `focal`."""

    gamma: float = Field(default=2.0, ge=0, le=10, description="how fast sure tokens are let go of; 0 not at all")
    alpha: float = Field(default=0.0, ge=0, le=2, description="exponent of 1 / count in the tag's weight; 0 unweighted")


@final
class Focal(Objective[FocalOptions]):
    """ℓ = w_y (1 − p_y)^γ (−log p_y), p = softmax(z), w_c ∝ n_c^{−α} (Lin et al. 2017, arXiv 1708.02002).

    The weights are those of `power_weights`, tied and capped at 10; they do not enter p. The optimum is flatter than
    the marginals: a tag of low probability has the larger factor.
    """

    options_type = FocalOptions

    def __init__(
        self, counts: npt.ArrayLike, *, groups: npt.ArrayLike | None = None, options: FocalOptions | None = None
    ) -> None:
        super().__init__(counts, groups=groups, options=options)
        self.weights = power_weights(self.counts, groups=self.groups, gamma=self.options.alpha)

    def _token_losses(self, logits: Tensor, targets: Tensor) -> Tensor:
        losses = torch.nn.functional.cross_entropy(logits, targets, reduction="none")
        # a power below 1 has no slope at 0, so a missing probability of 0 must not reach it
        missing = (-torch.expm1(-losses)).clamp(min=torch.finfo(logits.dtype).tiny)
        weights = torch.as_tensor(self.weights, dtype=logits.dtype, device=logits.device)
        return weights[targets] * missing**self.options.gamma * losses
