"""Rules that decide about a document from its candidates."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Literal, final

import numpy as np
from pydantic import BaseModel, ConfigDict

from raretag.corpus import Mention
from raretag.decision.bayes_risk import least_expected_cost
from raretag.decision.cost_table import CostTable
from raretag.decision.costs import Costs
from raretag.decision.decided import Decision, RoutedMention
from raretag.decision.expected_cost import priced
from raretag.decision.stretches import decided, in_order
from raretag.decision.thresholds import Thresholds
from raretag.probability.candidates import Candidates
from raretag.tagging import Schema

Rule = Literal["argmax", "thresholds", "costs"]


class Policy(BaseModel, ABC):
    """Candidates of a document in, a decision about it out; frozen, as JSON in and out."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @final
    def decide(self, found: Candidates, *, schema: Schema, argmax: Sequence[Mention] | None = None) -> Decision:
        """What becomes of the document. argmax: the mentions on its most probable path, for the rule that takes them.

        Raises ValueError where the rule needs `argmax` and has none.
        """
        return self._decide(found, schema=schema, argmax=argmax)

    @abstractmethod
    def _decide(self, found: Candidates, *, schema: Schema, argmax: Sequence[Mention] | None) -> Decision:
        """The decision."""


@final
class ArgmaxPolicy(Policy):
    """Accept the mentions on the most probable valid path, and review nothing (Viterbi 1967)."""

    def _decide(self, found: Candidates, *, schema: Schema, argmax: Sequence[Mention] | None) -> Decision:
        del schema
        if argmax is None:
            raise ValueError("the argmax rule needs the mentions on the most probable path")
        routed = [RoutedMention(mention=mention, route="accept") for mention in argmax]
        return Decision(
            document=found.document, routed=in_order(routed), tokens=found.tokens, reviewed_tokens=0, reviews=0
        )


@final
class ThresholdPolicy(Policy):
    """Accept what is above the threshold of its label, and review nothing."""

    thresholds: Thresholds

    def _decide(self, found: Candidates, *, schema: Schema, argmax: Sequence[Mention] | None) -> Decision:
        del argmax
        accepted = self.thresholds.accept(found, schema=schema)
        return decided(found, accepted=accepted, reviewed=np.zeros(found.tokens, dtype=bool), schema=schema)


@final
class CostPolicy(Policy):
    """Accept, review or drop at the least expected cost."""

    costs: Costs

    def _decide(self, found: Candidates, *, schema: Schema, argmax: Sequence[Mention] | None) -> Decision:
        del argmax
        table = CostTable.of(self.costs, schema)
        accepted, reviewed = least_expected_cost(found, table=table, layered=schema.layered)
        decision = decided(found, accepted=accepted, reviewed=reviewed, schema=schema)
        return priced(decision, found, table=table, schema=schema)
