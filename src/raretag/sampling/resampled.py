"""Samplers that visit some windows more often than others, at the cost of a plain epoch."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import final

import numpy as np

from raretag.sampling.base import OptionsT, WindowSampler
from raretag.sampling.marginals import Array, Kind
from raretag.sampling.packing import bucket
from raretag.sampling.systematic import systematic


class Resampled(WindowSampler[OptionsT]):
    """Each window as often as expected, rounded down or up; windows of about equal length share a batch.

    Subclasses give a weight to each window; the visits r_w ∝ weight are scaled to the tokens of a plain epoch,
    Σ r_w length_w = Σ length_w (up to half a window, so that the number of draws is whole). Copies of a window are of
    one length, so they fall into the same few batches: with few rare windows and many visits a batch may hold many.
    """

    @final
    def expected_visits(self, epoch: int) -> Array:
        """r, float64 (windows,): how often each window comes in an epoch on average."""
        weights = self._weights(epoch)
        lengths = self.windows.lengths
        draws = round(float(weights.sum() * (lengths.sum() / (weights @ lengths))))
        # where only few long windows would come, each batch still needs one
        return np.asarray(weights * (max(draws, self.batches_in_epoch) / weights.sum()))

    @abstractmethod
    def _weights(self, epoch: int) -> Array:
        """How often each window is to come, up to a factor: float64 (windows,), > 0."""

    @final
    def _batches(self, epoch: int, rng: np.random.Generator) -> Sequence[list[int]]:
        drawn = systematic(self.expected_visits(epoch), seed=self.budget.seed, epoch=epoch)
        found = bucket(self.windows.lengths[drawn], batches=self.batches_in_epoch, rng=rng)
        return [drawn[batch].tolist() for batch in found]

    @final
    def _kinds(self) -> Sequence[Kind]:
        return [Kind(1.0, self._weights(self.budget.epochs - 1), 0)]
