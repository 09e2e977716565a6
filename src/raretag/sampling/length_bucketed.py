"""Every window once an epoch, in batches of about equal length."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import numpy as np

from raretag.options import Options
from raretag.sampling.base import WindowSampler
from raretag.sampling.packing import bucket


@final
class LengthBucketed(WindowSampler[Options]):
    """Each window once an epoch; windows of about equal length share a batch, so that little of it is padding."""

    def _batches(self, epoch: int, rng: np.random.Generator) -> Sequence[list[int]]:
        del epoch
        return [batch.tolist() for batch in bucket(self.windows.lengths, batches=self.batches_in_epoch, rng=rng)]
