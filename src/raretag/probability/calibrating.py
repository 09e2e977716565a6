"""Fit the calibration of a run, and say by documents that a fit did not see how good it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, final

from raretag.corpus.fingerprints import gold_hash
from raretag.errors import DataError
from raretag.probability.calibrated import Calibrated
from raretag.probability.calibration_data import CalibrationData
from raretag.probability.calibrators import Context, calibrator
from raretag.probability.evidence import gather
from raretag.probability.mention_calibration import (
    Judged,
    MentionCalibration,
    fit_mention_calibration,
    judge_candidates,
)

# parts that take turns in being left out
PARTS: Final = 5


def calibrate(data: CalibrationData, *, method: str, options: Mapping[str, Any], context: Context) -> Calibrated:
    """Fit on all documents of `data`; where none has a gold mention, mentions keep the model's own probabilities.

    Raises UsageError for an unknown method or option, DataError for too little, among it no gold for a method that
    needs it.
    """
    fitting = _Fitting(data=data, judged=_judged(data), method=method, options=options, context=context)
    return fitting.on(range(len(data.gold)))


def cross_calibrated(
    data: CalibrationData, *, method: str, options: Mapping[str, Any], context: Context, seed: int = 0
) -> list[Calibrated]:
    """For each document a calibration that was fitted on others.

    Five parts, patients whole, each left out in turn: so calibrated, the documents are to a decision rule what new ones
    will be. Raises DataError for fewer than two documents (or patients), and as `calibrate` does.
    """
    parts = data.parts(PARTS, seed=seed)
    if len(parts) < 2:
        raise DataError(
            f"{len(data.gold)} documents to calibrate on are too few", remedy="Give at least two, of two patients"
        )
    fitting = _Fitting(data=data, judged=_judged(data), method=method, options=options, context=context)
    found: dict[int, Calibrated] = {}
    for part in parts:
        fitted = fitting.on([number for number in range(len(data.gold)) if number not in part])
        found |= dict.fromkeys(part, fitted)
    return [found[number] for number in range(len(data.gold))]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class _Fitting:
    """All that a fit needs but the choice of documents."""

    data: CalibrationData
    judged: Sequence[Judged]
    method: str
    options: Mapping[str, Any]
    context: Context

    def on(self, numbers: Sequence[int]) -> Calibrated:
        """Fitted on these documents alone."""
        data = self.data
        # notes without any mention are not annotated: that there is nothing in them, nobody has said
        tags = [data.tags[number] if data.has_gold else None for number in numbers]
        evidence = gather([data.scores[number] for number in numbers], tags, schema=data.schema)
        gold = [data.gold[number] for number in numbers]
        return Calibrated(
            schema=data.schema,
            method=self.method,
            options=self.options,
            tokens=calibrator(self.method, self.options).fit(evidence, context=self.context),
            mentions=fit_mention_calibration([self.judged[number] for number in numbers], schema=data.schema)
            if data.has_gold
            else MentionCalibration.unchanged(),
            documents={one.id: one.fingerprint for one in gold},
            sha256=gold_hash(gold),
            folds=data.folds,
            fitted=datetime.now(UTC).isoformat(timespec="seconds"),
        )


def _judged(data: CalibrationData) -> list[Judged]:
    return [
        judge_candidates(one, own.mentions, schema=data.schema) for one, own in zip(data.scores, data.gold, strict=True)
    ]
