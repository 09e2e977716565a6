"""How likely each token belongs to a mention that would be missed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from raretag.corpus import Mention
from raretag.decision.coverage import exactly_found
from raretag.decision.decided import Decision
from raretag.decision.stretches import Cuts, reviewed_tokens, send_to_review
from raretag.probability.candidates import Candidates
from raretag.tagging import Schema

Array = npt.NDArray[np.float64]


def token_doubts(
    found: Candidates,
    decision: Decision,
    *,
    schema: Schema,
    labels: Sequence[str] | None = None,
    weights: Array | None = None,
) -> Array:
    """Σ p_s over the candidates s that cover a token and are not accepted: float64 (tokens,), >= 0.

    That is P(the token belongs to a mention of `labels`) less what the accepted mentions explain of it. labels: whose
    mentions count; None: all. weights: float64 (labels of the schema,), factors >= 0 of p_s by its label; None: 1.
    """
    chances = found.probabilities * (1.0 if weights is None else weights[found.labels])
    counted = ~found.among(decision.accepted, schema=schema)
    if labels is not None:
        counted &= np.isin(found.labels, [schema.labels.index(label) for label in labels])
    steps = np.zeros(found.tokens + 1)
    np.add.at(steps, found.firsts[counted], chances[counted])
    np.add.at(steps, found.lasts[counted] + 1, -chances[counted])
    # sums of steps leave rounding where there is nothing
    return np.asarray(np.maximum(np.round(np.cumsum(steps)[:-1], 12), 0.0))


def read_from(least: float, decision: Decision, found: Candidates, *, schema: Schema) -> Decision:
    """The decision with all tokens sent to review whose doubt is at least `least` > 0; accepted mentions stay."""
    doubts = token_doubts(found, decision, schema=schema)
    return send_to_review(decision, found, tokens=doubts >= least, doubts=doubts, schema=schema)


def found_at(gold: Sequence[Mention], found: Candidates, decision: Decision, *, doubts: Array) -> Array:
    """The largest threshold on doubt at which each mention is found: float64 (mentions,), >= 0.

    A mention is found where it is accepted exactly, or where more than half of its characters lie in stretches sent to
    review, those of the tokens with doubt >= threshold and those of the decision together; and where these are all
    tokens, for then the whole note is read. Infinity: by the decision alone. 0: only by a review of the whole note,
    since no candidate reaches half of it. So it is told by `outcomes` for each threshold.
    """
    cuts = Cuts(found)
    exact = exactly_found(gold, decision.accepted)
    if not found.tokens:
        return np.where(exact, np.inf, 0.0)
    levels = np.where(reviewed_tokens(decision, cuts), np.inf, doubts)[cuts.tokens[:-1]]
    # blanks between two stretches are looked at where both are
    between = np.minimum(levels[:-1], levels[1:])
    starts = np.concatenate([cuts.begins[:-1], cuts.ends[1:-1]])
    ends = np.concatenate([cuts.ends[1:], cuts.begins[1:-1]])
    values = np.concatenate([levels, between])
    order = np.argsort(-values, kind="stable")
    starts, ends, values = starts[order], ends[order], values[order]
    whole_note = float(levels.min())
    result = np.where(exact, np.inf, whole_note)
    for number, mention in enumerate(gold):
        if exact[number]:
            continue
        parts = mention.covered
        size = sum(end - start for start, end in parts)
        shared = np.zeros(len(values), dtype=np.int64)
        for start, end in parts:
            shared += np.maximum(0, np.minimum(ends, end) - np.maximum(starts, start))
        enough = np.flatnonzero(2 * np.cumsum(shared) > size)
        if len(enough):
            result[number] = values[enough[0]]
    return result
