"""τ-normalisation of the head after training: what a longer row of weights gives frequent tags is taken back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, final

import numpy as np
import numpy.typing as npt
from pydantic import Field, NonNegativeFloat
from scipy.optimize import minimize_scalar

from raretag.errors import DataError
from raretag.options import Options
from raretag.probability.calibrators.affine import softmax
from raretag.probability.calibrators.base import Array, Calibration, Calibrator, Context, by_tag, from_tags
from raretag.probability.calibrators.likelihood import negative_log_likelihood
from raretag.probability.calibrators.rows import Rows, judged_rows, log_features
from raretag.probability.evidence import Evidence
from raretag.tagging import Schema
from raretag.tagging.schema import OUTSIDE

_GRID: Final = np.linspace(0, 2, 9)
# hidden states that are held at once as float64
_ROWS: Final = 4096


@final
class TauNormed(Calibration):
    """p' = softmax(z_c / ‖w_c‖^τ), z = w_c·h + b_c, from p, hidden states h and the row of weights of `O` alone.

    A softmax hides by how much all logits of a token are shifted: z = log p + (w_O·h + b_O − log p_O) brings it back.
    norms: ‖w_c‖ by tag; a tag with norm 0 keeps its logit. outside_weight (width,), outside_bias: w_O and b_O.
    """

    tau: float
    norms: Mapping[str, NonNegativeFloat]
    outside_weight: tuple[float, ...]
    outside_bias: float

    def _apply(self, probabilities: Array, *, hidden: npt.NDArray[Any] | None, schema: Schema) -> Array:
        z, shut = log_features(probabilities, features="log-probability")
        z = self.logits(z, hidden)
        return softmax(z * self.factors(self.tau, schema=schema), shut=shut)

    def logits(self, log_p: Array, hidden: npt.NDArray[Any] | None) -> Array:
        """What the head said, float64 (tokens, tags)."""
        weight = np.array(self.outside_weight)
        if hidden is None or hidden.shape != (len(log_p), len(weight)):
            raise DataError(
                "these scores lack the hidden states of the head that was calibrated",
                remedy="Score the documents again",
            )
        parts = [hidden[first : first + _ROWS].astype(np.float64) @ weight for first in range(0, len(hidden), _ROWS)]
        outside = np.concatenate([np.zeros(0), *parts]) + self.outside_bias
        return np.asarray(log_p + (outside - log_p[:, OUTSIDE])[:, None])

    def factors(self, tau: float, *, schema: Schema) -> Array:
        """1 / ‖w_c‖^τ, float64 (tags,); 1 where the norm is 0."""
        norms = from_tags(self.norms, schema=schema)
        return np.asarray(np.where(norms > 0, norms, 1.0) ** -tau)


class TauNormOptions(Options):
    """Options of `tau-norm`."""

    tau: float | None = Field(
        default=None, ge=0, le=2, description="0: the head as it is; 1: rows of one length; None: fitted by likelihood"
    )


@final
class TauNorm(Calibrator[TauNormOptions]):
    """z_c / ‖w_c‖^τ, bias included (Kang et al. 2020, arXiv 1910.09217), as the second stage `tau-norm` has it.

    τ None: least negative log-likelihood, the best of nine in [0, 2], then between its neighbours.
    """

    options_type = TauNormOptions
    calibration_type = TauNormed
    needs_hidden = True

    def _fit(self, evidence: Evidence, *, context: Context) -> Calibration:
        schema, weight, bias = evidence.schema, context.weight, context.bias
        assert evidence.hidden is not None
        if (
            schema.layered
            or weight is None
            or bias is None
            or weight.shape != (len(schema.tags), evidence.hidden.shape[1])
        ):
            raise DataError(
                "tau-norm needs the weights and hidden states of a softmax head, and this run has none",
                remedy="Choose another calibrator, such as bias-corrected-temperature",
            )
        unfitted = TauNormed(
            tau=0.0,
            norms=by_tag(np.linalg.norm(weight.astype(np.float64), axis=1), schema=schema),
            outside_weight=tuple(weight[OUTSIDE].astype(np.float64).tolist()),
            outside_bias=float(bias[OUTSIDE]),
        )
        tau = self.options.tau
        return unfitted.model_copy(update={"tau": _likeliest(unfitted, evidence) if tau is None else tau})


def _likeliest(head: TauNormed, evidence: Evidence) -> float:
    assert evidence.hidden is not None
    rows = judged_rows(evidence)
    # the rows keep the tokens with a gold tag, in their order
    z = head.logits(rows.z[:, 0], evidence.hidden[evidence.judged])
    z[rows.shut[:, 0]] = 0.0
    rows = Rows(z=z[:, None], shut=rows.shut, gold=rows.gold, weights=rows.weights)

    def loss(tau: float) -> float:
        factors = head.factors(tau, schema=evidence.schema)[None]
        return negative_log_likelihood(rows, scales=factors, biases=np.zeros_like(factors))[0]

    losses = [loss(tau) for tau in _GRID.tolist()]
    best = int(np.argmin(losses))
    low, high = float(_GRID[max(best - 1, 0)]), float(_GRID[min(best + 1, len(_GRID) - 1)])
    near: Any = minimize_scalar(loss, bounds=(low, high), method="bounded", options={"xatol": 1e-3})
    return float(near.x) if near.fun < losses[best] else float(_GRID[best])
