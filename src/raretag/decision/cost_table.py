"""Costs as arrays, in the order of a schema's labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
import numpy.typing as npt

from raretag.decision.costs import Costs
from raretag.errors import UsageError
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
        """The costs of each label of the schema; a wrong label without a cost is a miss and a false alarm.

        Raises UsageError for costs of labels that the schema does not have, and for a wrong label with a layered one.
        """
        _check(costs, schema)
        every = [costs.of_label(label) for label in schema.labels]
        miss, false_alarm = (
            np.array([getattr(one, name) for one in every], dtype=np.float64) for name in ("miss", "false_alarm")
        )
        told = np.array([np.nan if one.wrong_label is None else one.wrong_label for one in every])[:, None]
        wrong = np.where(np.isnan(told), miss[:, None] + false_alarm[None, :], told)
        np.fill_diagonal(wrong, 0.0)
        return CostTable(miss=miss, false_alarm=false_alarm, wrong_label=wrong, review=costs.review)


def _check(costs: Costs, schema: Schema) -> None:
    unknown = [label for label in costs.labels if label not in schema.labels]
    if unknown:
        raise UsageError(
            f"there are costs of {', '.join(map(repr, unknown))}, but the run has no such label",
            remedy="Leave them out, or correct the name",
        )
    told = [costs.default.wrong_label, *(one.wrong_label for one in costs.labels.values())]
    if schema.layered and any(one is not None for one in told):
        raise UsageError(
            "labels of this run may overlap, so that none stands in another's place, but the costs have a wrong label",
            remedy="Leave wrong_label out",
        )
