"""The part `calibration` of `evaluation.json`: its names are an interface. Undefined is None."""

from __future__ import annotations

import json
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, final

from raretag.corpus.inventory import TAIL_GROUPS, TailGroup, tail_group
from raretag.evaluation.brier import brier_score, mention_brier_score
from raretag.evaluation.calibration_error import calibration_error_interval, calibration_noise
from raretag.evaluation.classwise_error import classwise_calibration_error
from raretag.evaluation.intervals import Interval
from raretag.evaluation.reliability import Floats, Integers, Reliability, reliability, reliability_by_group
from raretag.evaluation.token_columns import Booleans, top_confidences
from raretag.probability.evidence import Evidence


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MentionConfidences:
    """Mentions with their probability and whether gold has exactly them.

    confidences: float64 (n,) in [0, 1]. correct: bool (n,). labels: int64 (n,), numbers in `schema.labels`. owners:
    int64 (n,), numbers of documents, as in `Evidence`.
    """

    confidences: Floats
    correct: Booleans
    labels: Integers
    owners: Integers


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationFigures:
    """How true probabilities are, of mentions and of tokens.

    *_ece and *_adaptive_ece: see `calibration_error`; *_interval: 95 %, by documents. mention_ece_noise: what true
    confidences would have. classwise_*: see `classwise_calibration_error`; restricted is over likely or gold tokens,
    likely over p_c > 0.01 alone. brier: of tokens, in [0, 2]. groups: mentions by the tail group of their label.
    reliability: bins of mentions; token_reliability: bins of tokens. tokens: those judged, once for each label where
    labels are kept apart.
    """

    mentions: int
    mention_ece: float | None
    mention_ece_interval: Interval | None
    mention_ece_noise: float | None
    mention_adaptive_ece: float | None
    mention_brier: float | None
    tokens: int
    token_ece: float | None
    token_ece_interval: Interval | None
    adaptive_ece: float | None
    classwise_ece: float | None
    classwise_ece_likely: float | None
    classwise_ece_restricted: float | None
    brier: float | None
    groups: Mapping[TailGroup, Reliability]
    reliability: Reliability
    token_reliability: Reliability

    def to_json(self) -> dict[str, Any]:
        """The same names with built-in types only; intervals are lists [low, high]."""
        plain: dict[str, Any] = json.loads(json.dumps(asdict(self), allow_nan=False))
        return plain


def calibration_figures(
    evidence: Evidence,
    mentions: MentionConfidences,
    *,
    groups: Sequence[Hashable],
    resamples: int = 2000,
    seed: int = 0,
) -> CalibrationFigures:
    """Compute them all. groups: what each document is resampled with, by its number in `owners`.

    Raises ValueError where mentions or owners do not fit.
    """
    schema = evidence.schema
    p, tags = evidence.probabilities, evidence.tags
    top, right, owners = top_confidences(p, tags, owners=evidence.owners)
    of_mentions = reliability(mentions.confidences, mentions.correct)
    of_tokens = reliability(top, right)
    of_label = [tail_group(number) for number in schema.mention_counts]
    grouped = reliability_by_group(mentions.confidences, mentions.correct, labels=mentions.labels, groups=of_label)
    return CalibrationFigures(
        mentions=of_mentions.count,
        mention_ece=of_mentions.ece,
        mention_ece_interval=calibration_error_interval(
            mentions.confidences,
            mentions.correct,
            owners=mentions.owners,
            groups=groups,
            resamples=resamples,
            seed=seed,
        ),
        mention_ece_noise=calibration_noise(mentions.confidences),
        mention_adaptive_ece=of_mentions.adaptive_ece,
        mention_brier=mention_brier_score(mentions.confidences, mentions.correct),
        tokens=of_tokens.count,
        token_ece=of_tokens.ece,
        token_ece_interval=calibration_error_interval(
            top, right, owners=owners, groups=groups, resamples=resamples, seed=seed
        ),
        adaptive_ece=of_tokens.adaptive_ece,
        classwise_ece=classwise_calibration_error(p, tags).mean,
        classwise_ece_likely=classwise_calibration_error(p, tags, over="likely").mean,
        classwise_ece_restricted=classwise_calibration_error(p, tags, over="likely_or_gold").mean,
        brier=brier_score(p, tags),
        groups={group: grouped[group] for group in TAIL_GROUPS if group in grouped},
        reliability=of_mentions,
        token_reliability=of_tokens,
    )
