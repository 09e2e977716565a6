"""Offsets that make predicted shares of tags equal those of the data, in sum or in decisions."""

from __future__ import annotations

from typing import Final, Literal, final

import numpy as np
from pydantic import Field

from raretag.errors import DataError
from raretag.options import Options
from raretag.probability.calibrators.affine import Affine
from raretag.probability.calibrators.base import Array, Calibration, Calibrator, Context, by_tag
from raretag.probability.calibrators.likelihood import (
    curvature,
    expected_counts,
    likeliest_counts,
    minimum,
    negative_log_likelihood,
)
from raretag.probability.calibrators.rows import Bools, Rows, all_rows, judged_rows
from raretag.probability.evidence import Evidence

_FURTHEST: Final = 30.0
# total variation above which shares are not matched
_OFF: Final = 1e-3
_STEPS: Final = 100


class MarginalMatchingOptions(Options):
    """Options of `marginal-matching`."""

    counts: Literal["soft", "hard"] = Field(
        default="soft", description="match sums of probabilities, or counts of the likeliest tags"
    )


@final
class MarginalMatching(Calibrator[MarginalMatchingOptions]):
    """p' = softmax(log p + b) with Σ_t p'_tk = N π_k: b where b_k ← b_k + η log(π_k / π̂_k) stays.

    π: shares of gold where there is gold, else `Context.empirical`. Tags with π = 0 or p = 0 everywhere keep b = 0;
    shares are those among the others. soft: the fixed point is the minimum of the convex
    Σ_t log Σ_k p_tk e^{b_k} − N Σ π_k b_k, found by L-BFGS-B; DataError where no b gives these shares. hard: counts
    are steps, so b is the best of 100 damped steps, η = 1/√step, and equality is only neared. Shares of decisions:
    Zhao et al. 2017 (arXiv 1707.09457); of probabilities: Jia et al. 2020 (arXiv 2005.06251).
    """

    options_type = MarginalMatchingOptions
    calibration_type = Affine
    needs_gold = False

    def _fit(self, evidence: Evidence, *, context: Context) -> Calibration:
        rows = judged_rows(evidence) if evidence.judged.any() else all_rows(evidence)
        shape = rows.z.shape[1:]
        wanted = rows.counts if evidence.judged.any() else context.empirical.reshape(shape).astype(np.float64)
        free = (wanted > 0) & ~rows.shut.all(axis=0)
        wanted = np.where(free, wanted, 0.0)
        # a layer whose tags are all shut or absent has nothing to match
        wanted /= np.maximum(wanted.sum(axis=1, keepdims=True), 1e-300)
        find = _soft if self.options.counts == "soft" else _hard
        biases = find(rows, wanted=wanted, free=free)
        named = by_tag(biases.reshape(evidence.schema.shape), schema=evidence.schema)
        return Affine(biases=named)


def _soft(rows: Rows, *, wanted: Array, free: Bools) -> Array:
    """Offsets (layers, tags) that give the free tags the shares `wanted` of what they have together."""
    among, number, start = rows.among(free), int(free.sum()), np.zeros(free.shape)
    target = expected_counts(among, biases=start).sum(axis=1, keepdims=True) * wanted
    # the likelihood counts the rows' own gold; the wanted counts take its place
    exchange = among.counts - target

    def placed(parameters: Array) -> Array:
        biases = np.zeros(free.shape)
        biases[free] = parameters
        return biases

    def loss(parameters: Array) -> tuple[float, Array]:
        biases = placed(parameters)
        value, _, by_bias = negative_log_likelihood(among, scales=np.ones(free.shape), biases=biases)
        return value + float((exchange * biases).sum()), (by_bias + exchange)[free]

    bounds = [(-_FURTHEST, _FURTHEST)] * number
    found = placed(minimum(loss, start=np.zeros(number), curvatures=curvature(among)[1][free], bounds=bounds))
    off = _distance(expected_counts(among, biases=found), target)
    if off > _OFF:
        raise DataError(
            f"no offsets give these shares of tags: the nearest are {off:.3f} off in total variation",
            remedy="Give more documents, or choose bias-corrected-temperature",
        )
    return found


def _hard(rows: Rows, *, wanted: Array, free: Bools) -> Array:
    """The best offsets (layers, tags) of all that damped steps come by; the first are none at all."""
    biases = np.zeros(free.shape)
    best, least = biases, np.inf
    target = rows.weights.sum(axis=0)[:, None] * wanted
    for step in range(1, _STEPS + 1):
        counts = likeliest_counts(rows, biases=biases)
        off = _distance(counts, target)
        if off < least:
            best, least = biases, off
        # half a token more, for a tag that no token has yet
        change = np.log((target + 0.5) / (counts + 0.5)) / np.sqrt(step)
        biases = np.clip(biases + np.where(free, change, 0.0), -_FURTHEST, _FURTHEST)
    return best


def _distance(counts: Array, target: Array) -> float:
    """Total variation of counts, in parts of all that is wanted."""
    return 0.5 * float(np.abs(counts - target).sum()) / max(float(target.sum()), 1.0)
