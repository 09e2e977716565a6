"""What a decision is expected to cost, by the probabilities of all candidates."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from raretag.decision.cost_table import CostTable
from raretag.decision.coverage import joined
from raretag.decision.decided import Decision, RoutedMention
from raretag.decision.stretches import Cuts, reviews
from raretag.probability.candidates import Candidates
from raretag.tagging import Schema


def priced(decision: Decision, found: Candidates, *, table: CostTable, schema: Schema) -> Decision:
    """The same decision with expected costs, in the currency of the costs.

    An accepted mention costs a false alarm unless it is there, or the wrong label where another label has its span; a
    stretch costs its reviews; each candidate that is neither costs a miss, times its probability. Sums may differ
    between the mentions and the whole, for the whole holds what is dropped as well. An accepted mention counts with
    its probability as a candidate, and where it is none with its score. This is the expectation of what `Outcomes`
    counts, priced by `table`. Raises ValueError for an accepted mention that is no candidate and has no score.
    """
    accepted = found.among(decision.accepted, schema=schema)
    reviewed = inside_review(decision, found)
    p, labels = found.probabilities, found.labels
    total = float((p * table.miss[labels])[~accepted & ~reviewed].sum())
    routed, cuts = [], Cuts(found)
    for one in decision.routed:
        if one.route == "drop":
            routed.append(one)
        elif one.route == "review":
            price = (table.review or 0.0) * reviews([one.mention], cuts)
            routed.append(replace(one, expected_cost=price))
            total += price
        else:
            own, instead = _of_accepted(one, found, reviewed, table=table, schema=schema)
            routed.append(replace(one, expected_cost=max(0.0, own)))
            # the other labels of the span were counted as missed
            total += own - instead
    return replace(decision, routed=tuple(routed), expected_cost=max(0.0, total))


def _of_accepted(
    one: RoutedMention, found: Candidates, reviewed: npt.NDArray[np.bool_], *, table: CostTable, schema: Schema
) -> tuple[float, float]:
    """The expected cost of accepting a mention, and the part of it that stands in place of misses."""
    mention, label = one.mention, schema.labels.index(one.mention.label)
    whole = len(mention.covered) == 1
    span = whole & (found.starts == mention.start) & (found.ends == mention.end)
    own = found.probabilities[span & (found.labels == label)]
    chance = float(own[0]) if len(own) else mention.score
    if chance is None:
        raise ValueError(f"an accepted mention of document {found.document!r} is no candidate and has no score")
    cost = (1 - chance) * float(table.false_alarm[label])
    if schema.layered:
        return cost, 0.0
    same = span & (found.labels != label) & ~reviewed
    p, labels = found.probabilities[same], found.labels[same]
    cost += float((p * (table.wrong_label[labels, label] - table.false_alarm[label])).sum())
    return cost, float((p * table.miss[labels]).sum())


def inside_review(decision: Decision, found: Candidates) -> npt.NDArray[np.bool_]:
    """bool (candidates,): more than half of the characters lie in stretches sent to review."""
    shared = np.zeros(len(found), dtype=np.int64)
    for start, end in joined([(one.start, one.end) for one in decision.reviewed]):
        shared += np.maximum(0, np.minimum(found.ends, end) - np.maximum(found.starts, start))
    return np.asarray(2 * shared > found.ends - found.starts)
