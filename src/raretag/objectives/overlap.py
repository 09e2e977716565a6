"""Losses of a whole set (Dice, Tversky, F1) as sums over tokens: linearised at running counts."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Final, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from pydantic import Field
from torch import Tensor

from raretag.objectives.base import Array, Objective
from raretag.objectives.running import RunningMean
from raretag.options import Options

# keeps the slope of a power below 1 finite where an index is 1
GAP: Final = 1e-3


class Index(NamedTuple):
    """T = (TP + s) / (TP + α FP + β FN + s) of each class, and the loss mean_c (1 − T_c)^e.

    Counts are (3, classes): TP = Σ p y, S = Σ p and G = Σ y, a token; FP = S − TP and FN = G − TP. For e below 1 the
    power is (1 − T + 10⁻³)^e − 10⁻³^e, whose slope stays finite.
    """

    alpha: float
    beta: float
    smooth: float
    exponent: float = 1.0

    def _denominator(self, counts: Tensor) -> Tensor:
        found, predicted, gold = counts
        below: Tensor = (1 - self.alpha - self.beta) * found + self.alpha * predicted + self.beta * gold + self.smooth
        return below

    @property
    def _offset(self) -> float:
        return GAP if self.exponent < 1 else 0.0

    def _gap(self, counts: Tensor) -> Tensor:
        return 1 - (counts[0] + self.smooth) / self._denominator(counts) + self._offset

    def loss(self, counts: Tensor) -> Tensor:
        """The loss, a scalar; 0 without any class."""
        losses: Tensor = self._gap(counts) ** self.exponent - self._offset**self.exponent
        return losses.sum() / max(counts.shape[1], 1)

    def slopes(self, counts: Tensor) -> tuple[Tensor, Tensor]:
        """∂loss/∂TP and ∂loss/∂S, each (classes,)."""
        below = self._denominator(counts)
        above = counts[0] + self.smooth
        outer = -self.exponent * self._gap(counts) ** (self.exponent - 1) / below**2 / max(counts.shape[1], 1)
        return outer * (below - (1 - self.alpha - self.beta) * above), outer * -self.alpha * above


class OverlapOptions(Options):
    """Options that all losses of overlap share."""

    strength: float = Field(default=1.0, ge=0, le=10, description="weight of the overlap part; 0: cross-entropy alone")
    cross_entropy: float = Field(
        default=1.0,
        ge=0,
        le=1,
        description="weight of the cross-entropy part; 0: the overlap alone, which may collapse",
    )
    smooth: float = Field(
        default=0.1,
        ge=1e-3,
        le=10,
        description="pseudo-count of each class, as a share of all tokens / classes; a token pulls at most 1 / smooth",
    )
    decay: float = Field(default=0.99, ge=0, lt=1, description="how much of the running counts a batch leaves in place")


OptionsT = TypeVar("OptionsT", bound=OverlapOptions)


class Overlap(Objective[OptionsT]):
    """ℓ_t = κ · (−log p_y) + λ · [L + Σ_c ∂L/∂TP_c · (p_c y_c − TP_c) + ∂L/∂S_c · (p_c − S_c)].

    L is the loss of an `Index` at the running counts TP, S, G: decaying means over batches, because one batch holds few
    of the labels. Its first-order expansion is a sum over tokens, so that neither accumulation nor the number of
    processes matters. In the beginning S = G = π and half of each class is found.
    """

    def __init__(
        self, counts: npt.ArrayLike, *, groups: npt.ArrayLike | None = None, options: OptionsT | None = None
    ) -> None:
        super().__init__(counts, groups=groups, options=options)
        self._classes = self._memberships()
        self._index = self._made_index(smooth=self.options.smooth / max(len(self._classes), 1))
        gold = self._classes @ self.prior
        self._counts = RunningMean(np.stack([gold / 2, gold, gold]), decay=self.options.decay)

    def _memberships(self) -> Array:
        """1.0 where a tag is of a class, float64 (classes, tags); by itself every tag of training is a class."""
        return np.asarray(np.eye(len(self.counts))[self.seen])

    @abstractmethod
    def _made_index(self, *, smooth: float) -> Index:
        """The index with its weights; smooth: s, per token."""

    def advance(self, progress: float) -> None:
        """A new batch begins."""
        del progress
        self._counts.forget_parts()

    def state_dict(self) -> dict[str, Tensor]:
        """The running counts."""
        return self._counts.state_dict()

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go on from running counts."""
        self._counts.load_state_dict(state)

    def _token_losses(self, logits: Tensor, targets: Tensor) -> Tensor:
        log_probabilities = torch.log_softmax(logits, dim=-1)
        counts = self._counts.value(logits)
        by_found, by_predicted = self._index.slopes(counts)
        predicted, gold = self._by_class(log_probabilities, targets)
        overlap = (
            self._index.loss(counts)
            + (predicted * gold - counts[0]) @ by_found
            + (predicted - counts[1]) @ by_predicted
        )
        cross_entropy = torch.nn.functional.nll_loss(log_probabilities, targets, reduction="none")
        return self.options.cross_entropy * cross_entropy + self.options.strength * overlap

    def _by_class(self, log_probabilities: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Predicted and true membership of each token in each class, both (tokens, classes)."""
        classes = torch.as_tensor(self._classes.T, dtype=log_probabilities.dtype, device=log_probabilities.device)
        return log_probabilities.exp() @ classes, classes[targets]

    def _observe(self, logits: Tensor, targets: Tensor, *, items: int) -> None:
        predicted, gold = self._by_class(torch.log_softmax(logits, dim=-1), targets)
        sums = torch.stack([(predicted * gold).sum(dim=0), predicted.sum(dim=0), gold.sum(dim=0)])
        self._counts.add(sums, tokens=len(targets), items=items)

    def _population_loss(self, logits: Tensor, marginals: Tensor) -> Tensor:
        mass = marginals.sum(dim=0)
        log_probabilities = torch.log_softmax(logits, dim=-1)
        classes = torch.from_numpy(self._classes)
        predicted, gold = classes @ log_probabilities.exp(), classes @ mass
        overlap = self._index.loss(torch.stack([predicted * gold, predicted, gold]))
        return -self.options.cross_entropy * (mass * log_probabilities).sum() + self.options.strength * overlap
