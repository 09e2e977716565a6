"""Poly-1: cross-entropy with another weight on the first term of its expansion in 1 − p."""

from __future__ import annotations

from typing import final

import torch
from pydantic import Field
from torch import Tensor

from raretag.objectives.base import Objective
from raretag.options import Options


class Poly1Options(Options):
    """Options of `poly-1`."""

    epsilon: float = Field(
        default=1.0, ge=-1, le=10, description="added to the weight 1 of the term 1 - p; 0 cross-entropy"
    )


@final
class Poly1(Objective[Poly1Options]):
    """ℓ = −log p_y + ε (1 − p_y), p = softmax(z) (Leng et al. 2022, arXiv 2204.12511).

    A token's gradient is 1 + ε p_y times that of cross-entropy: ε > 0 pulls harder on what is nearly learned, ε < 0
    less. Below −1 a sure token would be pushed away; above 10 hardly anything of cross-entropy is left.
    """

    options_type = Poly1Options

    def _token_losses(self, logits: Tensor, targets: Tensor) -> Tensor:
        losses = torch.nn.functional.cross_entropy(logits, targets, reduction="none")
        return losses - self.options.epsilon * torch.expm1(-losses)
