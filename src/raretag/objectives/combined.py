"""Objectives made of others: regularisers added to one, and one that takes over from another late in training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, final

import torch
from torch import Tensor

from raretag.objectives.base import Array, Objective
from raretag.objectives.options import Options


@final
class Combined(Objective[Options]):
    """ℓ = ℓ₀ + Σ_i R_i: an objective and the regularisers added to it; each carries its own strength."""

    def __init__(self, first: Objective[Any], added: Sequence[Objective[Any]]) -> None:
        super().__init__(first.counts, groups=first.groups)
        self.parts = (first, *added)
        self.whole_batch = any(part.whole_batch for part in self.parts)
        self.sequential = any(part.sequential for part in self.parts)

    def advance(self, progress: float) -> None:
        """Tell the parts."""
        for part in self.parts:
            part.advance(progress)

    def state_dict(self) -> dict[str, Tensor]:
        """Statistics of all parts, each under its number."""
        return _joined(self.parts)

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go on from what `state_dict` gave."""
        _load(self.parts, state)

    def _token_losses(self, logits: Tensor, targets: Tensor) -> Tensor:
        return torch.stack([part._token_losses(logits, targets) for part in self.parts]).sum(dim=0)

    def _window_losses(self, logits: Tensor, tags: Tensor, kept: Tensor) -> Tensor:
        return torch.stack([part._window_losses(logits, tags, kept) for part in self.parts]).sum(dim=0)

    def _observe(self, logits: Tensor, targets: Tensor, *, items: int) -> None:
        for part in self.parts:
            part._observe(logits, targets, items=items)

    def _population_loss(self, logits: Tensor, marginals: Tensor) -> Tensor:
        return torch.stack([part._population_loss(logits, marginals) for part in self.parts]).sum()


@final
class Deferred(Objective[Options]):
    """`before` until the share `start` of all steps is done, `after` from then on (DRW of Cao et al. 2019, sec. 3.4).

    Running statistics of `after` are kept from the first step. The effective prior is that of `after`.
    """

    def __init__(self, before: Objective[Any], after: Objective[Any], *, start: float) -> None:
        """start: in [0, 1]."""
        super().__init__(after.counts, groups=after.groups)
        self.parts = (before, after)
        self.start = start
        self.whole_batch = any(part.whole_batch for part in self.parts)
        self.sequential = any(part.sequential for part in self.parts)
        self._now = before if start > 0 else after

    def advance(self, progress: float) -> None:
        """Hand over where it is time, and tell both."""
        self._now = self.parts[progress >= self.start]
        for part in self.parts:
            part.advance(progress)

    def state_dict(self) -> dict[str, Tensor]:
        """Statistics of all parts, each under its number."""
        return _joined(self.parts)

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go on from what `state_dict` gave."""
        _load(self.parts, state)

    def _token_losses(self, logits: Tensor, targets: Tensor) -> Tensor:
        return self._now._token_losses(logits, targets)

    def _window_losses(self, logits: Tensor, tags: Tensor, kept: Tensor) -> Tensor:
        return self._now._window_losses(logits, tags, kept)

    def _observe(self, logits: Tensor, targets: Tensor, *, items: int) -> None:
        for part in self.parts:
            part._observe(logits, targets, items=items)

    def _prior(self, marginals: Array) -> Array:
        return self.parts[1]._prior(marginals)

    def _population_loss(self, logits: Tensor, marginals: Tensor) -> Tensor:
        return self.parts[1]._population_loss(logits, marginals)


def _joined(parts: Sequence[Objective[Any]]) -> dict[str, Tensor]:
    return {f"{number}.{key}": value for number, part in enumerate(parts) for key, value in part.state_dict().items()}


def _load(parts: Sequence[Objective[Any]], state: Mapping[str, Tensor]) -> None:
    for number, part in enumerate(parts):
        start = f"{number}."
        part.load_state_dict({key.removeprefix(start): value for key, value in state.items() if key.startswith(start)})
