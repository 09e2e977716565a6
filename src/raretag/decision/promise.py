"""A promise about missed mentions: what it covers, what it refuses, and how it is kept."""

from __future__ import annotations

from typing import final

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from raretag.decision.decided import Decision
from raretag.decision.doubt import token_doubts
from raretag.decision.stretches import send_to_review
from raretag.probability.candidates import Candidates
from raretag.tagging import Schema


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


@final
class PromisedUnit(_Record):
    """The expected share of missed gold mentions of these labels, for a new unit that has any, is at most alpha.

    A unit is a patient where documents name one, else a document; its share is over all of its mentions.
    """

    labels: tuple[str, ...] = Field(min_length=1)
    alpha: float = Field(gt=0, lt=1)
    units: int = Field(ge=1, description="patients, or documents of none, of calibration that have these labels")
    mentions: int = Field(ge=1, description="their gold mentions")
    unreached: int = Field(ge=0, description="of these, how many no candidate reaches: only the whole note finds them")
    threshold: float | None = Field(
        ge=0, description="of doubt; 0: the whole note goes to review; None: nothing does, but for the rule's reviews"
    )
    bound: float = Field(ge=0, le=1, description="(Σ loss + 1) / (units + 1), at most alpha")
    pooled: str = Field(default="", description="why labels are taken together; empty for one label alone")


@final
class RefusedUnit(_Record):
    """Labels that nothing is promised for: too few units have them."""

    labels: tuple[str, ...] = Field(min_length=1)
    alpha: float = Field(gt=0, lt=1)
    units: int = Field(ge=0, description="patients, or documents of none, that have one of the labels that were tried")
    needed: int = Field(ge=1, description="units that the alpha asks for at the least")
    why: str


@final
class Promise(_Record):
    """Label by label or in pools: what is promised, and what is refused."""

    units: tuple[PromisedUnit, ...]
    refused: tuple[RefusedUnit, ...] = ()

    def apply(self, decision: Decision, found: Candidates, *, schema: Schema) -> Decision:
        """The decision with the stretches that every entry sends to review, all together; accepted mentions stay."""
        tokens = np.zeros(found.tokens, dtype=bool)
        doubts = np.zeros(found.tokens)
        for unit in self.units:
            if unit.threshold is None:
                continue
            own = token_doubts(found, decision, schema=schema, labels=unit.labels)
            tokens |= own >= unit.threshold
            doubts = np.maximum(doubts, np.where(own >= unit.threshold, own, 0.0))
        return send_to_review(decision, found, tokens=tokens, doubts=doubts, schema=schema)
