"""The vector-scaling loss: logits of rare labels are scaled as well as shifted, which lasts late into training."""

from __future__ import annotations

from typing import final

import numpy as np
import numpy.typing as npt
import torch
from pydantic import Field
from torch import Tensor

from raretag.objectives.base import Array, Objective
from raretag.objectives.logit_adjustment import log_or_floor, normalised, split_log_prior
from raretag.objectives.tying import tied
from raretag.options import Options


class VectorScalingOptions(Options):
    """Options of `vector-scaling`."""

    gamma: float = Field(
        default=0.15, ge=0, le=1, description="power of the scales; 0: shifts alone (logit adjustment)"
    )
    tau: float = Field(default=0.3, ge=0, le=2, description="strength of the shifts; 0: scales alone")


@final
class VectorScaling(Objective[VectorScalingOptions]):
    """ℓ = −log softmax(Δ ∘ z + ι)_y, Δ_c = (n_c / n_max)^γ, ι_c = τ · log π_c; tags of a label count together.

    Kini et al. 2021, 2103.01550. Prediction uses z. A label that training never saw has the scale of the rarest.
    Adding one number to all Δ_c z_c changes nothing for the loss, but much for softmax(z): its optimum without text is
    a curve of priors, of which `effective_prior` gives a point that another optimiser need not end at.
    """

    options_type = VectorScalingOptions
    prior_is_unique = False

    def __init__(
        self, counts: npt.ArrayLike, *, groups: npt.ArrayLike | None = None, options: VectorScalingOptions | None = None
    ) -> None:
        super().__init__(counts, groups=groups, options=options)
        together = tied(self.counts, self.groups)
        ratios = np.maximum(together, together[together > 0].min()) / together.max()
        self.scales: Array = ratios**self.options.gamma
        self.shifts = split_log_prior(self.counts, self.groups, tau=self.options.tau, tau_outside=self.options.tau)

    def _token_losses(self, logits: Tensor, targets: Tensor) -> Tensor:
        scales, shifts = (
            torch.as_tensor(each, dtype=logits.dtype, device=logits.device) for each in (self.scales, self.shifts)
        )
        return torch.nn.functional.cross_entropy(scales * logits + shifts, targets, reduction="none")

    def _prior(self, marginals: Array) -> Array:
        """softmax(b), b = (log m − ι + k) / Δ, an optimum for every k; descent from 0 keeps Σ b/Δ = 0."""
        mass = marginals.sum(axis=0)
        seen = mass > 0
        wanted = log_or_floor(mass) - self.shifts
        weights = np.where(seen, self.scales**-2.0, 0.0)
        level = -(weights * wanted).sum() / weights.sum()
        return normalised((wanted + level) / self.scales, where=seen)
