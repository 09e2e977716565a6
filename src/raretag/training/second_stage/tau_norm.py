"""τ-normalisation: the rows of the head brought nearer to one length, without training."""

from __future__ import annotations

from typing import final

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn

from raretag.options import Options
from raretag.training.second_stage.base import SecondStage
from raretag.training.second_stage.features import Features


class TauNormOptions(Options):
    """Options of `tau-norm`."""

    tau: float = Field(default=0.5, ge=0, le=2, description="0: the head as it is; 1: all rows of length 1")


@final
class TauNorm(SecondStage[TauNormOptions]):
    """z_c ← z_c / ‖w_c‖^τ (Kang et al. 2020, arXiv 1910.09217, section 4), weights and bias alike.

    The bias is not dropped, so τ = 0 is the head as it was. A row of zeros has no length and stays as it is.
    There is no closed form for its prior.
    """

    options_type = TauNormOptions

    def _retrain(self, head: nn.Linear, features: Features, *, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        del features, rng
        weight, bias = head.weight.detach(), head.bias.detach()
        norms = torch.linalg.vector_norm(weight.double(), dim=1)
        factors = torch.where(norms > 0, norms, 1.0).pow(-self.options.tau).float()
        return weight * factors[:, None], bias * factors
