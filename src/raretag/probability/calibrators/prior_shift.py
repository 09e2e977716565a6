"""One prior for another: restored from what training taught, or taken out in part."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, final

import numpy as np
import numpy.typing as npt
from pydantic import Field, NonNegativeFloat

from raretag.options import Options
from raretag.probability.calibrators.base import Array, Calibration, Calibrator, Context, by_tag, from_tags
from raretag.probability.calibrators.likelihood import curvature, minimum, negative_log_likelihood
from raretag.probability.calibrators.rows import judged_rows
from raretag.probability.evidence import Evidence
from raretag.probability.prior_restoring import restore_prior
from raretag.tagging import Schema

# how strong an adjustment is looked for
_STRONGEST: Final = 2.0


@final
class PriorShift(Calibration):
    """p' ∝ p · (target / taught)^strength over the tags of a row. Shares by tag; 0 in either shuts the tag."""

    taught: Mapping[str, NonNegativeFloat | Mapping[str, NonNegativeFloat]]
    target: Mapping[str, NonNegativeFloat | Mapping[str, NonNegativeFloat]]
    strength: float = 1.0

    def _apply(self, probabilities: Array, *, hidden: npt.NDArray[Any] | None, schema: Schema) -> Array:
        del hidden
        taught, target = (from_tags(shares, schema=schema) for shares in (self.taught, self.target))
        # as one quotient, for a high or negative power of either by itself could leave the range of numbers
        with np.errstate(divide="ignore", invalid="ignore"):
            shift = self.strength * (np.log(target) - np.log(taught))
        open_ = (taught > 0) & (target > 0)
        odds = np.exp(
            np.where(open_, shift - np.max(shift, axis=-1, keepdims=True, where=open_, initial=-np.inf), -np.inf)
        )
        return restore_prior(probabilities, effective=open_.astype(np.float64), empirical=odds)


@final
class PriorRestore(Calibrator[Options]):
    """p' ∝ p · π / π̃: from the prior that weights and sampling taught to that of the data (`restore_prior`)."""

    calibration_type = PriorShift
    needs_gold = False
    needs_taught_prior = True

    def _fit(self, evidence: Evidence, *, context: Context) -> Calibration:
        return prior_shift(taught=context.effective, target=context.empirical, schema=evidence.schema)


class LogitAdjustmentOptions(Options):
    """Options of `logit-adjustment`."""

    tau: float | None = Field(
        default=None, ge=-2, le=2, description="0: no change; 1: balanced; None: fitted by likelihood in [-2, 2]"
    )


@final
class LogitAdjustment(Calibrator[LogitAdjustmentOptions]):
    """p' ∝ p · π^(−τ), after training (Menon et al. 2021, arXiv 2007.07314); π the training shares, 0 stays shut.

    τ = 1 asks for balanced error, not for probabilities; by likelihood, τ is what prior the probabilities lack.
    """

    options_type = LogitAdjustmentOptions
    calibration_type = PriorShift

    def _fit(self, evidence: Evidence, *, context: Context) -> Calibration:
        seen = context.empirical > 0
        tau = self.options.tau
        if tau is None:
            tau = _likeliest_strength(evidence, taught=context.empirical)
        even = np.where(seen, 1.0, 0.0)
        return prior_shift(taught=context.empirical, target=even, schema=evidence.schema, strength=tau)


def prior_shift(*, taught: Array, target: Array, schema: Schema, strength: float = 1.0) -> PriorShift:
    """From one prior to another, float64 of `schema.shape`, in any unit. Raises ValueError where one is no prior."""
    shares = []
    for prior in (taught, target):
        totals = prior.sum(axis=-1, keepdims=True)
        if prior.shape != schema.shape or not np.isfinite(prior).all() or (prior < 0).any() or not (totals > 0).all():
            raise ValueError(f"a prior needs shares >= 0 of shape {schema.shape}, not all 0, not {prior.tolist()}")
        shares.append(by_tag(prior / totals, schema=schema))
    return PriorShift(taught=shares[0], target=shares[1], strength=strength)


def _likeliest_strength(evidence: Evidence, *, taught: Array) -> float:
    rows = judged_rows(evidence)
    prior = taught.reshape(rows.z.shape[1:])
    rows = rows.among(prior > 0).told_by(prior > 0)
    direction = -np.log(np.where(prior > 0, prior, 1.0))

    def loss(parameters: Array) -> tuple[float, Array]:
        biases = parameters[0] * direction
        value, _, by_bias = negative_log_likelihood(rows, scales=np.ones_like(biases), biases=biases)
        return value, np.array([(by_bias * direction).sum()])

    bend = np.array([(curvature(rows)[1] * direction**2).sum()])
    return float(minimum(loss, start=np.zeros(1), curvatures=bend, bounds=[(-_STRONGEST, _STRONGEST)])[0])
