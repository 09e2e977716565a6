"""Weights of tags from their counts: power family, effective number, WeLT, one minus share."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from raretag.objectives.base import Array, checked_counts, checked_groups


def power_weights(
    counts: npt.ArrayLike,
    *,
    groups: npt.ArrayLike | None = None,
    gamma: float = 0.5,
    cap: float = 10.0,
    tie: bool = True,
) -> Array:
    """w_c ∝ n_c^{−γ}, float64 (tags,). Arguments but gamma, scale and errors as of `scaled_weights`.

    gamma: >= 0; 0 unweighted, 0.5 inverse square root of the count, 1 inverse count.
    """
    if gamma < 0:
        raise ValueError(f"gamma must be >= 0, not {gamma}")
    return scaled_weights(counts, lambda n: (n / n.max()) ** -gamma, groups=groups, cap=cap, tie=tie)


def effective_number_weights(
    counts: npt.ArrayLike,
    *,
    groups: npt.ArrayLike | None = None,
    beta: float = 0.999,
    cap: float = 10.0,
    tie: bool = True,
) -> Array:
    """w_c ∝ (1 − β) / (1 − β^{n_c}), float64 (tags,): one through the effective number of samples.

    beta: in [0, 1); 0 is unweighted, towards 1 it becomes the inverse count. Other arguments, scale and errors as of
    `scaled_weights`. Source: Cui et al. 2019, arXiv 1901.05555.
    """
    if not 0 <= beta < 1:
        raise ValueError(f"beta must be in [0, 1), not {beta}")
    log_beta = np.log(beta) if beta > 0 else -np.inf
    # 1 - β^n by expm1: by itself it loses its digits where β^n is near 1
    return scaled_weights(counts, lambda n: (1 - beta) / -np.expm1(n * log_beta), groups=groups, cap=cap, tie=tie)


def welt_weights(counts: npt.ArrayLike, *, groups: npt.ArrayLike | None = None, tie: bool = True) -> Array:
    """w ∝ softmax_c(1 − n_c / N), float64 (tags,); no two weights differ by more than a factor e.

    Arguments, scale and errors as of `scaled_weights`. Source: Mobasher et al. 2023, BioNLP, 2023.bionlp-1.40.
    """
    return scaled_weights(counts, lambda n: np.exp(1 - n / n.sum()), groups=groups, tie=tie)


def one_minus_share_weights(counts: npt.ArrayLike, *, groups: npt.ArrayLike | None = None, tie: bool = True) -> Array:
    """w_c ∝ 1 − n_c / N, float64 (tags,). Arguments, scale and errors as of `scaled_weights`.

    Source: Rehman et al. 2024, arXiv 2409.03238.
    """
    # the others summed up: N − n_c would round to 0 for a tag that is nearly all there is
    return scaled_weights(counts, lambda n: ~np.eye(len(n), dtype=np.bool_) @ n / n.sum(), groups=groups, tie=tie)


def scaled_weights(
    counts: npt.ArrayLike,
    scheme: Callable[[Array], Array],
    *,
    groups: npt.ArrayLike | None = None,
    cap: float = np.inf,
    tie: bool = True,
) -> Array:
    """Weights of a scheme, tied, capped, and scaled to Σ_c n_c w_c = Σ_c n_c; float64 (tags,).

    counts: training tokens of each tag (tags,). scheme: from counts > 0, of labels if tied, else of tags, to weights
    > 0. groups: int (tags,), equal numbers are tags of one label; None: every tag alone. cap: largest ratio of a weight
    to the smallest, >= 1. tie: tags of a label get the weight of their summed count; otherwise groups have no part.

    The scale gives a training token a mean weight of 1, so that learning rates stay comparable with cross-entropy.
    Tags without a training token get 0. Where there is nothing to weigh against, the weight is 1.
    Raises ValueError for a cap below 1, groups that do not fit, or counts that are not numbers >= 0 with one above 0.
    """
    if not cap >= 1:
        raise ValueError(f"cap must be >= 1, not {cap}")
    n = checked_counts(counts)
    names = checked_groups(groups if tie else None, tags=len(n))
    _, group = np.unique(names, return_inverse=True)
    totals = np.bincount(group, weights=n).astype(np.float64)
    seen = totals > 0
    ratios = np.zeros_like(totals)
    ratios[seen] = scheme(totals[seen]) if seen.sum() > 1 else 1.0
    ratios[seen] = np.minimum(ratios[seen] / ratios[seen].min(), cap)
    weights = np.where(n > 0, ratios[group], 0.0)
    return np.asarray(weights * (n.sum() / (n @ weights)))
