"""Objectives made of others: regularisers added to one, and one that takes over from another late in training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, final

import torch
from torch import Tensor

from raretag.objectives.base import Array, Objective
from raretag.options import Options


class _OfParts(Objective[Options]):
    """An objective made of others: all of them hear, take note and are kept."""

    def __init__(self, parts: Sequence[Objective[Any]], *, like: Objective[Any]) -> None:
        super().__init__(like.counts, groups=like.groups)
        self.parts = tuple(parts)
        self.whole_batch = any(part.whole_batch for part in self.parts)
        self.sequential = any(part.sequential for part in self.parts)
        self.prior_is_unique = like.prior_is_unique

    def advance(self, progress: float) -> None:
        """Tell the parts."""
        for part in self.parts:
            part.advance(progress)

    def state_dict(self) -> dict[str, Tensor]:
        """Statistics of all parts, each under its number."""
        return {
            f"{number}.{key}": value
            for number, part in enumerate(self.parts)
            for key, value in part.state_dict().items()
        }

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go on from what `state_dict` gave."""
        for number, part in enumerate(self.parts):
            start = f"{number}."
            part.load_state_dict(
                {key.removeprefix(start): value for key, value in state.items() if key.startswith(start)}
            )

    def _observe(self, logits: Tensor, targets: Tensor, *, items: int) -> None:
        for part in self.parts:
            part._observe(logits, targets, items=items)


@final
class Combined(_OfParts):
    """ℓ = ℓ₀ + Σ_i R_i: an objective and the regularisers added to it; each carries its own strength."""

    def __init__(self, first: Objective[Any], added: Sequence[Objective[Any]]) -> None:
        super().__init__((first, *added), like=first)

    def _token_losses(self, logits: Tensor, targets: Tensor) -> Tensor:
        return torch.stack([part._token_losses(logits, targets) for part in self.parts]).sum(dim=0)

    def _window_losses(self, logits: Tensor, tags: Tensor, kept: Tensor) -> Tensor:
        return torch.stack([part._window_losses(logits, tags, kept) for part in self.parts]).sum(dim=0)

    def _population_loss(self, logits: Tensor, marginals: Tensor) -> Tensor:
        return torch.stack([part._population_loss(logits, marginals) for part in self.parts]).sum()


@final
class Deferred(_OfParts):
    """`before` until the share `start` of all steps is done, `after` from then on (DRW of Cao et al. 2019).

    Running statistics of `after` are kept from the first step. The effective prior is that of `after`.
    Training raises ValueError where nobody calls `advance`: it would be `before` for ever.
    """

    def __init__(self, before: Objective[Any], after: Objective[Any], *, start: float) -> None:
        """start: in [0, 1]."""
        super().__init__((before, after), like=after)
        self.start = start
        self._now = before if start > 0 else after
        self._told = start == 0

    def advance(self, progress: float) -> None:
        """Hand over where it is time, and tell both."""
        self._told = True
        self._now = self.parts[progress >= self.start]
        super().advance(progress)

    def _token_losses(self, logits: Tensor, targets: Tensor) -> Tensor:
        return self._now._token_losses(logits, targets)

    def _window_losses(self, logits: Tensor, tags: Tensor, kept: Tensor) -> Tensor:
        return self._now._window_losses(logits, tags, kept)

    def _observe(self, logits: Tensor, targets: Tensor, *, items: int) -> None:
        if not self._told:
            raise ValueError(
                "a loss with a start must hear how far training is: "
                "add ObjectiveState(loss) of raretag.training to the Trainer's callbacks"
            )
        super()._observe(logits, targets, items=items)

    def _prior(self, marginals: Array) -> Array:
        return self.parts[1]._prior(marginals)

    def _population_loss(self, logits: Tensor, marginals: Tensor) -> Tensor:
        return self.parts[1]._population_loss(logits, marginals)
