"""Cross-entropy: −log p_y, the maximum-likelihood loss, whose optimum keeps the empirical probabilities."""

from __future__ import annotations

from typing import final

import numpy as np
import torch
from torch import Tensor

from raretag.objectives.base import Array, Objective
from raretag.options import Options


@final
class CrossEntropy(Objective[Options]):
    """ℓ = −log softmax(z)_y. With a free bias its optimum has Σ_t p_k(x_t) = n_k for every tag k."""

    def _token_losses(self, logits: Tensor, targets: Tensor) -> Tensor:
        return torch.nn.functional.cross_entropy(logits, targets, reduction="none")

    def _prior(self, marginals: Array) -> Array:
        return np.asarray(marginals.sum(axis=0))
