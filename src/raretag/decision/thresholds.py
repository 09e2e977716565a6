"""A threshold for each label on the probability of a mention."""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from raretag.decision.scheduling import best_together
from raretag.errors import DataError
from raretag.probability.candidates import Candidates
from raretag.tagging import Schema


@final
class Thresholds(BaseModel):
    """t_k by label name, and how many gold mentions of each label they were fitted on."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    by_label: Mapping[str, float] = Field(description="in [0, 1]; only what is likelier than this can be accepted")
    mentions: Mapping[str, int] = Field(description="gold mentions of the calibration documents")

    def accept(self, found: Candidates, *, schema: Schema) -> npt.NDArray[np.int64]:
        """Numbers of the candidates that stand: those of the largest Σ (p_s − t_k) that share no token, if > 0 each.

        With a layered schema each label by itself. Raises DataError where a label of the schema has no threshold.
        """
        try:
            table = np.array([self.by_label[label] for label in schema.labels], dtype=np.float64)
        except KeyError as error:
            raise DataError("the thresholds were fitted on other labels", remedy="Fix the policy again") from error
        return best_together(
            found.firsts,
            found.lasts,
            found.probabilities - table[found.labels],
            layers=found.labels if schema.layered else None,
        )
