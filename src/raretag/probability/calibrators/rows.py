"""Judged tokens as a likelihood sees them: logarithms of probabilities, what is shut, and the gold tags."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal, final

import numpy as np
import numpy.typing as npt

from raretag.errors import DataError
from raretag.probability.evidence import Evidence

Array = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Features = Literal["log-probability", "centred"]


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rows:
    """Softmax rows to be judged; plain tags are one layer, labels kept apart a layer each.

    z: float64 (rows, layers, tags), 0 where shut. shut: bool, of the shape of z, where p = 0. gold: int64 (rows,
    layers), 0 where weights are 0. weights: float64 (rows, layers), 1 where gold counts, else 0.
    """

    z: Array
    shut: Bools
    gold: npt.NDArray[np.int64]
    weights: Array

    def __len__(self) -> int:
        return len(self.z)

    @property
    def counts(self) -> Array:
        """How often gold has each tag, float64 (layers, tags)."""
        return self._gold_sums(self.weights)

    @property
    def gold_sums(self) -> Array:
        """Σ z over the rows whose gold is the tag, float64 (layers, tags)."""
        return self._gold_sums(self.weights * np.take_along_axis(self.z, self.gold[..., None], axis=2)[..., 0])

    def among(self, allowed: Bools) -> Rows:
        """The same rows with all but `allowed` tags, bool (layers, tags), shut."""
        return replace(self, z=np.where(allowed, self.z, 0.0), shut=self.shut | ~allowed)

    def told_by(self, allowed: Bools) -> Rows:
        """The same rows; those whose gold is none of `allowed`, bool (layers, tags), no longer count."""
        counts = allowed[np.arange(allowed.shape[0]), self.gold]
        weights = self.weights * counts
        return replace(self, weights=weights, gold=np.where(weights > 0, self.gold, 0))

    def _gold_sums(self, values: Array) -> Array:
        layers, tags = self.z.shape[1:]
        cells = np.arange(layers) * tags + self.gold
        summed = np.bincount(cells.ravel(), weights=values.ravel(), minlength=layers * tags)
        return np.asarray(summed.reshape(layers, tags), dtype=np.float64)


def judged_rows(evidence: Evidence, *, features: Features = "log-probability") -> Rows:
    """The tokens with a gold tag. Where the model shut that tag (p = 0), no calibration opens it, and it is left out.

    Raises DataError where no token is left.
    """
    judged = evidence.judged if evidence.schema.layered else evidence.judged[:, None]
    kept = judged.any(axis=1)
    p = _by_layer(evidence)[kept]
    tags = (evidence.tags if evidence.schema.layered else evidence.tags[:, None])[kept]
    gold = np.maximum(tags, 0)
    weights = judged[kept] & (np.take_along_axis(p, gold[..., None], axis=2)[..., 0] > 0)
    if not weights.any():
        raise DataError(
            "all gold tags are ones that the model never predicts",
            remedy="Give documents with labels that training holds",
        )
    z, shut = log_features(p, features=features)
    return Rows(z=z, shut=shut, gold=np.where(weights, gold, 0), weights=weights.astype(np.float64))


def all_rows(evidence: Evidence) -> Rows:
    """All tokens, as if each had `O` for gold; for what looks at probabilities alone."""
    p = _by_layer(evidence)
    z, shut = log_features(p, features="log-probability")
    return Rows(z=z, shut=shut, gold=np.zeros(p.shape[:2], dtype=np.int64), weights=np.ones(p.shape[:2]))


def log_features(probabilities: npt.NDArray[Any], *, features: Features) -> tuple[Array, Bools]:
    """log p, float64 of the same shape, and where it is shut: p = 0, there the logarithm is given as 0.

    centred: less its mean over the open tags of the row, which makes it the logits less their mean.
    """
    z = probabilities.astype(np.float64)
    shut = np.asarray(z <= 0)
    z[shut] = 1.0
    np.log(z, out=z)
    if features == "centred":
        z -= z.sum(axis=-1, keepdims=True) / np.maximum((~shut).sum(axis=-1, keepdims=True), 1)
        z[shut] = 0.0
    return z, shut


def _by_layer(evidence: Evidence) -> npt.NDArray[np.float32]:
    return evidence.probabilities if evidence.schema.layered else evidence.probabilities[:, None]
