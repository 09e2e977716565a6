"""Mentions to accept and stretches to review at the least expected cost, or close to it."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from raretag.decision.choices import Choices
from raretag.decision.cost_table import CostTable
from raretag.probability.candidates import Candidates

Integers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

# after two or three rounds nothing changes any more
_ROUNDS: Final = 5


def least_expected_cost(found: Candidates, *, table: CostTable, layered: bool = False) -> tuple[Integers, Mask]:
    """Numbers of the candidates to accept, int64 and ascending, and the tokens to review, bool (tokens,).

    Minimum Bayes risk. Against dropping everything,

        accept s of label k:  p_s miss_k − (1 − p_s) false_alarm_k
                              + Σ_{k' ≠ k, same span} p_k' (false_alarm_k + miss_k' − wrong_label_{k',k})
        review stretch r:     Σ p_s miss_s − review · looks(r), over s more than half of whose characters are in r

    is gained, and gains of what lies apart add up, since expectations do: sets that share no token are searched
    exactly. Then stretches may also lie over accepted mentions, and in a layered schema mentions of one label over
    those of another: the best reviews are taken given what is accepted, and what is best accepted given these, each
    exactly and in turns, from that set, from accepting alone (all that pays, or what is likely) and from reviewing
    alone. What is cheapest by `priced` is kept. Accepted mentions (of a label, if layered) share no token. In a layered
    schema there is no wrong label, and a review finds mentions of every label in it. What lies in a stretch is left to
    the person who looks at it, however sure: accepted it could only be a false alarm.

    Not always the least: such turns can end beside it, stretches of more than ten tokens are put together from shorter
    ones, and a mention that only two stretches apart find together is held to be missed. Beside every set of accepted
    mentions and reviewed spans of 300 small documents, flat and layered, it was dearer once, by 47 %
    (`tests/decision/test_bayes_risk.py`); no such figure is known for long ones.
    """
    choices = Choices(found, table, layered=layered)
    nothing = np.zeros(0, dtype=np.int64)
    alone = choices.accept(nothing)
    if table.review is None:
        return alone, choices.tokens(nothing)
    best = choices.apart()
    least = choices.cost(*best)
    for start in (best[0], alone, alone[found.probabilities[alone] > 0.5], nothing):
        accepted = start
        for _ in range(_ROUNDS):
            before, reviewed = accepted, choices.review(accepted)
            accepted = choices.accept(reviewed)
            for some in (before, accepted):
                # rounding is no gain
                if (cost := choices.cost(some, reviewed)) < least - 1e-9:
                    best, least = (some, reviewed), cost
            if np.array_equal(before, accepted):
                break
    return best[0], choices.tokens(best[1])
