"""Label smoothing: a part of each target is given to all tags, evenly or by how frequent they are."""

from __future__ import annotations

from typing import Literal, final

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from raretag.objectives.base import Array, Objective
from raretag.options import Options


class LabelSmoothingOptions(Options):
    """Options of `label-smoothing`."""

    epsilon: float = Field(default=0.1, ge=0, lt=1, description="part of a target that is given away")
    towards: Literal["uniform", "prior"] = Field(
        default="uniform", description="to all seen tags evenly, or by their shares of the smoothed training tokens"
    )
    entities_only: bool = Field(default=False, description="leave targets O as they are")


@final
class LabelSmoothing(Objective[LabelSmoothingOptions]):
    """ℓ = (1 − ε)(−log p_y) + ε Σ_k u_k (−log p_k), u over the seen tags (Szegedy et al. 2016, arXiv 1512.00567).

    "uniform" flattens the prior towards 1 / seen tags. "prior" takes from every tag what it gives back, so the
    marginals are kept: u_k = n_k / Σ n over the tags that are smoothed (without O for `entities_only`).
    """

    options_type = LabelSmoothingOptions

    @property
    def _smoothed(self) -> Array:
        """1 for tags whose tokens are smoothed, else 0, (tags,)."""
        return np.where(np.arange(len(self.counts)) == 0, float(not self.options.entities_only), 1.0)

    @property
    def _shares(self) -> Array:
        """u, (tags,); 0 where training holds no token to smooth."""
        source = self.seen.astype(np.float64) if self.options.towards == "uniform" else self.counts * self._smoothed
        return np.asarray(source / max(source.sum(), np.finfo(np.float64).tiny))

    def _token_losses(self, logits: Tensor, targets: Tensor) -> Tensor:
        losses = -torch.log_softmax(logits, dim=-1)
        epsilon = torch.as_tensor(self.options.epsilon * self._smoothed, dtype=logits.dtype, device=logits.device)
        given = epsilon[targets]
        own = losses.gather(-1, targets[:, None])[:, 0]
        # only seen columns: 0 · inf is not 0
        seen = torch.as_tensor(np.flatnonzero(self.seen), device=logits.device)
        shares = torch.as_tensor(self._shares[self.seen], dtype=logits.dtype, device=logits.device)
        return (1 - given) * own + given * (losses[:, seen] @ shares)

    def _prior(self, marginals: Array) -> Array:
        mass = marginals.sum(axis=0)
        given = self.options.epsilon * self._smoothed * mass
        return np.asarray(mass - given + given.sum() * self._shares)
