"""Fewer `O` tokens: every window comes, but of its tokens outside any mention only some are targets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import numpy as np
from pydantic import Field

from raretag.objectives.base import IGNORE_INDEX
from raretag.options import Options
from raretag.sampling.base import WindowSampler
from raretag.sampling.draw import Draw
from raretag.sampling.marginals import Array
from raretag.sampling.packing import bucket
from raretag.sampling.windows import Integers


class OutsideThinningOptions(Options):
    """Options of `outside-thinning`."""

    keep: float = Field(default=0.5, gt=0, le=1, description="probability that a token outside any mention is a target")


@final
class OutsideThinning(WindowSampler[OutsideThinningOptions]):
    """Each window once an epoch, by length; each `O` token is a target with probability `keep`, anew each epoch.

    It adds log `keep` to the log-odds of `O` and leaves labels as they are to each other. Where labels are kept
    apart, a token is `O` when it is outside in every label, and it is then left out in all of them.
    Which tokens are kept depends on (seed, epoch, window) alone; draws carry the epoch as `visit`.
    """

    options_type = OutsideThinningOptions

    def targets(self, tags: Integers, draw: int) -> Integers:
        """`O` tokens that are not kept become −100, in all columns of (tokens, labels)."""
        rng = np.random.default_rng([self.budget.seed, Draw.of(draw).visit, int(draw)])
        dropped = rng.random(len(tags)) >= self.options.keep
        if tags.ndim == 1:
            return np.where(dropped & (tags == 0), IGNORE_INDEX, tags)
        return np.where((dropped & (tags <= 0).all(axis=1))[:, None], IGNORE_INDEX, tags)

    def _batches(self, epoch: int, rng: np.random.Generator) -> Sequence[list[int]]:
        found = bucket(self.windows.lengths, batches=self.batches_in_epoch, rng=rng)
        return [[Draw(window, visit=epoch) for window in batch.tolist()] for batch in found]

    def _kept(self, counts: Array, focus: int) -> Array:
        del focus
        return np.where(self.windows.groups == 0, self.options.keep * counts, counts)

    def _kept_by_label(self, counts: Array, focus: int) -> Array:
        kept = super()._kept_by_label(counts, focus)
        kept[:, 0] -= (1 - self.options.keep) * counts[self.windows.groups == 0].sum()
        return kept
