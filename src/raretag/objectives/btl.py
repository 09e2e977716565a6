"""BTL's loss: cross-entropy on batches of one label against `O`, weighted within the batch or by the corpus."""

from __future__ import annotations

from typing import Literal, final

import numpy as np
import numpy.typing as npt
import torch
from pydantic import Field
from torch import Tensor

from raretag.objectives.base import Array, Objective
from raretag.options import Options


class BTLOptions(Options):
    """Options of `btl`; which windows share a batch, and what becomes of other labels, is the sampler's part."""

    weight: Literal["none", "batch", "global"] = Field(
        default="global", description="w = 1 - share of the tag: none, within each batch, or in the training part"
    )
    reduction: Literal["sum", "weighted-mean"] = Field(
        default="sum", description="sum: sum of w * loss / tokens; weighted-mean: sum of w * loss / sum of w"
    )


@final
class BTL(Objective[BTLOptions]):
    """ℓ = w_y · (−log softmax(z)_y), w_c = 1 − N_c / N (Rehman et al. 2024, arXiv 2409.03238).

    N_c are tokens of tag c in the batch (`batch`) or in the training part (`global`); tags of one label count
    together. A batch with one tag only has no weight to give: w = 1. `batch` weights and the weighted mean are
    defined on whole batches.
    """

    options_type = BTLOptions

    def __init__(
        self, counts: npt.ArrayLike, *, groups: npt.ArrayLike | None = None, options: BTLOptions | None = None
    ) -> None:
        super().__init__(counts, groups=groups, options=options)
        self.whole_batch = self.options.weight == "batch" or self.options.reduction == "weighted-mean"

    def _token_losses(self, logits: Tensor, targets: Tensor) -> Tensor:
        losses = torch.nn.functional.cross_entropy(logits, targets, reduction="none")
        if self.options.weight == "none":
            return losses
        counts = torch.bincount(targets, minlength=len(self.counts)).cpu().numpy().astype(np.float64)
        weights = torch.as_tensor(self._weights(counts[None])[0], dtype=logits.dtype, device=logits.device)[targets]
        if self.options.reduction == "weighted-mean":
            # the caller divides by the number of tokens
            weights = weights * (len(targets) / weights.sum())
        return weights * losses

    def _weights(self, marginals: Array) -> Array:
        """w of every tag in each kind of batch, both (kinds, tags)."""
        if self.options.weight == "none":
            return np.ones_like(marginals)
        source = marginals if self.options.weight == "batch" else np.broadcast_to(self.counts, marginals.shape)
        tied = np.stack([source[:, self.groups == group].sum(axis=1) for group in self.groups], axis=1)
        rest = 1 - tied / np.maximum(source.sum(axis=1, keepdims=True), np.finfo(np.float64).tiny)
        # rounding must not turn "the only tag" into a weight of 1e-17
        rest = np.where(rest < 1e-12, 0.0, rest)
        alone = (rest * marginals).sum(axis=1, keepdims=True) == 0
        return np.where(alone, 1.0, rest)

    def _prior(self, marginals: Array) -> Array:
        """Σ over kinds of batch of their share times w_c m_c, each kind divided by its Σ w m for the weighted mean."""
        shares = marginals.sum(axis=1, keepdims=True)
        within = marginals / np.maximum(shares, np.finfo(np.float64).tiny)
        mass = self._weights(within) * within
        if self.options.reduction == "weighted-mean":
            mass = mass / np.maximum(mass.sum(axis=1, keepdims=True), np.finfo(np.float64).tiny)
        return np.asarray((shares * mass).sum(axis=0))

    def _population_loss(self, logits: Tensor, marginals: Tensor) -> Tensor:
        mass = torch.from_numpy(self._prior(marginals.numpy()))
        return -(mass * torch.log_softmax(logits, dim=-1)).sum()
