"""MoM: cross-entropy with a second part for the majority, the tokens outside every mention."""

from __future__ import annotations

from typing import final

import numpy as np
from pydantic import Field

from raretag.objectives.base import Array
from raretag.objectives.weighted import Weighted
from raretag.options import Options


class MoMOptions(Options):
    """Options of `mom`."""

    share: float = Field(default=0.5, gt=0, le=1, description="share of plain cross-entropy; 1 leaves nothing else")
    ratio: float = Field(default=1.0, gt=0, description="tokens of a batch per token of the longest sentence")


@final
class MoM(Weighted[MoMOptions]):
    """ℓ = λ (−log p_y) + (1 − λ) (n/M) [y = O] (−log p_y) (Nemoto et al. 2024, arXiv 2401.11431), on cross-entropy.

    The paper's second part is a sum over the O tokens of the batch, divided by M, the tokens of the longest sentence;
    the first a mean over its n tokens. So it is cross-entropy with weight λ + (1 − λ) n/M for O and λ for all others:
    up to the factor λ, O weighs 1 + ((1 − λ) / λ) (n/M).

    n/M is the option `ratio`: read from each batch, it would make the gradient depend on how the batch is cut, and
    give O more weight in batches of many tokens. The optimum predicts more O than there is.
    """

    options_type = MoMOptions

    def _weights(self) -> Array:
        share, outside = self.options.share, np.arange(len(self.counts)) == 0
        return np.where(outside, share + (1 - share) * self.options.ratio, share)
