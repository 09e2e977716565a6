"""Soft macro-F1 over labels, beside cross-entropy: the measure that is reported, made differentiable."""

from __future__ import annotations

from typing import final

import numpy as np

from raretag.objectives.base import Array
from raretag.objectives.overlap import Index, Overlap, OverlapOptions


class SoftMacroF1Options(OverlapOptions):
    """Options of `soft-macro-f1`."""


@final
class SoftMacroF1(Overlap[SoftMacroF1Options]):
    """κ · CE + λ · [1 − mean over labels of (2 TP + 2s) / (S + G + 2s)], with p of a label the sum over its tags.

    Bénédict et al. 2021, 2108.10566 (sigmoidF1), here on a softmax and on running counts. `O` is no label, as in the
    measure; the F1 part alone (κ = 0) therefore teaches a constant predictor to predict no `O` at all.
    """

    options_type = SoftMacroF1Options

    def _memberships(self) -> Array:
        labels = np.unique(self.groups[self.seen & (self.groups != self.groups[0])])
        return np.asarray(self.groups[None, :] == labels[:, None], dtype=np.float64)

    def _made_index(self, *, smooth: float) -> Index:
        return Index(alpha=0.5, beta=0.5, smooth=smooth)
