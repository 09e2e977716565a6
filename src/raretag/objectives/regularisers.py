"""Regularisers: what is asked of predictions whatever the targets are; added to an objective."""

# the signatures are those of every objective
# ruff: noqa: ARG002

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, final

import numpy as np
import numpy.typing as npt
import torch
from pydantic import Field
from torch import Tensor

from raretag.objectives.base import Array, Objective
from raretag.objectives.running import RunningMean
from raretag.options import Options

# a mean prediction counts as no less than this share of the prior, so that a token's pull stays bounded
FLOOR: Final = 0.01


class PriorKLOptions(Options):
    """Options of `prior-kl`."""

    strength: float = Field(default=0.1, ge=0, le=10, description="weight of the divergence")
    decay: float = Field(
        default=0.99, ge=0, lt=1, description="how much of the mean prediction a batch leaves in place"
    )


class LabelProportionOptions(Options):
    """Options of `label-proportion`."""

    strength: float = Field(default=0.1, ge=0, le=10, description="weight of the cross-entropy of proportions")


class ConfidencePenaltyOptions(Options):
    """Options of `confidence-penalty`."""

    strength: float = Field(default=0.1, ge=0, le=10, description="weight of the entropy")


@final
class PriorKL(Objective[PriorKLOptions]):
    """R = λ · KL(π ‖ p̄), p̄ the decaying mean of predictions, π the training shares; linearised at p̄, over seen tags:

        R_t = λ · [KL(π ‖ p̄) − Σ_k (π_k / p̄_k) · (p_k − p̄_k)]

    Expectation regularisation (Mann & McCallum 2007). p̄ counts as no less than π / 100.
    """

    options_type = PriorKLOptions

    def __init__(
        self, counts: npt.ArrayLike, *, groups: npt.ArrayLike | None = None, options: PriorKLOptions | None = None
    ) -> None:
        super().__init__(counts, groups=groups, options=options)
        self._mean = RunningMean(self.prior[None], decay=self.options.decay)

    def advance(self, progress: float) -> None:
        """A new batch begins."""
        del progress
        self._mean.forget_parts()

    def state_dict(self) -> dict[str, Tensor]:
        """The mean prediction."""
        return self._mean.state_dict()

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go on from a mean prediction."""
        self._mean.load_state_dict(state)

    def _token_losses(self, logits: Tensor, targets: Tensor) -> Tensor:
        seen = torch.as_tensor(self.seen, device=logits.device)
        prior = torch.as_tensor(self.prior, dtype=logits.dtype, device=logits.device)[seen]
        mean = self._mean.value(logits)[0, seen]
        floored = torch.maximum(mean, FLOOR * prior)
        divergence = (prior * (prior / floored).log()).sum()
        slopes = prior / floored
        probabilities = torch.softmax(logits, dim=-1)[:, seen]
        return self.options.strength * (divergence - (probabilities - mean) @ slopes)

    def _observe(self, logits: Tensor, targets: Tensor, *, items: int) -> None:
        self._mean.add(torch.softmax(logits, dim=-1).sum(dim=0)[None], tokens=len(targets), items=items)

    def _prior(self, marginals: Array) -> Array:
        """π, if every tag of training may be predicted, whatever the targets are."""
        return np.where(marginals.sum(axis=0) > 0, self.prior, 0.0)

    def _population_loss(self, logits: Tensor, marginals: Tensor) -> Tensor:
        seen = torch.from_numpy(self.seen)
        prior = torch.from_numpy(self.prior)[seen]
        return self.options.strength * (prior * (prior.log() - torch.log_softmax(logits, dim=-1)[seen])).sum()


@final
class LabelProportion(Objective[LabelProportionOptions]):
    """R = −λ · Σ_k π_k log p̄_k of each window, p̄ the mean prediction over its judged tokens, π the training shares.

    Learning from label proportions, with every window a bag; each of its tokens carries the value of the window.
    """

    options_type = LabelProportionOptions
    sequential = True

    def _window_losses(self, logits: Tensor, tags: Tensor, kept: Tensor) -> Tensor:
        rows = kept.reshape(-1, kept.shape[-1])
        # what stands at ignored places may be anything
        known = torch.where(kept[..., None], logits, 0.0).reshape(*rows.shape, -1)
        logs = torch.log_softmax(known, dim=-1).masked_fill(~rows[..., None], -1e30)
        tokens = rows.sum(dim=1)
        means = torch.logsumexp(logs, dim=1) - tokens.clamp(min=1).to(logits.dtype).log()[:, None]
        seen = torch.as_tensor(self.seen, device=logits.device)
        prior = torch.as_tensor(self.prior, dtype=logits.dtype, device=logits.device)[seen]
        values = -self.options.strength * (means[tokens > 0][:, seen] @ prior)
        return values.repeat_interleave(tokens[tokens > 0])

    def _token_losses(self, logits: Tensor, targets: Tensor) -> Tensor:
        """As of one window."""
        return self._window_losses(logits, targets, torch.ones_like(targets, dtype=torch.bool))

    def _prior(self, marginals: Array) -> Array:
        """π, if every tag of training may be predicted, whatever the targets are."""
        return np.where(marginals.sum(axis=0) > 0, self.prior, 0.0)

    def _population_loss(self, logits: Tensor, marginals: Tensor) -> Tensor:
        return -self.options.strength * (torch.from_numpy(self.prior) * torch.log_softmax(logits, dim=-1)).sum()


@final
class ConfidencePenalty(Objective[ConfidencePenaltyOptions]):
    """R = −λ · H(p) = λ · Σ_k p_k log p_k of each token (Pereyra et al. 2017, 1701.06548)."""

    options_type = ConfidencePenaltyOptions

    def _token_losses(self, logits: Tensor, targets: Tensor) -> Tensor:
        logs = torch.log_softmax(logits, dim=-1)
        # a tag that is shut off (−∞) has no part
        return self.options.strength * (logs.exp() * logs.clamp(min=torch.finfo(logs.dtype).min)).sum(dim=-1)
