"""Logit adjustment and balanced softmax: the prior is put into the logits, so that the model need not learn it."""

from __future__ import annotations

from abc import abstractmethod
from typing import Final, TypeVar, final

import numpy as np
import numpy.typing as npt
import torch
from pydantic import Field
from torch import Tensor

from raretag.objectives.base import Array, Objective
from raretag.objectives.tying import tied
from raretag.options import Options

# the shift of a tag that training never saw: its probability and gradient are exactly 0, and nothing is infinite
UNSEEN_SHIFT: Final = -1e4


class LogitAdjustmentOptions(Options):
    """Options of `logit-adjusted`."""

    tau: float = Field(default=0.3, ge=0, le=2, description="strength among labels; 1: balanced labels, 0: none")
    tau_outside: float | None = Field(
        default=None, ge=0, le=2, description="strength between O and all labels together; null: as tau"
    )
    tie: bool = Field(default=True, description="whether the tags of a label share its count, or each has its own")


OptionsT = TypeVar("OptionsT", bound=Options)


class Shifted(Objective[OptionsT]):
    """ℓ = −log softmax(z + a)_y with shifts a, finite float64 (tags,)."""

    def __init__(
        self, counts: npt.ArrayLike, *, groups: npt.ArrayLike | None = None, options: OptionsT | None = None
    ) -> None:
        super().__init__(counts, groups=groups, options=options)
        self.shifts = self._made_shifts()

    @abstractmethod
    def _made_shifts(self) -> Array:
        """The shifts a."""

    def _token_losses(self, logits: Tensor, targets: Tensor) -> Tensor:
        shifts = torch.as_tensor(self.shifts, dtype=logits.dtype, device=logits.device)
        return torch.nn.functional.cross_entropy(logits + shifts, targets, reduction="none")

    def _prior(self, marginals: Array) -> Array:
        """m / exp(a)."""
        return normalised(log_or_floor(marginals.sum(axis=0)) - self.shifts, where=marginals.sum(axis=0) > 0)


@final
class LogitAdjustment(Shifted[LogitAdjustmentOptions]):
    """ℓ = −log softmax(z + a)_y, a = τ_outside · log P(O, or any label) + τ · log P(label | any label).

    Menon et al. 2021, 2007.07314, with the strength split in two: O has a = τ_outside · log π_O, the tags of a label
    a = τ_outside · log(1 − π_O) + τ · log π(label | any label). With one τ that is a = τ · log π. Prediction uses z.
    """

    options_type = LogitAdjustmentOptions

    def _made_shifts(self) -> Array:
        tau = self.options.tau
        outside = tau if self.options.tau_outside is None else self.options.tau_outside
        return split_log_prior(
            self.counts, self.groups if self.options.tie else np.arange(len(self.counts)), tau=tau, tau_outside=outside
        )


@final
class BalancedSoftmax(Shifted[Options]):
    """ℓ = −log (n_y e^{z_y} / Σ_j n_j e^{z_j}), each tag with its own count (Ren et al. 2020, 2007.10740)."""

    def _made_shifts(self) -> Array:
        return split_log_prior(self.counts, np.arange(len(self.counts)), tau=1.0, tau_outside=1.0)


def split_log_prior(counts: Array, groups: npt.NDArray[np.int64], *, tau: float, tau_outside: float) -> Array:
    """The shifts of `LogitAdjustment`, float64 (tags,); tags of a group share its count; unseen tags get −10⁴.

    With both strengths 0 every shift is 0, also that of an unseen tag.
    """
    if tau == 0 and tau_outside == 0:
        return np.zeros(len(counts))
    inside = groups != groups[0]
    entities = counts[inside].sum()
    sides = log_or_floor(np.where(inside, entities, counts.sum() - entities) / counts.sum())
    within = np.where(inside, log_or_floor(tied(counts, groups) / (entities or 1.0)), 0.0)
    return np.where(counts > 0, tau_outside * sides + tau * within, UNSEEN_SHIFT)


def log_or_floor(values: Array) -> Array:
    """log of numbers >= 0, with that of 0 a finite stand-in."""
    return np.asarray(np.log(np.maximum(values, np.finfo(np.float64).tiny)))


def normalised(logs: Array, *, where: npt.NDArray[np.bool_]) -> Array:
    """softmax over the places `where` holds, 0 elsewhere."""
    powers = np.exp(np.where(where, logs - logs[where].max(), -np.inf))
    return np.asarray(powers / powers.sum())
