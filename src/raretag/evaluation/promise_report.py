"""What became of a promise: the share of missed mentions on documents that nothing was fixed on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from raretag.decision.outcomes import Outcomes
from raretag.evaluation.intervals import Interval, percentile_interval, resample


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class MissedShare:
    """Of some labels: the mean over units of the share of their gold mentions that were missed.

    A unit is a patient where documents name one, else a document. Missed is what is neither accepted exactly nor, by
    more than half, sent to review: a wrong label is a miss. That mean is what a promise bounds. units: how many have a
    gold mention of the labels. share: in [0, 1], None without any; interval: 95 %, by resampling them.
    """

    labels: tuple[str, ...]
    units: int
    mentions: int
    missed: int
    share: float | None
    interval: Interval | None


def missed_share(outcomes: Outcomes, *, labels: Sequence[str], resamples: int = 2000, seed: int = 0) -> MissedShare:
    """Compute it. Raises UsageError for a negative `resamples` or `seed`."""
    columns = [number for number, label in enumerate(outcomes.labels) if label in labels]
    gold = outcomes.gold[:, columns].sum(axis=1)
    missed = gold - (outcomes.found + outcomes.reviewed)[:, columns].sum(axis=1)
    units = {unit: place for place, unit in enumerate(dict.fromkeys(outcomes.groups))}
    places = [units[unit] for unit in outcomes.groups]
    of_unit = np.zeros((len(units), 2))
    np.add.at(of_unit, places, np.stack([missed, gold], axis=1))
    having = of_unit[of_unit[:, 1] > 0]
    shares = having[:, 0] / having[:, 1]
    drawn = resample(
        np.stack([shares, np.ones(len(shares))], axis=1), groups=range(len(shares)), resamples=resamples, seed=seed
    )
    return MissedShare(
        labels=tuple(labels),
        units=len(having),
        mentions=int(gold.sum()),
        missed=int(missed.sum()),
        share=float(shares.mean()) if len(shares) else None,
        interval=percentile_interval(drawn[:, 0] / drawn[:, 1]) if len(drawn) else None,
    )
