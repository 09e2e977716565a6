"""Every window once an epoch, in random order, whatever its length."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import numpy as np

from raretag.options import Options
from raretag.sampling.base import WindowSampler
from raretag.sampling.packing import divide


@final
class RandomOrder(WindowSampler[Options]):
    """Each window once an epoch; any windows may share a batch.

    As many batches as any other sampler makes, cut where their padded sizes stay smallest. Short windows are padded
    to the longest beside them, so batches are larger than the budget: at most ⌈windows / batches⌉ times the longest.
    """

    def _batches(self, epoch: int, rng: np.random.Generator) -> Sequence[list[int]]:
        del epoch
        order = rng.permutation(len(self.windows))
        pieces = divide(self.windows.lengths[order], batches=self.batches_in_epoch)
        return [order[piece].tolist() for piece in pieces]
