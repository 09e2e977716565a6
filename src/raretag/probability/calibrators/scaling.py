"""Temperature and its relatives: one sharpness for all, a bias for each tag, or a scale for each as well."""

from __future__ import annotations

from typing import final

from pydantic import Field

from raretag.options import Options
from raretag.probability.calibrators.affine import Affine, fit_affine
from raretag.probability.calibrators.base import Calibration, Calibrator, Context
from raretag.probability.calibrators.rows import judged_rows
from raretag.probability.evidence import Evidence


class RidgeOptions(Options):
    """Options of methods with a parameter for each tag."""

    ridge: float = Field(
        default=1.0,
        ge=0,
        description="1 / variance of a tag's bias in nats, before anything is known; 0: no pull at all",
    )


@final
class Temperature(Calibrator[Options]):
    """p' = softmax(log p / T), T in [1/20, 20] (Guo et al. 2017, arXiv 1706.04599). The likeliest tag stays."""

    calibration_type = Affine

    def _fit(self, evidence: Evidence, *, context: Context) -> Calibration:
        del context
        return fit_affine(judged_rows(evidence), schema=evidence.schema, ridge=0.0, of="log-probability")


@final
class BiasCorrectedTemperature(Calibrator[RidgeOptions]):
    """p' = softmax(log p / T + b), a bias for each tag (BCTS; Alexandari et al. 2020, arXiv 1901.06852).

    Tags that gold does not hold keep b = 0.
    """

    options_type = RidgeOptions
    calibration_type = Affine

    def _fit(self, evidence: Evidence, *, context: Context) -> Calibration:
        del context
        rows = judged_rows(evidence)
        there, ridge = rows.counts > 0, self.options.ridge
        return fit_affine(rows, schema=evidence.schema, biases=there, ridge=ridge, of="log-probability")


@final
class Vector(Calibrator[RidgeOptions]):
    """p' = softmax(s∘z / T + b), z = log p less its mean (vector scaling; Guo et al. 2017, arXiv 1706.04599).

    Scales are drawn to their common 1/T and biases to 0, the more the fewer tokens a tag has.
    """

    options_type = RidgeOptions
    calibration_type = Affine

    def _fit(self, evidence: Evidence, *, context: Context) -> Calibration:
        del context
        rows = judged_rows(evidence, features="centred")
        there, ridge = rows.counts > 0, self.options.ridge
        return fit_affine(rows, schema=evidence.schema, scales=there, biases=there, ridge=ridge, of="centred")


@final
class DirichletDiagonal(Calibrator[RidgeOptions]):
    """p' = softmax(s∘log p / T + b): Dirichlet calibration with a diagonal W (Kull et al. 2019, arXiv 1910.12656).

    Drawn together as in vector scaling, where the paper leaves the diagonal free.
    """

    options_type = RidgeOptions
    calibration_type = Affine

    def _fit(self, evidence: Evidence, *, context: Context) -> Calibration:
        del context
        rows = judged_rows(evidence)
        there, ridge = rows.counts > 0, self.options.ridge
        return fit_affine(rows, schema=evidence.schema, scales=there, biases=there, ridge=ridge, of="log-probability")
