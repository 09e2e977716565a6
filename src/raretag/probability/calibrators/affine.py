"""Logits scaled and shifted, z' = a∘z + b: the map, and its fit with rare tags held near all others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, final

import numpy as np
import numpy.typing as npt
from pydantic import Field, PositiveFloat

from raretag.probability.calibrators.base import Array, Calibration, by_tag, from_tags
from raretag.probability.calibrators.likelihood import curvature, minimum, negative_log_likelihood
from raretag.probability.calibrators.rows import Bools, Features, Rows, log_features
from raretag.tagging import Schema

# ln of how far the temperature, and then a tag's scale beside it, may go; and how far a bias may, in nats
_SHARPEST: Final = float(np.log(20.0))
_APART: Final = 3.0
_FURTHEST: Final = 30.0
# of the biases of B and I of a label, before anything is known
_CORRELATION: Final = 0.5


@final
class Affine(Calibration):
    """p' = softmax(s∘z / T + b) with z = log p, or centred: log p less its mean over the row's open tags.

    scales s > 0 and biases b: by tag, None for 1 and for 0. T > 0.
    """

    features: Features = "log-probability"
    temperature: float = Field(default=1.0, gt=0)
    scales: Mapping[str, PositiveFloat | Mapping[str, PositiveFloat]] | None = None
    biases: Mapping[str, float | Mapping[str, float]] | None = None

    def _apply(self, probabilities: Array, *, hidden: npt.NDArray[Any] | None, schema: Schema) -> Array:
        del hidden
        z, shut = log_features(probabilities, features=self.features)
        z /= self.temperature
        if self.scales is not None:
            z *= from_tags(self.scales, schema=schema)
        if self.biases is not None:
            z += from_tags(self.biases, schema=schema)
        return softmax(z, shut=shut)


def softmax(logits: Array, *, shut: Bools) -> Array:
    """Over the last axis, float64 of the same shape; exactly 0 where shut. Every row needs an open tag."""
    logits = np.where(shut, -np.inf, logits)
    p = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(p / p.sum(axis=-1, keepdims=True))


def fit_affine(
    rows: Rows, *, schema: Schema, scales: Bools | None = None, biases: Bools | None = None, ridge: float, of: Features
) -> Affine:
    """T, and s and b of the tags that are marked, bool (layers, tags), by maximum likelihood with a Gaussian prior.

    Minimises NLL + ridge/2 (bᵀ K b + r² dᵀ K d) with s = exp d, from T = 1, d = b = 0, and so ends no worse on the
    rows. K⁻¹ has 1 on its diagonal and ½ between B and I of a label. r² = Σ p(1 − p) z² / Σ p(1 − p) puts scales in
    the units of biases. The likelihood is a sum over tokens, so the pull of the prior fades as 1/n_c.
    """
    none = np.zeros(rows.z.shape[1:], dtype=bool)
    scales, biases = (none if free is None else free for free in (scales, biases))
    precision, (bend_scale, bend_bias) = label_precision(schema), curvature(rows)
    moved, pull = int(scales.sum()), ridge * spread_ratio(bend_scale, bend_bias)

    def unpacked(parameters: Array) -> tuple[float, Array, Array]:
        d, b = np.zeros(none.shape), np.zeros(none.shape)
        d[scales], b[biases] = parameters[1 : 1 + moved], parameters[1 + moved :]
        return float(parameters[0]), d, b

    def loss(parameters: Array) -> tuple[float, Array]:
        log_scale, d, b = unpacked(parameters)
        a = np.exp(log_scale + d)
        value, by_scale, by_bias = negative_log_likelihood(rows, scales=a, biases=b)
        by_log = by_scale * a
        pulled_d, pulled_b = pull * d @ precision, ridge * b @ precision
        value += 0.5 * float((d * pulled_d).sum() + (b * pulled_b).sum())
        slope = np.concatenate([[by_log.sum()], (by_log + pulled_d)[scales], (by_bias + pulled_b)[biases]])
        return value, slope

    found = minimum(
        loss,
        start=np.zeros(1 + moved + int(biases.sum())),
        curvatures=np.concatenate([[bend_scale.sum()], bend_scale[scales] + pull, bend_bias[biases] + ridge]),
        bounds=[(-_SHARPEST, _SHARPEST)] + [(-_APART, _APART)] * moved + [(-_FURTHEST, _FURTHEST)] * int(biases.sum()),
    )
    log_scale, d, b = unpacked(found)
    return Affine(
        features=of,
        temperature=float(np.exp(-log_scale)),
        scales=by_tag(np.exp(d).reshape(schema.shape), schema=schema) if scales.any() else None,
        biases=by_tag(b.reshape(schema.shape), schema=schema) if biases.any() else None,
    )


def spread_ratio(by_scale: Array, by_bias: Array) -> float:
    """r² = Σ p(1 − p) z² / Σ p(1 − p), from the two curvatures; 1 where nothing is uncertain."""
    total = float(by_bias.sum())
    return float(by_scale.sum()) / total if total > 0 else 1.0


def label_precision(schema: Schema) -> Array:
    """K, float64 (tags of a layer, tags): the inverse of correlations, ½ between tags of one label, else 0."""
    groups = np.array([0] + [1] * (schema.tags_of_a_label - 1)) if schema.layered else schema.groups
    correlation = np.where((groups[:, None] == groups) & (groups > 0), _CORRELATION, 0.0)
    np.fill_diagonal(correlation, 1.0)
    return np.asarray(np.linalg.inv(correlation), dtype=np.float64)
