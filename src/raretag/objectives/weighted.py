"""Weighted cross-entropy of the power family: w_y · (−log p_y) with w falling in the label's count."""

from __future__ import annotations

from typing import final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from raretag.objectives.base import Objective


def power_weights(
    counts: npt.ArrayLike, *, groups: npt.ArrayLike | None = None, gamma: float = 0.5, cap: float = 10.0
) -> npt.NDArray[np.float64]:
    """w_c = min(n_c^{−γ} / min_j n_j^{−γ}, cap), scaled to Σ_c n_c w_c = Σ_c n_c; float64 (tags,).

    counts: training tokens of each tag (tags,). groups: int (tags,), equal numbers share the weight of their
    summed count (B and I of a label; None: every tag alone). gamma: 0 unweighted, 0.5 inverse square root, 1 inverse.
    cap: largest ratio of a weight to the smallest, >= 1. Tags without a training token get weight 0.
    The scale keeps the mean loss of a training token where cross-entropy has it, so learning rates stay comparable.
    Raises ValueError for a gamma below 0, a cap below 1, groups that do not fit, or counts without a number above 0.
    """
    if gamma < 0 or cap < 1:
        raise ValueError(f"gamma must be >= 0 and cap >= 1, not gamma={gamma} and cap={cap}")
    n = np.asarray(counts, dtype=np.float64)
    names = np.arange(len(n)) if groups is None else np.asarray(groups)
    if names.shape != n.shape or not (n > 0).any():
        raise ValueError(f"counts {n.shape} need a number above 0, and groups {names.shape} one entry a tag")
    group_counts = np.array([n[names == name].sum() for name in names])
    seen = n > 0
    weights = np.zeros_like(n)
    weights[seen] = np.minimum((group_counts[seen] / group_counts[seen].max()) ** -gamma, cap)
    return np.asarray(weights * n.sum() / (n * weights).sum())


@final
class Weighted(Objective):
    """ℓ = w_y · (−log softmax(z)_y) with the weights of `power_weights`.

    Its optimum has Σ_t w_{y_t} p_k(x_t) = w_k n_k: it moves the prior to w_k n_k / Σ w n, which `effective_prior` says.
    """

    def __init__(
        self,
        counts: npt.ArrayLike,
        *,
        groups: npt.ArrayLike | None = None,
        gamma: float = 0.5,
        cap: float = 10.0,
    ) -> None:
        super().__init__(counts)
        self.weights = power_weights(self.counts, groups=groups, gamma=gamma, cap=cap)

    def _token_losses(self, logits: Tensor, targets: Tensor) -> Tensor:
        weights = torch.as_tensor(self.weights, dtype=logits.dtype, device=logits.device)
        return weights[targets] * torch.nn.functional.cross_entropy(logits, targets, reduction="none")

    def effective_prior(self) -> npt.NDArray[np.float64]:
        """w_k n_k / Σ w n, float64 (tags,)."""
        mass = self.weights * self.counts
        return np.asarray(mass / mass.sum())
