"""What decisions cost, in the currency of `costs.yaml`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from raretag.decision.costs import Costs
from raretag.decision.outcomes import Outcomes
from raretag.errors import UsageError
from raretag.evaluation.intervals import Interval, percentile_interval, resample
from raretag.evaluation.reliability import Floats

NOTES = 1000


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DocumentCosts:
    """What each document cost, float64 (documents,), in the currency, by what went wrong."""

    misses: Floats
    false_alarms: Floats
    wrong_labels: Floats
    reviews: Floats

    @property
    def total(self) -> Floats:
        """float64 (documents,)."""
        return self.misses + self.false_alarms + self.wrong_labels + self.reviews


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionCost:
    """Mean cost of 1,000 notes, in `currency`, with a 95 % interval, and its four parts, which sum to it.

    None where there is no document; the interval also where it cannot be told, as for other intervals.
    """

    currency: str
    documents: int
    per_1000_notes: float | None
    per_1000_notes_interval: Interval | None
    misses: float | None
    false_alarms: float | None
    wrong_labels: float | None
    reviews: float | None


def document_costs(outcomes: Outcomes, *, costs: Costs) -> DocumentCosts:
    """Price what came of decisions.

    A miss and a wrong label cost what the label of the gold mention says, a false alarm what the label decided says, a
    review the same wherever it is. A wrong label without a price is a miss of the gold label and a false alarm of the
    label decided.
    Raises UsageError where something was sent to review and `costs` has no price for it.
    """
    if costs.review is None and outcomes.reviews.any():
        raise UsageError(
            f"{int(outcomes.reviews.sum())} stretches were sent to review, but the costs name no price of a review",
            remedy="Give costs.review",
        )
    miss, false_alarm, wrong = _prices(outcomes.labels, costs=costs)
    row, gold, decided = outcomes.mislabelled.T
    each = np.where(np.isnan(wrong[gold]), miss[gold] + false_alarm[decided], wrong[gold])
    return DocumentCosts(
        misses=outcomes.missed @ miss,
        false_alarms=outcomes.false_alarms @ false_alarm,
        wrong_labels=np.bincount(row, weights=each, minlength=len(outcomes.documents)).astype(np.float64),
        reviews=np.asarray(outcomes.reviews * (costs.review or 0.0), dtype=np.float64),
    )


def decision_cost(outcomes: Outcomes, *, costs: Costs, resamples: int = 2000, seed: int = 0) -> DecisionCost:
    """Price decisions per 1,000 notes; the interval is over resamples of whole documents, or patients.

    Raises UsageError as `document_costs`.
    """
    parts = document_costs(outcomes, costs=costs)
    total, documents = parts.total, len(outcomes.documents)
    # patients differ in documents, so that a resample has its own number of them
    values: NDArray[Any] = np.stack([total, np.ones(documents)], axis=-1)
    drawn = resample(values, groups=outcomes.groups, resamples=resamples, seed=seed)
    return DecisionCost(
        currency=costs.currency,
        documents=documents,
        per_1000_notes=_per_1000(total),
        per_1000_notes_interval=percentile_interval(NOTES * drawn[:, 0] / drawn[:, 1]),
        misses=_per_1000(parts.misses),
        false_alarms=_per_1000(parts.false_alarms),
        wrong_labels=_per_1000(parts.wrong_labels),
        reviews=_per_1000(parts.reviews),
    )


def _per_1000(costs: Floats) -> float | None:
    return NOTES * float(costs.mean()) if len(costs) else None


def _prices(labels: tuple[str, ...], *, costs: Costs) -> tuple[Floats, Floats, Floats]:
    """Of a miss, a false alarm and a wrong label, each float64 (labels,); NaN is a wrong label without a price."""
    every = [costs.of_label(label) for label in labels]
    miss, false_alarm, wrong = (
        np.array([np.nan if price is None else price for price in prices], dtype=np.float64)
        for prices in (
            [one.miss for one in every],
            [one.false_alarm for one in every],
            [one.wrong_label for one in every],
        )
    )
    return miss, false_alarm, wrong
