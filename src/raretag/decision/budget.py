"""A budget of reviews: the most doubtful tokens first, as far as the budget goes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import final

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from raretag.decision.decided import Decision
from raretag.decision.doubt import Array, token_doubts
from raretag.decision.stretches import Cuts, reviewed_tokens, send_to_review
from raretag.errors import DataError, UsageError
from raretag.probability.candidates import Candidates
from raretag.tagging import Schema


@final
class Budget(BaseModel):
    """One threshold on the doubt of tokens, over all labels."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    share: float = Field(gt=0, lt=1, description="of all tokens that may be sent to review")
    threshold: float | None = Field(gt=0, description="of doubt; None: no more fits into the budget")
    weights: Mapping[str, float] = Field(default={}, description="factor of doubt by label, such as its miss cost")
    reviewed_share: float = Field(ge=0, le=1, description="of the calibration tokens, in the end")

    def apply(self, decision: Decision, found: Candidates, *, schema: Schema) -> Decision:
        """The decision with all stretches whose doubt reaches the threshold; accepted mentions stay."""
        if self.threshold is None:
            return decision
        doubts = token_doubts(found, decision, schema=schema, weights=_weights(self.weights, schema))
        plain = token_doubts(found, decision, schema=schema)
        return send_to_review(decision, found, tokens=doubts >= self.threshold, doubts=plain, schema=schema)


def fit_budget(
    found: Sequence[Candidates],
    decisions: Mapping[str, Decision],
    *,
    share: float,
    schema: Schema,
    weights: Mapping[str, float] | None = None,
) -> Budget:
    """The smallest threshold at which at most `share` of the calibration tokens are reviewed, in (0, 1).

    decisions: by document id, as the rule made them; what they send to review counts against the budget. weights: >= 0
    by label, each multiplies the doubt about its mentions; labels without one have 1. Raises UsageError for a share
    outside (0, 1) or one that the decisions exceed already, and for weights that are negative, infinite or of unknown
    labels; DataError without any token.
    """
    if not 0 < share < 1:
        raise UsageError(
            f"a review budget of {share:g} is not between 0 and 1", remedy="Give a share of tokens such as 0.05"
        )
    _check(weights or {}, schema)
    values: list[Array] = [np.zeros(0)]
    spent = tokens = 0
    for one in found:
        decision = decisions[one.document]
        doubts = token_doubts(one, decision, schema=schema, weights=_weights(weights or {}, schema))
        before = reviewed_tokens(decision, Cuts(one))
        values.append(doubts[~before])
        spent += int(before.sum())
        tokens += one.tokens
    if not tokens:
        raise DataError("a review budget needs calibration documents", remedy="Give some that training did not see")
    affordable = int(share * tokens + 1e-9)
    if spent > affordable:
        raise UsageError(
            f"without the budget {spent / tokens:.3%} of the calibration tokens go to review already, which is more "
            f"than the budget of {share:.3%}",
            remedy="Give a larger budget, a dearer review, or lower floors",
        )
    doubtful = np.sort(np.concatenate(values))[::-1]
    doubtful = doubtful[doubtful > 0]
    allowed = min(affordable - spent, len(doubtful))
    # tokens of equal doubt go together or not at all
    while 0 < allowed < len(doubtful) and doubtful[allowed - 1] == doubtful[allowed]:
        allowed -= 1
    return Budget(
        share=share,
        threshold=float(doubtful[allowed - 1]) if allowed else None,
        weights=dict(weights or {}),
        reviewed_share=(spent + allowed) / tokens,
    )


def _weights(by_label: Mapping[str, float], schema: Schema) -> Array:
    return np.array([by_label.get(label, 1.0) for label in schema.labels], dtype=np.float64)


def _check(weights: Mapping[str, float], schema: Schema) -> None:
    unknown = [label for label in weights if label not in schema.labels]
    wrong = [label for label, weight in weights.items() if not 0 <= weight < math.inf]
    if unknown or wrong:
        told = [f"the run has no label {label!r}" for label in unknown]
        told += [f"{weights[label]:g} for {label!r} is no weight" for label in wrong]
        raise UsageError("; ".join(told), remedy="Give finite weights >= 0 for labels of the run")
