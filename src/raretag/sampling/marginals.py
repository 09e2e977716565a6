"""What the targets of batches are: measured on drawn batches, completed by what is expected of those to come."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


class Kind(NamedTuple):
    """A kind of batch: its share of all batches, the expected visits of each window (windows,), and its focus."""

    share: float
    visits: Array
    focus: int


def completed(batches: Sequence[Array], *, expected: Array) -> Array:
    """Each batch's counts as shares, divided by the number of batches: float64 (batches, *shape of a batch's counts).

    Batches without a target are left out. What is never drawn but expected (> 0) gets its expected share, so that
    nothing that may come has probability 0.
    """
    rows = np.stack([counts / counts.sum() for counts in batches if counts.sum() > 0])
    missing = np.where(rows.sum(axis=0) > 0, 0.0, expected / expected.sum())
    return np.asarray((rows * (1 - missing.sum()) + missing) / len(rows))
