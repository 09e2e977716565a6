"""What settings come to on documents that were held out: figures with intervals, and recalls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, final

import numpy as np
import numpy.typing as npt

from raretag.corpus.inventory import TAIL_GROUPS, tail_group
from raretag.decision.after_training import AfterTraining
from raretag.decision.deciding import Deciding
from raretag.errors import DataError
from raretag.evaluation import CORRECT, GOLD, Counts, count_matches
from raretag.evaluation.intervals import percentile_interval, resample
from raretag.experiments.comparison.estimate import Estimate
from raretag.experiments.comparison.rows import estimated
from raretag.probability import Scores, gather
from raretag.probability.calibrating import PARTS
from raretag.probability.calibration_data import CalibrationData
from raretag.probability.calibrators import Context, calibrator
from raretag.tagging import IGNORE, Schema

Floats = npt.NDArray[np.float64]

# as `compare` names them
_F1: Final = {"micro": "micro", "macro": "macro", "macro10-f1": "macro10"}


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """figures: `brier`, `micro`, `macro` and `macro10-f1`; the latter three only where decisions were asked for.

    recalls: by label and by tail group, in [0, 1], None where there is no gold.
    """

    figures: Mapping[str, Estimate]
    recalls: Mapping[str, float | None]

    def to_json(self) -> dict[str, Any]:
        """Built-in types only."""
        return {"figures": {name: one.to_json() for name, one in self.figures.items()}, "recalls": dict(self.recalls)}

    @staticmethod
    def from_json(content: Mapping[str, Any]) -> Verdict:
        """The inverse. Raises KeyError or TypeError for anything else."""
        figures = {
            name: Estimate(value=one["value"], interval=None if one["interval"] is None else (*one["interval"],))
            for name, one in content["figures"].items()
        }
        return Verdict(figures=figures, recalls=dict(content["recalls"]))


def verdict_of(
    data: CalibrationData,
    *,
    after: AfterTraining,
    context: Context,
    decides: bool,
    needed: bool,
    resamples: int,
    seed: int = 0,
) -> Verdict:
    """Calibrate, decide and judge, each document by what was fitted on others.

    decides: whether mentions are decided, which takes longest; needed: whether it is an error where they cannot be.
    Raises DataError for too few documents, and UsageError and DataError as calibrating and deciding do.
    """
    sums, groups = _squared(data, after=after, context=context), [one.blank.unit for one in data.gold]
    drawn = resample(sums, groups=groups, resamples=resamples, seed=seed)
    whole = float(_brier(sums.sum(axis=0)[None])[0])
    figures = {
        "brier": Estimate(
            value=None if np.isnan(whole) else whole,
            interval=percentile_interval(_brier(drawn)) if len(drawn) else None,
        )
    }
    if not decides:
        return Verdict(figures=figures, recalls={})
    try:
        counts = _decided(data, after=after)
    except DataError:
        if needed:
            raise
        return Verdict(figures=figures, recalls={})
    figures |= {
        name: estimated(counts, like, schema=data.schema, resamples=resamples, seed=seed) for name, like in _F1.items()
    }
    return Verdict(figures=figures, recalls=_recalls(counts, schema=data.schema))


def _squared(data: CalibrationData, *, after: AfterTraining, context: Context) -> npt.NDArray[Any]:
    """For each document and layer the sum of Σ_c (p_c − [y = c])² and the judged tokens: (documents, layers, 2)."""
    asked, rows = after.calibration, dict[int, npt.NDArray[Any]]()
    parts = data.parts(PARTS, seed=0)
    if len(parts) < 2:
        raise DataError(f"{len(data.gold)} documents are too few", remedy="Give at least two, of two patients")
    for part in parts:
        others = [number for number in range(len(data.gold)) if number not in {*part}]
        evidence = gather(
            [data.scores[number] for number in others], [data.tags[number] for number in others], schema=data.schema
        )
        # as `cross_calibrated`, without the mentions, which take most of its time
        fitted = calibrator(asked.name, asked.options).fit(evidence, context=context)
        for number in part:
            rows[number] = _of_document(fitted.apply(data.scores[number], schema=data.schema), data.tags[number])
    return np.stack([rows[number] for number in range(len(data.gold))])


def _of_document(calibrated: Scores, tags: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
    p = calibrated.probabilities.astype(np.float64)
    layers, truth = (p, tags) if tags.ndim == 2 else (p[:, None], tags[:, None])
    judged = truth != IGNORE
    distance = np.square(layers - np.eye(layers.shape[-1])[np.where(judged, truth, 0)]).sum(axis=-1)
    return np.stack([(distance * judged).sum(axis=0), judged.sum(axis=0)], axis=-1)


def _brier(sums: npt.NDArray[Any]) -> Floats:
    """As `brier_score`, of totals (m, layers, 2) to (m,): the mean over layers that have a judged token."""
    score = np.full(sums.shape[:2], np.nan)
    np.divide(sums[..., 0], sums[..., 1], out=score, where=sums[..., 1] > 0)
    known = ~np.isnan(score)
    mean = np.full(len(sums), np.nan)
    np.divide(np.where(known, score, 0.0).sum(axis=1), known.sum(axis=1), out=mean, where=known.any(axis=1))
    return mean


def _decided(data: CalibrationData, *, after: AfterTraining) -> Counts:
    """Strict counts of what the policy accepts."""
    deciding = Deciding(data)
    decisions = deciding.cross_decided({"it": after.policy.asked})["it"].decisions
    accepted = {name: one.accepted for name, one in decisions.items()}
    return count_matches(deciding.gold, accepted, labels=data.schema.labels, scheme="strict")


def _recalls(counts: Counts, *, schema: Schema) -> dict[str, float | None]:
    totals = counts.values.sum(axis=0)
    training = dict(zip(schema.labels, schema.mention_counts, strict=True))
    groups = [tail_group(training.get(label, 0)) for label in counts.labels]
    columns: dict[str, Sequence[int]] = {
        group: [number for number, own in enumerate(groups) if own == group] for group in TAIL_GROUPS
    }
    # a label of that name is meant before the group
    columns |= {label: [number] for number, label in enumerate(counts.labels)}
    return {name: _share(totals[list(some)].sum(axis=0)) for name, some in columns.items()}


def _share(total: npt.NDArray[np.int64]) -> float | None:
    return float(total[CORRECT] / total[GOLD]) if total[GOLD] else None
