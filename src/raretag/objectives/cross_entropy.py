"""Cross-entropy: −log p_y, the maximum-likelihood loss, whose optimum keeps the empirical probabilities."""

from __future__ import annotations

from typing import final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from raretag.objectives.base import Objective


@final
class CrossEntropy(Objective):
    """ℓ = −log softmax(z)_y. With a free bias its optimum has Σ_t p_k(x_t) = n_k for every tag k."""

    def _token_losses(self, logits: Tensor, targets: Tensor) -> Tensor:
        return torch.nn.functional.cross_entropy(logits, targets, reduction="none")

    def effective_prior(self) -> npt.NDArray[np.float64]:
        """n_k / Σ n: the shares of the training tokens, float64 (tags,)."""
        return np.asarray(self.counts / self.counts.sum())
