"""One sampler first, another from a share of the steps on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, final

import numpy as np

from raretag.options import Options
from raretag.sampling.base import WindowSampler
from raretag.sampling.draw import Draw
from raretag.sampling.marginals import Array, Kind
from raretag.sampling.windows import Integers


@final
class Deferred(WindowSampler[Options]):
    """The batches of `before` until the share `start` of all steps is done, then those of `after`.

    The change may fall into the middle of an epoch, whose first batches are then of the one and whose last are of
    the other. Draws carry as `stage` which of the two made them (0, 1), and each is asked for the targets of its own.
    Marginals are those of `after`, where training ends (as deferred re-weighting; Cao 2019, arXiv 1906.07413).
    """

    def __init__(self, before: WindowSampler[Any], after: WindowSampler[Any], *, start: float) -> None:
        """start: 0 <= start < 1. Raises ValueError for another, and for samplers of other windows or budgets."""
        if not 0 <= start < 1:
            raise ValueError(f"start must be a share of the steps, 0 <= start < 1, not {start}")
        if before.windows is not after.windows or before.budget != after.budget:
            raise ValueError("samplers that follow one another must have the same windows and the same budget")
        if isinstance(before, Deferred) or isinstance(after, Deferred):
            raise ValueError("a sampler is deferred once, not twice")
        super().__init__(after.windows, budget=after.budget)
        self.before = before
        self.after = after
        self.start = start

    def targets(self, tags: Integers, draw: int) -> Integers:
        """What the sampler that made the draw says."""
        return (self.after if Draw.of(draw).stage else self.before).targets(tags, draw)

    def _batches(self, epoch: int, rng: np.random.Generator) -> Sequence[list[int]]:
        del rng
        change = math.ceil(self.start * self.budget.epochs * self.batches_in_epoch) - epoch * self.batches_in_epoch
        first = min(max(change, 0), self.batches_in_epoch)
        earlier = self.before.epoch_batches(epoch)[:first] if first else []
        later = self.after.epoch_batches(epoch)[first:] if first < self.batches_in_epoch else []
        return [*_at(earlier, stage=0), *_at(later, stage=1)]

    def _last_batches(self) -> Sequence[list[int]]:
        return self.after._last_batches()

    def _kinds(self) -> Sequence[Kind]:
        return self.after._kinds()

    def _kept(self, counts: Array, focus: int) -> Array:
        return self.after._kept(counts, focus)

    def _kept_by_label(self, counts: Array, focus: int) -> Array:
        return self.after._kept_by_label(counts, focus)


def _at(batches: Sequence[list[int]], *, stage: int) -> list[list[int]]:
    """The draws with the stage at which they are made."""
    return [[_staged(Draw.of(one), stage) for one in batch] for batch in batches]


def _staged(draw: Draw, stage: int) -> Draw:
    return Draw(int(draw), focus=draw.focus, visit=draw.visit, stage=stage)
