"""Conformal risk control: the threshold at which the expected share of missed mentions is at most alpha."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """What a threshold promises: the bound (Σ L_i + 1) / (n + 1) that holds at `threshold`.

    threshold: on doubt, >= 0; 0 where the whole note must be reviewed, infinity where nothing need be; None where there
    are too few units for any promise, and then the bound is 1 / (n + 1).
    """

    threshold: float | None
    bound: float


def units_needed(alpha: float) -> int:
    """The fewest units that can promise anything: the least n with 1 / (n + 1) <= alpha, for alpha in (0, 1)."""
    # 1 − 0.95 is a little more than 0.05
    return max(1, math.ceil(1 / alpha - 1 - 1e-9))


def control(losses: Sequence[Array], *, alpha: float) -> Control:
    """The largest threshold τ with (Σ_i L_i(τ) + 1) / (n + 1) <= alpha.

    Angelopoulos et al. 2022 (arXiv 2208.02814, theorem 1) with losses in [0, 1]: the expected loss of a new unit, if
    exchangeable with these, is then at most alpha. The theorem asks that some threshold is safe whatever the data are:
    τ = 0 is, for it sends the whole note to review. losses: for each unit (a patient, or a document of none) the
    `found_at` of its gold mentions, float64, >= 0, at least one of them; L_i(τ) is the share of them below τ, which
    grows with τ. Raises ValueError for alpha outside (0, 1) and for a unit without any mention.
    """
    if not 0 < alpha < 1:
        raise ValueError(f"alpha must be in (0, 1), not {alpha}")
    if any(not len(unit) for unit in losses):
        raise ValueError("a unit without a gold mention says nothing of missed ones")
    values = np.concatenate([np.zeros(0), *losses])
    shares = np.concatenate([np.zeros(0), *(np.full(len(unit), 1 / len(unit)) for unit in losses)])
    order = np.argsort(values, kind="stable")
    values = values[order]
    missed = np.concatenate([[0.0], np.cumsum(shares[order])])
    levels = np.unique(np.concatenate([values, [0.0, np.inf]]))
    bounds = (missed[np.searchsorted(values, levels, side="left")] + 1) / (len(losses) + 1)
    # cumulative sums of shares such as 1/3 round
    kept = np.flatnonzero(bounds <= alpha + 1e-9)
    if not len(kept):
        return Control(threshold=None, bound=float(bounds[0]))
    return Control(threshold=float(levels[kept[-1]]), bound=float(bounds[kept[-1]]))


def by_unit(found: Mapping[str, Array], units: Mapping[str, tuple[str, str]]) -> list[Array]:
    """`found_at` by document id, joined by what documents are drawn with; units without any mention are left out."""
    together: dict[tuple[str, str], list[Array]] = {}
    for document, values in found.items():
        if len(values):
            together.setdefault(units[document], []).append(values)
    return [np.concatenate(parts) for parts in together.values()]
