"""What was not marked and not sent to review, with its probability: a list of misses that may be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from raretag.decision.cost_table import CostTable
from raretag.decision.decided import Decision, RoutedMention
from raretag.decision.expected_cost import inside_review
from raretag.decision.stretches import in_order
from raretag.probability.candidates import Candidates
from raretag.tagging import Schema


def with_dropped(
    decision: Decision, found: Candidates, *, schema: Schema, least: float, table: CostTable | None = None
) -> Decision:
    """The same decision, also listing the dropped candidates of at least this probability, in [0, 1].

    Dropped is what is neither accepted nor, by more than half of its characters, sent to review. With `table` each is
    told its expected cost, p · miss. Raises ValueError for `least` outside [0, 1].
    """
    if not 0 <= least <= 1:
        raise ValueError(f"the least probability must be in [0, 1], not {least}")
    away = ~found.among(decision.accepted, schema=schema) & ~inside_review(decision, found)
    routed = [
        RoutedMention(
            mention=found.mention(int(number), schema=schema),
            route="drop",
            expected_cost=None
            if table is None
            else float(found.probabilities[number] * table.miss[found.labels[number]]),
        )
        for number in np.flatnonzero(away & (found.probabilities >= least))
    ]
    return replace(decision, routed=in_order([*decision.routed, *routed]))
