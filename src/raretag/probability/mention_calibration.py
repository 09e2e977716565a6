"""A mention's calibrated probability: what share of the candidates of its kind turned out to be there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, final

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict
from scipy.optimize import minimize
from scipy.special import expit

from raretag.corpus.inventory import TAIL_GROUPS, tail_group
from raretag.errors import DataError
from raretag.probability.candidates import Candidates
from raretag.tagging import Schema

Array = npt.NDArray[np.float64]

# how many candidates' worth of belief keeps a group near all groups together, and these near no change
_PRIOR_STRENGTH: Final = 20.0
# probabilities are held this far from 0 and 1, where logarithms end
_EDGE: Final = 1e-6


@final
class MentionCalibration(BaseModel):
    """Beta calibration by tail group: logit p' = a ln p − b ln(1 − p) + c + d ln(tokens), a and b >= 0.

    Kull, Silva Filho and Flach (2017, AISTATS) have the first three terms; the last is there because tokens are judged
    as if they were independent, which takes too much from long mentions. parameters: a, b, c, d by tail group.
    a = b = 1 and c = d = 0 change nothing.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    parameters: Mapping[str, tuple[float, float, float, float]]

    def apply(self, candidates: Candidates, *, schema: Schema) -> Candidates:
        """The same candidates with calibrated probabilities."""
        lengths = candidates.lasts - candidates.firsts + 1
        return replace(
            candidates,
            probabilities=self.values(candidates.probabilities, candidates.labels, lengths=lengths, schema=schema),
        )

    def values(
        self, probabilities: Array, labels: npt.NDArray[np.int64], *, lengths: npt.NDArray[np.int64], schema: Schema
    ) -> Array:
        """Calibrated probabilities float64 (n,), of labels int64 (n,) by number and lengths int64 (n,) in tokens."""
        table = np.array([self.parameters[group] for group in TAIL_GROUPS], dtype=np.float64)
        rows = table[_groups(schema)[labels]]
        return np.asarray(expit((_features(probabilities, lengths) * rows).sum(axis=1)))


IDENTITY: Final = MentionCalibration(parameters=dict.fromkeys(TAIL_GROUPS, (1.0, 1.0, 0.0, 0.0)))


def fit_mention_calibration(
    found: Sequence[Candidates], there: Sequence[npt.NDArray[np.bool_]], *, schema: Schema
) -> MentionCalibration:
    """By the log-loss of candidates: first all groups together, held near no change, then each group near that.

    there: bool (candidates,) for each document, whether gold has exactly this mention. The pull towards the common
    parameters weighs as much as twenty candidates, so that a group without any takes them over.
    Raises DataError where there is no candidate at all.
    """
    labels = np.concatenate([np.zeros(0, np.int64), *(one.labels for one in found)])
    if not len(labels):
        raise DataError(
            "no mention is likely enough to be calibrated", remedy="Give more documents, or train for longer"
        )
    p = np.concatenate([one.probabilities for one in found])
    features = _features(p, np.concatenate([one.lasts - one.firsts + 1 for one in found]))
    truth = np.concatenate(there).astype(np.float64)
    groups = _groups(schema)[labels]
    together = _fitted(features, truth, near=np.array([1.0, 1.0, 0.0, 0.0]))
    rows = [_fitted(features[groups == g], truth[groups == g], near=together) for g in range(len(TAIL_GROUPS))]
    return MentionCalibration(
        parameters={group: tuple(row.tolist()) for group, row in zip(TAIL_GROUPS, rows, strict=True)}
    )


def _fitted(features: Array, truth: Array, *, near: Array) -> Array:
    """Logistic regression with a Gaussian prior around `near`, of unit variance for each worth of belief."""

    def loss(parameters: Array) -> tuple[float, Array]:
        logits = features @ parameters
        away = parameters - near
        value = np.logaddexp(0.0, logits).sum() - truth @ logits + _PRIOR_STRENGTH / 2 * away @ away
        return float(value), features.T @ (expit(logits) - truth) + _PRIOR_STRENGTH * away

    bounds = [(0.0, None), (0.0, None), (None, None), (None, None)]
    result: Any = minimize(loss, near, jac=True, method="L-BFGS-B", bounds=bounds)
    return np.asarray(result.x, dtype=np.float64)


def _features(p: Array, lengths: npt.NDArray[np.int64]) -> Array:
    """float64 (n, 4): ln p, −ln(1 − p), 1, ln(tokens)."""
    inside = np.clip(p, _EDGE, 1 - _EDGE)
    return np.stack([np.log(inside), -np.log1p(-inside), np.ones(len(p)), np.log(lengths)], axis=1)


def _groups(schema: Schema) -> npt.NDArray[np.int64]:
    """The tail group of each label, by number."""
    return np.array([TAIL_GROUPS.index(tail_group(number)) for number in schema.mention_counts], dtype=np.int64)
