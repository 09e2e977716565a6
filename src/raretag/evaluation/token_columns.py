"""Token probabilities read one tag at a time, and by the tag that is most probable."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from raretag.evaluation.reliability import Floats, Integers
from raretag.tagging import IGNORE

Booleans = NDArray[np.bool_]


def tag_columns(probabilities: NDArray[Any], tags: Integers) -> Iterator[tuple[Floats, Booleans]]:
    """For each tag its probability and whether gold has it, float64 (m,) and bool (m,), over the m judged tokens.

    probabilities: (n, K) and tags (n,), or (n, L, T) and (n, L) where labels are kept apart: then label by label, each
    of its tags. Tokens tagged −100 are left out. One column at a time is in memory. Raises ValueError for other shapes.
    """
    _check(probabilities, tags)
    layers = probabilities[:, None] if tags.ndim == 1 else probabilities
    truth = tags[:, None] if tags.ndim == 1 else tags
    for layer in range(truth.shape[1]):
        judged = truth[:, layer] != IGNORE
        gold = truth[judged, layer]
        for tag in range(layers.shape[2]):
            yield layers[:, layer, tag][judged].astype(np.float64), gold == tag


def top_confidences(
    probabilities: NDArray[Any], tags: Integers, *, owners: Integers
) -> tuple[Floats, Booleans, Integers]:
    """Of each judged token the greatest probability, whether that tag is the gold one, and its owner; all (m,).

    Where labels are kept apart, a token counts once for each label. Shapes as in `tag_columns`.
    """
    _check(probabilities, tags)
    judged = tags != IGNORE
    right = probabilities.argmax(axis=-1) == tags
    each = owners if tags.ndim == 1 else np.broadcast_to(owners[:, None], tags.shape)
    return probabilities.max(axis=-1)[judged].astype(np.float64), right[judged], each[judged]


def _check(probabilities: NDArray[Any], tags: Integers) -> None:
    if probabilities.ndim not in (2, 3) or tags.shape != probabilities.shape[:-1]:
        raise ValueError(f"probabilities {probabilities.shape} and tags {tags.shape} do not fit")
