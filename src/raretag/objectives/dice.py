"""Soft Dice and Tversky overlap of every tag with its gold tokens, beside cross-entropy."""

from __future__ import annotations

from typing import final

from pydantic import Field

from raretag.objectives.overlap import Index, Overlap, OverlapOptions


class DiceOptions(OverlapOptions):
    """Options of `dice`."""


class TverskyOptions(OverlapOptions):
    """Options of `tversky`."""

    alpha: float = Field(default=0.3, ge=0, le=2, description="weight of false positives in the index")
    beta: float = Field(default=0.7, ge=0, le=2, description="weight of false negatives in the index")
    exponent: float = Field(
        default=1.0, ge=0.25, le=2, description="power of 1 - index; 0.75 is the focal Tversky loss with gamma 4/3"
    )


@final
class Dice(Overlap[DiceOptions]):
    """CE + λ · mean_c (1 − T_c), T_c = (2 TP_c + 2s) / (S_c + G_c + 2s), over the tags of training, `O` among them.

    The soft Dice loss on counts of the whole set (Milletari et al. 2016, 1606.04797, there with squares below). `O`
    takes part because without it, and but for s, a constant predictor is best off to give `O` nothing; with it the
    empirical probabilities are the optimum.
    """

    options_type = DiceOptions

    def _made_index(self, *, smooth: float) -> Index:
        return Index(alpha=0.5, beta=0.5, smooth=smooth)


@final
class Tversky(Overlap[TverskyOptions]):
    """CE + λ · mean_c (1 − T_c)^e, T_c = (TP_c + s) / (TP_c + α FP_c + β FN_c + s), over the tags of training.

    Salehi et al. 2017, 1706.05721; the exponent is that of the focal Tversky loss (Abraham & Khan 2018, 1810.07842).
    α = β = 1/2 and e = 1 is `dice`. `O` takes part, as there.
    """

    options_type = TverskyOptions

    def _made_index(self, *, smooth: float) -> Index:
        given = self.options
        return Index(alpha=given.alpha, beta=given.beta, smooth=smooth, exponent=given.exponent)
