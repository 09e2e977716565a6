"""Whether predictions that know nothing but the planted probabilities could be as far from the data as these are."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from raretag.evaluation.fidelity import ROUNDING, Floats, kl_divergence, normalised, smoothed

Reading = Literal["soft", "hard", "sampled"]

# far below the divergence that a single token among millions makes
ZERO = 1e-15


def planted_p_value(
    predicted: Floats,
    empirical: Floats,
    *,
    planted: Floats,
    sizes: NDArray[np.int64],
    reading: Reading,
    learned: NDArray[np.int64] | None = None,
    simulations: int = 1999,
    seed: int,
) -> float:
    """The p-value, in (0, 1], of predicted against empirical shares where labels were drawn at random.

    Null hypothesis: each unit (a token, a mention, a word type) got one label for all its tokens, independently, at
    the planted probabilities; predictions know these probabilities and nothing of what was drawn. By the reading
    `soft` predicted shares are these probabilities; by `hard` and `sampled` each of the T = Σ sizes tokens is
    predicted independently at them. Statistic: `Fidelity.kl` with tokens = T. p = (1 + number of simulations at least
    as far as observed) / (1 + simulations), as Phipson & Smyth (2010, arXiv 1603.05766) have it for random
    permutations; what ties with it up to rounding counts.

    predicted, empirical: float64 (labels,), >= 0, up to a factor, as for `fidelity`. planted: float64 (labels,),
    >= 0, sum 1. sizes: int64 (units,), >= 1, tokens of each unit. learned: int64 (units,), >= 1, tokens of each unit
    of other text that was labelled likewise: predictions then know, in place of the planted probabilities, what shares
    came out there, as one who has learned from it. simulations: >= 1. seed: >= 0, the same seed gives the same p.
    Raises ValueError for anything else.
    """
    labels = len(planted)
    chances = _planted(planted, labels=labels)
    _check(sizes, reading=reading, simulations=simulations, seed=seed)
    total = int(sizes.sum())
    observed = kl_divergence(
        smoothed(normalised(empirical, name="empirical", labels=labels), tokens=total),
        smoothed(normalised(predicted, name="predicted", labels=labels), tokens=total),
    )
    rng = np.random.default_rng(seed)
    truth = _label_units(sizes, chances=chances, simulations=simulations, rng=rng) / total
    known = chances
    if learned is not None:
        _check(learned, reading=reading, simulations=simulations, seed=seed)
        known = _label_units(learned, chances=chances, simulations=simulations, rng=rng) / learned.sum()
    told = known if reading == "soft" else rng.multinomial(total, known, size=simulations) / total
    simulated = kl_divergence(smoothed(truth, tokens=total), smoothed(told, tokens=total))
    at_least = int((simulated >= observed * (1 - ROUNDING) - ZERO).sum())
    return (1 + at_least) / (1 + simulations)


def _label_units(
    sizes: NDArray[np.int64], *, chances: Floats, simulations: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Tokens of each label when units are labelled at random: int64 (simulations, labels)."""
    counts = np.zeros((simulations, len(chances)), dtype=np.int64)
    # units of one size are exchangeable, so that how many of them get each label is all that matters
    for size, units in zip(*np.unique(sizes, return_counts=True), strict=True):
        counts += size * rng.multinomial(units, chances, size=simulations)
    return counts


def _planted(planted: Floats, *, labels: int) -> Floats:
    chances = normalised(planted, name="planted", labels=labels)
    total = float(np.sum(planted))
    if abs(total - 1) > ROUNDING:
        raise ValueError(f"planted probabilities sum to {total!r}, not to 1")
    return chances


def _check(sizes: NDArray[np.int64], *, reading: str, simulations: int, seed: int) -> None:
    if sizes.ndim != 1 or len(sizes) == 0 or not np.issubdtype(sizes.dtype, np.integer):
        raise ValueError(f"sizes is {sizes.dtype} of shape {sizes.shape}: give whole numbers, one for each unit")
    if sizes.min() < 1:
        raise ValueError(f"a unit of {sizes.min()} tokens: give sizes >= 1")
    if reading not in get_args(Reading):
        raise ValueError(f"no such reading: {reading!r}; there are {', '.join(get_args(Reading))}")
    if simulations < 1 or seed < 0:
        raise ValueError(f"simulations = {simulations}, seed = {seed}: give at least 1 and at least 0")
