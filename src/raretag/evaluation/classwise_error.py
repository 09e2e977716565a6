"""Class-wise calibration error: the probability of every tag, not only of the most probable one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal, final, get_args

import numpy as np
from numpy.typing import NDArray

from raretag.evaluation.calibration_error import calibration_error
from raretag.evaluation.reliability import BINS, Floats, Integers
from raretag.evaluation.token_columns import Booleans, tag_columns

Selection = Literal["all", "likely", "likely_or_gold"]
LIKELY: Final = 0.01


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ClasswiseError:
    """The calibration error of each tag, None where no token is looked at, and the mean of those there are."""

    mean: float | None
    by_tag: tuple[float | None, ...]


def classwise_calibration_error(
    probabilities: NDArray[Any], tags: Integers, *, over: Selection = "all", bins: int = BINS
) -> ClasswiseError:
    """Class-wise ECE = (1/K) Σ_c Σ_b |B_bc| / n_c · |share of gold c − mean p_c|, in [0, 1].

    Kull et al. (2019, arXiv 1910.12656).

    Shapes as in `tag_columns`, tags in its order; bins of equal width over p_c. over: which tokens count for tag c: all
    (nearly all have p_c = 0, which swamps rare tags), likely (p_c > 0.01), or likely_or_gold (those, and all that are
    c). The last one shows what was overlooked, but is not 0 even where all probabilities are true, since it picks
    tokens by their gold.
    """
    if over not in get_args(Selection):
        raise ValueError(f"no such selection: {over!r}; there are {', '.join(get_args(Selection))}")
    errors = []
    for p, gold in tag_columns(probabilities, tags):
        kept = _kept(p, gold, over=over)
        errors.append(calibration_error(p[kept], gold[kept], bins=bins))
    told = [error for error in errors if error is not None]
    return ClasswiseError(mean=float(np.mean(told)) if told else None, by_tag=tuple(errors))


def _kept(p: Floats, gold: Booleans, *, over: Selection) -> Booleans:
    if over == "all":
        return np.ones(len(p), dtype=np.bool_)
    likely = p > LIKELY
    return np.asarray(likely if over == "likely" else likely | gold)
