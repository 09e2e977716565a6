"""How true a run's probabilities are before and after calibration, on documents that neither it nor the fit saw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import numpy.typing as npt

from raretag.corpus import Document, Mention
from raretag.decision import most_probable_mentions
from raretag.decision.coverage import exactly_found
from raretag.evaluation.fidelity import Fidelity
from raretag.evaluation.planted_null import Reading
from raretag.evaluation.probability_fidelity import fidelity_of
from raretag.evaluation.probability_figures import CalibrationFigures, MentionConfidences, calibration_figures
from raretag.probability import Scores, gather
from raretag.probability.calibrated import Calibrated
from raretag.probability.calibration_data import CalibrationData
from raretag.tagging import Schema


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ProbabilityFigures:
    """Calibration, and fidelity by reading: soft, hard and sampled."""

    calibration: CalibrationFigures
    fidelity: dict[Reading, Fidelity]

    def to_json(self) -> dict[str, Any]:
        """Built-in types only."""
        return {
            "calibration": self.calibration.to_json(),
            "fidelity": {
                reading: {name: _plain(getattr(one, name)) for name in Fidelity.__slots__}
                for reading, one in self.fidelity.items()
            },
        }


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationReport:
    """The same figures of the model's own probabilities and of calibrated ones."""

    before: ProbabilityFigures
    after: ProbabilityFigures

    def to_json(self) -> dict[str, Any]:
        """Built-in types only."""
        return {"before": self.before.to_json(), "after": self.after.to_json()}


def calibration_report(
    data: CalibrationData, fitted: Sequence[Calibrated], *, resamples: int = 2000, seed: int = 0
) -> CalibrationReport:
    """Judge each document of `data` by the calibration at its place, which must not have seen it.

    Mentions are those of the model's most probable path in both, so that only their probabilities differ.
    """
    decided = most_probable_mentions(data.scores, schema=data.schema)
    before = [decided[gold.id] for gold in data.gold]
    after = [one.carried(raw, found) for one, raw, found in zip(fitted, data.scores, before, strict=True)]
    gold = [one.blank for one in data.gold]
    calibrated = [one.scores(raw) for one, raw in zip(fitted, data.scores, strict=True)]
    return CalibrationReport(
        before=probability_figures(
            data.scores, before, tags=data.tags, gold=gold, schema=data.schema, resamples=resamples, seed=seed
        ),
        after=probability_figures(
            calibrated, after, tags=data.tags, gold=gold, schema=data.schema, resamples=resamples, seed=seed
        ),
    )


def probability_figures(
    scores: Sequence[Scores],
    decided: Sequence[Sequence[Mention]],
    *,
    tags: Sequence[npt.NDArray[np.int64]],
    gold: Sequence[Document],
    schema: Schema,
    resamples: int = 2000,
    seed: int = 0,
) -> ProbabilityFigures:
    """How true probabilities of tokens are, and those that decided mentions carry as their `score`; all by document."""
    evidence = gather(scores, list(tags), schema=schema)
    rows = [
        (mention.score or 0.0, is_right, schema.labels.index(mention.label), number)
        for number, (one, mentions) in enumerate(zip(gold, decided, strict=True))
        for mention, is_right in zip(mentions, exactly_found(mentions, one.mentions), strict=True)
    ]
    table = np.array(rows, dtype=np.float64).reshape(-1, 4)
    mentions = MentionConfidences(
        confidences=table[:, 0],
        correct=table[:, 1].astype(bool),
        labels=table[:, 2].astype(np.int64),
        owners=table[:, 3].astype(np.int64),
    )
    groups = [one.unit for one in gold]
    return ProbabilityFigures(
        calibration=calibration_figures(evidence, mentions, groups=groups, resamples=resamples, seed=seed),
        fidelity=fidelity_of(evidence, seed=seed),
    )


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
