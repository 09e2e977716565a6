"""What one recipe comes to on the pooled documents: figures with intervals, counts for comparison, and its price."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Any, Final, final

import numpy as np
import numpy.typing as npt

from raretag.corpus.inventory import tail_group
from raretag.decision.costs import Costs
from raretag.decision.deciding import CrossDecided, Deciding
from raretag.decision.floors import alphas_of
from raretag.decision.policy_fitting import Asked
from raretag.evaluation import CORRECT, GOLD, Counts
from raretag.evaluation.calibration_report import calibration_report
from raretag.evaluation.decision_cost import document_costs
from raretag.evaluation.decision_figures import decision_figures
from raretag.evaluation.intervals import percentile_interval, resample
from raretag.evaluation.rates import F1, Floats, macro_rates, micro_rates, with_lost_labels
from raretag.experiments.comparison.contestant import Contestant
from raretag.experiments.comparison.estimate import Estimate
from raretag.experiments.cross_validation import Pooled
from raretag.probability.calibrating import cross_calibrated
from raretag.probability.run_context import context_of
from raretag.tagging import Schema

# the figures that are compared, from counts (m, labels, 3) to (m,)
FIGURES: Final = ("micro", "macro", "macro10", "head", "medium", "tail", "mean_recall", "rare_recall")
# of them, means over labels
_AVERAGED: Final = frozenset({"macro", "macro10", "mean_recall"})


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Row:
    """One recipe.

    figures: by name, see `FIGURES`: strict F1 of all mentions, over labels with gold, over those with at least ten, of
    the tail groups pooled; mean recall over labels with gold, and the pooled recall of medium and tail labels. Counts
    are summed over seeds. mention_ece, variation: of calibrated mentions and of calibrated soft shares of tags, means
    over seeds. cost: per 1,000 notes, None without costs. unpromised: labels whose recall floor was out of some part's
    reach, and so not in force for all. steps, seconds: of a fold, the mean; peak_mib: the most.
    counts: int64 (documents, labels, 3), summed over seeds; costs: float64 (documents,), the mean over seeds.
    """

    name: str
    figures: Mapping[str, Estimate]
    mention_ece: float | None
    variation: float
    cost: Estimate | None
    reviewed_share: float
    unpromised: tuple[str, ...]
    steps: float
    seconds: float
    peak_mib: int
    counts: Counts
    costs: npt.NDArray[np.float64] | None

    def to_json(self) -> dict[str, Any]:
        """Built-in types only."""
        return {
            "recipe": self.name,
            **{name: one.to_json() for name, one in self.figures.items()},
            "mention_ece": self.mention_ece,
            "total_variation": self.variation,
            "cost_per_1000_notes": None if self.cost is None else self.cost.to_json(),
            "reviewed_share": self.reviewed_share,
            "unpromised": list(self.unpromised),
            "steps_per_fold": self.steps,
            "seconds_per_fold": self.seconds,
            "peak_mib": self.peak_mib,
        }


def row_of(
    who: Contestant, by_seed: Sequence[Pooled], *, costs: Costs | None, resamples: int = 2000, seed: int = 0
) -> Row:
    """Calibrate, decide and judge, each document by what was fitted on others. by_seed: one a seed, same documents."""
    calibration, told = who.after.calibration, []
    ece, variation, unpromised = [], [], set[str]()
    asked = who.asked(costs)
    for one in by_seed:
        data = one.data
        deciding = Deciding(data)
        decided = deciding.cross_decided({who.name: asked})[who.name]
        unpromised |= _unpromised(decided, asked, schema=data.schema)
        told.append(decision_figures(deciding.gold, decided.decisions, schema=data.schema, costs=costs, resamples=0))
        fitted = cross_calibrated(
            data, method=calibration.name, options=calibration.options, context=context_of(one.runs[0])
        )
        after = calibration_report(data, fitted, resamples=0).after
        ece.append(after.calibration.mention_ece)
        variation.append(after.fidelity["soft"].tv)
    schema = by_seed[0].data.schema
    counts = replace(told[0].counts, values=sum((one.counts.values for one in told[1:]), told[0].counts.values))
    spent = None
    if costs is not None:
        spent = np.mean([document_costs(one.outcomes, costs=costs).total for one in told], axis=0)
    tokens = sum(int(one.outcomes.tokens.sum()) for one in told)
    known = [value for value in ece if value is not None]
    folds = sum(len(one.runs) for one in by_seed)
    return Row(
        name=who.name,
        figures={name: estimated(counts, name, schema=schema, resamples=resamples, seed=seed) for name in FIGURES},
        mention_ece=fmean(known) if known else None,
        variation=fmean(variation),
        cost=None if spent is None else _cost(spent, counts, resamples=resamples, seed=seed),
        reviewed_share=sum(int(one.outcomes.reviewed_tokens.sum()) for one in told) / tokens if tokens else 0.0,
        unpromised=tuple(sorted(unpromised)),
        steps=sum(one.steps for one in by_seed) / folds,
        seconds=sum(one.seconds for one in by_seed) / folds,
        peak_mib=max(one.peak_mib for one in by_seed),
        counts=counts,
        costs=spent,
    )


def _unpromised(decided: CrossDecided, asked: Asked, *, schema: Schema) -> set[str]:
    """Labels with a floor that not every part's policy could promise."""
    if asked.floors is None:
        return set()
    return {*alphas_of(asked.floors, schema=schema)} - decided.promised_labels


def figure(name: str, counts: Counts, *, schema: Schema) -> Any:
    """The figure of that name as a function of total counts (m, labels, 3) to float64 (m,), for these documents."""
    gold = counts.values.sum(axis=0)[:, GOLD]
    training = dict(zip(schema.labels, schema.mention_counts, strict=True))
    groups = np.array([tail_group(training.get(label, 0)) for label in counts.labels])
    chosen = {
        "micro": gold >= 0,
        "macro": gold > 0,
        # counts are summed over seeds, the corpus' own are not
        "macro10": np.array([training.get(label, 0) >= 10 for label in counts.labels]),
        "mean_recall": gold > 0,
        "rare_recall": groups != "head",
    }.get(name, groups == name)

    def of(totals: Floats) -> Floats:
        inside = totals[:, chosen]
        if name in {"macro", "macro10"}:
            return macro_rates(inside)[..., F1]
        if name == "mean_recall":
            return macro_rates(inside)[..., 1]
        if name == "rare_recall":
            pooled = inside.sum(axis=1)
            found = np.full(len(pooled), np.nan)
            np.divide(pooled[:, CORRECT], pooled[:, GOLD], out=found, where=pooled[:, GOLD] > 0)
            return found
        return micro_rates(inside)[..., F1]

    return of


def for_figure(name: str, drawn: Floats, *, whole: Counts) -> Floats:
    """Total counts of resamples, (m, labels, 3), as the figure of that name takes them: see `with_lost_labels`."""
    return with_lost_labels(drawn, whole.values.sum(axis=0).astype(np.float64)) if name in _AVERAGED else drawn


def estimated(counts: Counts, name: str, *, schema: Schema, resamples: int, seed: int) -> Estimate:
    """A figure of `FIGURES` over all documents, with an interval over `resamples` drawings of them (patients)."""
    of = figure(name, counts, schema=schema)
    drawn = resample(counts.values, groups=counts.groups, resamples=resamples, seed=seed)
    value = float(of(counts.values.sum(axis=0)[None].astype(np.float64))[0])
    interval = percentile_interval(of(for_figure(name, drawn, whole=counts))) if len(drawn) else None
    return Estimate(value=None if np.isnan(value) else value, interval=interval)


def _cost(spent: Floats, counts: Counts, *, resamples: int, seed: int) -> Estimate:
    values = np.stack([spent, np.ones(len(spent))], axis=1)
    drawn = resample(values, groups=counts.groups, resamples=resamples, seed=seed)
    return Estimate(
        value=1000 * float(spent.mean()),
        interval=percentile_interval(1000 * drawn[:, 0] / drawn[:, 1]) if len(drawn) else None,
    )
