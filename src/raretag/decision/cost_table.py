"""Costs as arrays, in the order of a schema's labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
import numpy.typing as npt

from raretag.decision.costs import Costs
from raretag.tagging import Schema

Array = npt.NDArray[np.float64]


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CostTable:
    """Costs by label number, >= 0.

    miss, false_alarm: float64 (labels,). wrong_label: float64 (labels, labels), gold label by decided label, 0 on the
    diagonal. review: of one look, None where nobody reviews.
    """

    miss: Array
    false_alarm: Array
    wrong_label: Array
    review: float | None

    @staticmethod
    def of(costs: Costs, schema: Schema) -> CostTable:
        """What a label does not tell is the default's; a wrong label without a cost is a miss and a false alarm."""
        miss, false_alarm, wrong = [], [], []
        for label in schema.labels:
            own = costs.labels.get(label)
            miss.append(costs.default.miss if own is None or own.miss is None else own.miss)
            alarm = costs.default.false_alarm if own is None or own.false_alarm is None else own.false_alarm
            false_alarm.append(alarm)
            told = costs.default.wrong_label if own is None or own.wrong_label is None else own.wrong_label
            # a layered schema has no wrong label: each label is decided by itself
            wrong.append(np.nan if told is None or schema.layered else told)
        missed, alarmed = np.array(miss, dtype=np.float64), np.array(false_alarm, dtype=np.float64)
        told_wrong = np.array(wrong, dtype=np.float64)[:, None]
        table = np.where(np.isnan(told_wrong), missed[:, None] + alarmed[None, :], told_wrong)
        np.fill_diagonal(table, 0.0)
        return CostTable(miss=missed, false_alarm=alarmed, wrong_label=table, review=costs.review)
