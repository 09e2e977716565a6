"""Asymmetric loss: each tag a yes-or-no question, whose easy negatives count for little."""

from __future__ import annotations

from typing import final

import torch
from pydantic import Field
from torch import Tensor

from raretag.objectives.base import Objective
from raretag.options import Options


class AsymmetricOptions(Options):
    """Options of `asymmetric`."""

    gamma_positive: float = Field(default=0.0, ge=0, le=10, description="focusing on the true tag; 0 keeps its -log p")
    gamma_negative: float = Field(default=4.0, ge=0, le=10, description="focusing on the other tags")
    margin: float = Field(
        default=0.05, ge=0, le=1, description="probability that another tag may have at no cost; 1 leaves them all out"
    )


@final
class Asymmetric(Objective[AsymmetricOptions]):
    """ℓ = (1 − p_y)^{γ+} (−log p_y) + Σ_{j ≠ y} q_j^{γ−} (−log(1 − q_j)), q = max(p − m, 0), p = softmax(z).

    The multi-label loss of Ridnik et al. 2021 (arXiv 2009.14119) on the questions "is it tag j?" of all tags that
    training has seen. γ+ is 0 by default: a positive of a rare tag is what is scarce, and must not be damped. The
    negatives act by themselves: a wrong tag costs more when it alone holds the probability than when many share it.
    """

    options_type = AsymmetricOptions

    def _token_losses(self, logits: Tensor, targets: Tensor) -> Tensor:
        chosen, tiny = self.options, torch.finfo(logits.dtype).tiny
        log_p = torch.log_softmax(logits, dim=-1)
        own = -log_p.gather(-1, targets[:, None])[:, 0]
        # powers below 1 have no slope at 0, so a 0 must not reach them
        positive = (-torch.expm1(-own)).clamp(min=tiny) ** chosen.gamma_positive * own

        shifted = (log_p.exp() - chosen.margin).clamp(min=0)
        costs = shifted.clamp(min=tiny) ** chosen.gamma_negative * -self._log_not(log_p, shifted)
        negative = (
            torch.as_tensor(self.seen, device=logits.device).expand_as(costs).scatter(-1, targets[:, None], False)
        )
        return positive + torch.where(negative, costs, 0).sum(dim=-1)

    def _log_not(self, log_p: Tensor, shifted: Tensor) -> Tensor:
        """log(1 − q), (tokens, tags), also where p rounds to 1: only the likeliest tag can have q above one half."""
        top = log_p.argmax(dim=-1, keepdim=True)
        rest = log_p.scatter(-1, top, torch.finfo(log_p.dtype).min).logsumexp(dim=-1, keepdim=True)
        margin = torch.tensor(self.options.margin, dtype=log_p.dtype, device=log_p.device)
        return torch.where(shifted > 0.5, torch.logaddexp(rest, margin.log()), torch.log1p(-shifted.clamp(max=0.5)))
