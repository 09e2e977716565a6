"""A temperature for each frequency group: rare labels are over-confident in another way than frequent ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, Final, final

import numpy as np
import numpy.typing as npt
from pydantic import Field

from raretag.corpus.inventory import TAIL_GROUPS, tail_group
from raretag.probability.calibrators.affine import softmax, spread_ratio
from raretag.probability.calibrators.base import Array, Calibration, Calibrator, Context
from raretag.probability.calibrators.likelihood import curvature, minimum, negative_log_likelihood
from raretag.probability.calibrators.rows import Rows, judged_rows, log_features
from raretag.probability.calibrators.scaling import RidgeOptions
from raretag.probability.evidence import Evidence
from raretag.tagging import Schema
from raretag.tagging.schema import OUTSIDE

GROUPS: Final = ("O", *TAIL_GROUPS)
_SHARPEST: Final = float(np.log(20.0))


@final
class GroupTemperatures(Calibration):
    """p' = softmax(log p / T_g), g the group of the row's likeliest tag: O, head, medium or tail. The tag stays so."""

    temperatures: Mapping[str, Annotated[float, Field(gt=0)]]

    def _apply(self, probabilities: Array, *, hidden: npt.NDArray[Any] | None, schema: Schema) -> Array:
        del hidden
        table = np.array([self.temperatures[group] for group in GROUPS])
        z, shut = log_features(probabilities, features="log-probability")
        likeliest = probabilities.argmax(axis=-1)
        return softmax(z / table[_groups(likeliest, schema=schema)][..., None], shut=shut)


@final
class FrequencyGroups(Calibrator[RidgeOptions]):
    """T_g by maximum likelihood (tag frequency groups, TFG; Kranzlein, Liu and Schneider 2021).

    Each ln T_g is drawn to the common ln T, by ridge · r²/2 (ln T_g − ln T)² nats, the less the more tokens it has
    (r² as of `fit_affine`); a group without any takes T. All T in [1/20, 20].
    """

    options_type = RidgeOptions
    calibration_type = GroupTemperatures

    def _fit(self, evidence: Evidence, *, context: Context) -> Calibration:
        del context
        rows = judged_rows(evidence)
        likeliest = np.where(rows.shut, -np.inf, rows.z).argmax(axis=2)
        groups = _groups(likeliest if evidence.schema.layered else likeliest[:, 0], schema=evidence.schema).ravel()
        flat = _flat(rows)
        common = _log_sharpness(flat, near=0.0, pull=0.0)
        pull = self.options.ridge * spread_ratio(*curvature(flat))
        found = {
            group: _log_sharpness(_taken(flat, groups == number), near=common, pull=pull)
            for number, group in enumerate(GROUPS)
        }
        return GroupTemperatures(temperatures={group: float(np.exp(-value)) for group, value in found.items()})


def _groups(likeliest: npt.NDArray[np.int64], *, schema: Schema) -> npt.NDArray[np.int64]:
    """The number in GROUPS of likeliest tags, (tokens,), or of each label (tokens, labels) where labels are apart."""
    of_label = np.array([GROUPS.index(tail_group(number)) for number in schema.mention_counts], dtype=np.int64)
    if schema.layered:
        return np.where(likeliest == OUTSIDE, 0, of_label)
    return np.concatenate([[0], of_label])[schema.groups][likeliest]


def _log_sharpness(rows: Rows, *, near: float, pull: float) -> float:
    """−ln T, from `near`, drawn there."""
    if not rows.weights.any():
        return near

    def loss(parameters: Array) -> tuple[float, Array]:
        scale, away = float(np.exp(parameters[0])), parameters - near
        ones = np.ones(rows.z.shape[1:])
        value, by_scale, _ = negative_log_likelihood(rows, scales=scale * ones, biases=0.0 * ones)
        return value + pull / 2 * float(away @ away), by_scale.sum() * scale + pull * away

    bend = np.array([curvature(rows)[0].sum() + pull])
    return float(minimum(loss, start=np.array([near]), curvatures=bend, bounds=[(-_SHARPEST, _SHARPEST)])[0])


def _flat(rows: Rows) -> Rows:
    """A row for each softmax: no parameter tells labels apart."""
    shape = (-1, 1, rows.z.shape[2])
    return Rows(
        z=rows.z.reshape(shape),
        shut=rows.shut.reshape(shape),
        gold=rows.gold.reshape(-1, 1),
        weights=rows.weights.reshape(-1, 1),
    )


def _taken(rows: Rows, kept: npt.NDArray[np.bool_]) -> Rows:
    return replace(rows, z=rows.z[kept], shut=rows.shut[kept], gold=rows.gold[kept], weights=rows.weights[kept])
