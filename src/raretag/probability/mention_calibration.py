"""A mention's calibrated probability: what share of the candidates of its kind turned out to be there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, final

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field
from scipy.optimize import minimize
from scipy.special import expit

from raretag.corpus import Mention
from raretag.corpus.inventory import TAIL_GROUPS, tail_group
from raretag.errors import DataError
from raretag.probability.candidates import Candidates, candidates
from raretag.probability.paths import mention_probabilities
from raretag.probability.scores import Scores
from raretag.tagging import Schema

Array = npt.NDArray[np.float64]

# how many candidates' worth of belief keeps a group near all groups together, and these near no change
_PRIOR_STRENGTH: Final = 20.0
# 1 is the model as it is; higher ones make more candidates than anyone could use
TEMPERATURES: Final = (1.0, 1.5, 2.0)
# of logits, within which candidates are counted together
_BIN: Final = 0.05
# probabilities are held this far from 0 and 1, where logarithms end
_EDGE: Final = 1e-6


@final
class MentionCalibration(BaseModel):
    """Beta calibration by tail group: logit p' = a ln p − b ln(1 − p) + c + d ln(tokens), a and b >= 0.

    Kull, Silva Filho and Flach (2017, AISTATS) have the first three terms; the last is there because tokens are judged
    as if they were independent, which takes too much from long mentions. parameters: a, b, c, d by tail group.
    a = b = 1 and c = d = 0 change nothing.

    temperature: T > 0 that token probabilities are raised to 1 / T with, before paths are summed. Above 1 it spreads
    what an overconfident model put on one reading over others, so that they are candidates at all.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    temperature: float = Field(gt=0)
    parameters: Mapping[str, tuple[float, float, float, float]]

    @staticmethod
    def unchanged() -> MentionCalibration:
        """The model's own probabilities, where no gold tells better ones."""
        return MentionCalibration(temperature=1, parameters=dict.fromkeys(TAIL_GROUPS, (1.0, 1.0, 0.0, 0.0)))

    def candidates(self, scores: Scores, *, schema: Schema) -> Candidates:
        """Every mention that is likely enough at the temperature, with its calibrated probability."""
        return self.apply(candidates(tempered(scores, temperature=self.temperature), schema=schema), schema=schema)

    def apply(self, candidates: Candidates, *, schema: Schema) -> Candidates:
        """The same candidates with calibrated probabilities."""
        lengths = candidates.lasts - candidates.firsts + 1
        return replace(
            candidates,
            probabilities=self.values(candidates.probabilities, candidates.labels, lengths=lengths, schema=schema),
        )

    def mention_probabilities(
        self, scores: Scores, mentions: Sequence[Mention], *, schema: Schema
    ) -> list[float | None]:
        """The calibrated probability of each of `mentions`, predicted or not; None where no tags express it."""
        heated = tempered(scores, temperature=self.temperature)
        found = mention_probabilities(heated, mentions, schema=schema)
        numbers = {label: number for number, label in enumerate(schema.labels)}
        told = [place for place, value in enumerate(found) if value is not None]
        covered = [
            np.searchsorted(scores.tokens.starts, mentions[place].end)
            - np.searchsorted(scores.tokens.starts, mentions[place].start)
            for place in told
        ]
        values = self.values(
            np.array([found[place] for place in told], dtype=np.float64),
            np.array([numbers[mentions[place].label] for place in told], dtype=np.int64),
            lengths=np.array(covered, dtype=np.int64),
            schema=schema,
        )
        calibrated = dict(zip(told, values.tolist(), strict=True))
        return [calibrated.get(place) for place in range(len(mentions))]

    def carried(self, scores: Scores, mentions: Sequence[Mention], *, schema: Schema) -> tuple[Mention, ...]:
        """The same mentions, each with its calibrated probability as `score`."""
        values = self.mention_probabilities(scores, mentions, schema=schema)
        return tuple(replace(mention, score=value) for mention, value in zip(mentions, values, strict=True))

    def values(
        self, probabilities: Array, labels: npt.NDArray[np.int64], *, lengths: npt.NDArray[np.int64], schema: Schema
    ) -> Array:
        """Calibrated probabilities float64 (n,), of labels int64 (n,) by number and lengths int64 (n,) in tokens."""
        table = np.array([self.parameters[group] for group in TAIL_GROUPS], dtype=np.float64)
        rows = table[_groups(schema)[labels]]
        return np.asarray(expit((_features(probabilities, lengths) * rows).sum(axis=1)))


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Judged:
    """A document's candidates at each temperature, what of them gold has (bool), and how many mentions gold has."""

    found: Mapping[float, Candidates]
    there: Mapping[float, npt.NDArray[np.bool_]]
    gold: int


def judge_candidates(scores: Scores, gold: Sequence[Mention], *, schema: Schema) -> Judged:
    """What `fit_mention_calibration` learns from one document."""
    found = {
        temperature: candidates(tempered(scores, temperature=temperature), schema=schema)
        for temperature in TEMPERATURES
    }
    return Judged(
        found=found,
        there={temperature: one.among(gold, schema=schema) for temperature, one in found.items()},
        gold=len(gold),
    )


def fit_mention_calibration(
    judged: Sequence[Judged], *, schema: Schema, temperatures: Sequence[float] = TEMPERATURES
) -> MentionCalibration:
    """At each temperature by the log-loss of candidates, then the temperature by the Brier score of all mentions.

    First all groups are fitted together, held near no change, then each group near that. The pull towards the common
    parameters weighs as much as twenty candidates, so that a group without any takes them over. In the Brier score
    Σ (p' − there)² a gold mention that is no candidate counts 1, as p' = 0 would. Candidates of one group and length
    whose logits agree to 0.05 are counted together at their mean. temperatures: to choose from, of `TEMPERATURES`.
    Raises DataError where there is no candidate at all.
    """
    fits = [_at(temperature, judged, schema=schema) for temperature in temperatures]
    return min(fits, key=lambda fit: fit[0])[1]


def tempered(scores: Scores, *, temperature: float) -> Scores:
    """p^(1/T), normalised over the last axis (Guo et al. 2017, arXiv 1706.04599)."""
    if temperature == 1:
        return scores
    p = scores.probabilities.astype(np.float64) ** (1 / temperature)
    return replace(scores, probabilities=(p / p.sum(axis=-1, keepdims=True)).astype(np.float32))


def _at(temperature: float, judged: Sequence[Judged], *, schema: Schema) -> tuple[float, MentionCalibration]:
    """The Brier score of the best fit at one temperature, and that fit."""
    found = [one.found[temperature] for one in judged]
    labels = np.concatenate([np.zeros(0, np.int64), *(one.labels for one in found)])
    if not len(labels):
        raise DataError(
            "no mention is likely enough to be calibrated", remedy="Give more documents, or train for longer"
        )
    told = _Alike.of(
        np.concatenate([one.probabilities for one in found]),
        np.concatenate([one.lasts - one.firsts + 1 for one in found]),
        truth=np.concatenate([one.there[temperature] for one in judged]),
        groups=_groups(schema)[labels],
    )
    together = _fitted(told, near=np.array([1.0, 1.0, 0.0, 0.0]))
    rows = np.array([_fitted(told.of_group(group), near=together) for group in range(len(TAIL_GROUPS))])
    values = expit((told.features * rows[told.groups]).sum(axis=1))
    squares = told.numbers * values**2 + told.there * (1 - 2 * values)
    unreached = sum(one.gold for one in judged) - told.there.sum()
    a, b, c, d = rows.T.tolist()
    return float(squares.sum() + unreached), MentionCalibration(
        temperature=temperature, parameters=dict(zip(TAIL_GROUPS, zip(a, b, c, d, strict=True), strict=True))
    )


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Alike:
    """Candidates that are alike, counted together: most are improbable, and there are very many.

    features: float64 (rows, 4), their means. groups: int64 (rows,), of their labels. numbers, there: float64 (rows,),
    how many there are, and how many of them gold has.
    """

    features: Array
    groups: npt.NDArray[np.int64]
    numbers: Array
    there: Array

    @staticmethod
    def of(
        p: Array, lengths: npt.NDArray[np.int64], *, truth: npt.NDArray[np.bool_], groups: npt.NDArray[np.int64]
    ) -> _Alike:
        features = _features(p, lengths)
        bins = np.round((features[:, 0] + features[:, 1]) / _BIN).astype(np.int64)
        keys = ((bins - bins.min()) * (lengths.max() + 1) + lengths) * len(TAIL_GROUPS) + groups
        _, first, row = np.unique(keys, return_index=True, return_inverse=True)
        numbers = np.bincount(row).astype(np.float64)
        means = np.stack([np.bincount(row, weights=column) for column in features.T], axis=1) / numbers[:, None]
        return _Alike(
            features=means,
            groups=groups[first],
            numbers=numbers,
            there=np.bincount(row, weights=truth).astype(np.float64),
        )

    def of_group(self, group: int) -> _Alike:
        """The rows of one tail group, by number."""
        own = self.groups == group
        return _Alike(
            features=self.features[own], groups=self.groups[own], numbers=self.numbers[own], there=self.there[own]
        )


def _fitted(told: _Alike, *, near: Array) -> Array:
    """Logistic regression with a Gaussian prior around `near`, of unit variance for each worth of belief."""

    def loss(parameters: Array) -> tuple[float, Array]:
        logits = told.features @ parameters
        away = parameters - near
        value = told.numbers @ np.logaddexp(0.0, logits) - told.there @ logits + _PRIOR_STRENGTH / 2 * away @ away
        slope = told.features.T @ (told.numbers * expit(logits) - told.there)
        return float(value), slope + _PRIOR_STRENGTH * away

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
