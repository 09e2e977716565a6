"""The self-adjusting Dice loss beside cross-entropy: an overlap of every single token, easy tokens weighing less."""

from __future__ import annotations

from typing import Final, final

import torch
from pydantic import Field
from torch import Tensor

from raretag.objectives.base import Objective
from raretag.options import Options

# stands for the log of 0: finite, also times a strength
LOG_ZERO: Final = -1e30


class SelfAdjustingDiceOptions(Options):
    """Options of `self-adjusting-dice`."""

    strength: float = Field(default=1.0, ge=0, le=10, description="weight of the Dice part; 0: cross-entropy alone")
    cross_entropy: float = Field(
        default=1.0, ge=0, le=1, description="weight of the cross-entropy part; 0: the Dice alone, which collapses"
    )
    alpha: float = Field(default=0.01, ge=0, le=2, description="power of 1 - p that makes easy tokens weigh less")
    smooth: float = Field(default=1.0, gt=0, le=100, description="added to numerator and denominator of each token")


@final
class SelfAdjustingDice(Objective[SelfAdjustingDiceOptions]):
    """ℓ = κ · CE + λ · Σ_k [1 − (2 q_k y_k + s) / (q_k + y_k + s)], q_k = (1 − p_k)^α p_k, over the tags of training.

    Li et al. 2020, 1911.02855, who use the sum alone and on binary heads; here each tag of the softmax is such a head.
    Over many tags the sum alone has almost no gradient where p_y is small, so that training ends at `O` everywhere:
    cross-entropy carries it. A schema of one tag leaves nothing to learn, and the loss is 0.
    """

    options_type = SelfAdjustingDiceOptions

    def _token_losses(self, logits: Tensor, targets: Tensor) -> Tensor:
        if logits.shape[-1] == 1:
            return 0 * logits[:, 0]
        alpha, smooth = self.options.alpha, self.options.smooth
        adjusted = (torch.log_softmax(logits, dim=-1) + alpha * log_complement(logits)).exp()
        gold = torch.nn.functional.one_hot(targets, logits.shape[-1]).to(logits.dtype)
        # as one fraction, so that what is near 0 keeps its digits
        losses = (adjusted + gold - 2 * adjusted * gold) / (adjusted + gold + smooth)
        counted = gold.bool() | torch.as_tensor(self.seen, device=logits.device)
        dice = torch.where(counted, losses, 0.0).sum(dim=-1)
        cross_entropy = torch.nn.functional.cross_entropy(logits, targets, reduction="none")
        return self.options.cross_entropy * cross_entropy + self.options.strength * dice


def log_complement(logits: Tensor) -> Tensor:
    """log(1 − softmax(z)_k), (tokens, tags), precise also where the probability rounds to 1."""
    top = logits.argmax(dim=-1, keepdim=True)
    others = torch.logsumexp(logits.scatter(-1, top, LOG_ZERO), dim=-1, keepdim=True)
    probabilities = torch.softmax(logits, dim=-1)
    # every other tag has at most one half; at the top a harmless value takes its place
    rest = torch.log1p(-probabilities.scatter(-1, top, 0.0))
    return rest.scatter(-1, top, others - torch.logsumexp(logits, dim=-1, keepdim=True))
