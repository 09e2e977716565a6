"""Brier score: squared distance of probabilities from what was there; proper, so no trick lowers it but the truth."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from raretag.evaluation.reliability import Integers, check
from raretag.evaluation.token_columns import tag_columns


def brier_by_tag(probabilities: NDArray[Any], tags: Integers) -> tuple[float | None, ...]:
    """For each tag c the mean of (p_c − [y = c])² over judged tokens, in [0, 1]; None where no token is judged.

    Shapes and order as in `raretag.evaluation.token_columns.tag_columns`.
    """
    return tuple(
        float(np.mean(np.square(p - gold))) if len(p) else None for p, gold in tag_columns(probabilities, tags)
    )


def brier_score(probabilities: NDArray[Any], tags: Integers) -> float | None:
    """The mean of Σ_c (p_c − [y = c])² over judged tokens, in [0, 2] (Brier 1950); None where no token is judged.

    Where labels are kept apart, each label is a question of its own: the mean over labels of the score of each.
    """
    single = brier_by_tag(probabilities, tags)
    tags_of_a_layer = probabilities.shape[-1]
    layers = [single[first : first + tags_of_a_layer] for first in range(0, len(single), tags_of_a_layer)]
    told = [sum(one for one in layer if one is not None) for layer in layers if None not in layer]
    return float(np.mean(told)) if told else None


def mention_brier_score(confidences: NDArray[Any], correct: NDArray[Any]) -> float | None:
    """The mean of (confidence − correct)², in [0, 1], of mentions (n,), each right (1) or wrong (0); None of none."""
    check(confidences, correct)
    return float(np.mean(np.square(confidences.astype(np.float64) - correct))) if len(confidences) else None
