"""Repeat-factor sampling: windows of rare labels come more often, all others alike."""

from __future__ import annotations

from typing import final

import numpy as np
from pydantic import Field

from raretag.options import Options
from raretag.sampling.marginals import Array
from raretag.sampling.resampled import Resampled


class RepeatFactorOptions(Options):
    """Options of `repeat-factor`."""

    threshold: float = Field(
        default=0.02, gt=0, le=1, description="t: labels in a smaller share of the windows than this come more often"
    )


@final
class RepeatFactor(Resampled[RepeatFactorOptions]):
    """r_w ∝ max over its labels c of max(1, √(t / f_c)), f_c the share of windows that hold c; 1 without any label.

    Gupta, Dollár & Girshick 2019 (LVIS), arXiv 1908.03195.
    """

    options_type = RepeatFactorOptions

    def _weights(self, epoch: int) -> Array:
        del epoch
        held = self.windows.label_counts > 0
        shares = np.maximum(held.mean(axis=0), 1 / len(held))
        repeats = np.maximum(1.0, np.sqrt(self.options.threshold / shares))
        return np.asarray(np.where(held, repeats, 1.0).max(axis=1, initial=1.0))
