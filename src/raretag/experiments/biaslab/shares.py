"""From tags and their probabilities to shares of the labels, `O` first; the three ways to read a prediction."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from raretag.decision import viterbi
from raretag.experiments.biaslab.mechanisms import Decision
from raretag.tagging import Schema

Array = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]


def by_label(probabilities: npt.NDArray[np.floating], *, schema: Schema) -> Array:
    """The probability of each label, `O` first, float64 (tokens, labels + 1), rows summing to 1.

    probabilities: float (tokens, tags), or (tokens, labels, tags of a label) of a layered schema. There labels do not
    know of each other: as the designs give a token one label at most, `O` gets what they leave of 1, at least 0.
    """
    if schema.layered:
        own = probabilities[:, :, 1:].sum(axis=2, dtype=np.float64)
        found = np.column_stack([np.maximum(1.0 - own.sum(axis=1), 0.0), own])
    else:
        found = np.zeros((len(probabilities), len(schema.labels) + 1))
        np.add.at(found.T, schema.groups, probabilities.T.astype(np.float64))
    return np.asarray(found / found.sum(axis=1, keepdims=True))


def counted_shares(tags: Integers, *, schema: Schema) -> Array:
    """How often each label is given, `O` first, as shares: float64 (labels + 1,), summing to 1.

    tags: int64 (tokens,), or (tokens, labels) of a layered schema, where a token may have several labels and then
    counts for each; −100 is left out.
    """
    counts = np.bincount(schema.groups, weights=schema.count(tags).astype(np.float64))
    return np.asarray(counts / counts.sum())


def decided(probabilities: Floats, *, decision: Decision, documents: Integers, schema: Schema) -> Integers:
    """Tags by argmax, or on each document's most probable valid path. documents: int64 (tokens,), in order."""
    if decision == "argmax":
        return np.asarray(probabilities.argmax(axis=-1), dtype=np.int64)
    pieces: Sequence[Floats] = np.split(probabilities, np.flatnonzero(np.diff(documents)) + 1)
    return np.concatenate(viterbi(pieces, schema=schema))


def sampled(shares: Array, *, rng: np.random.Generator) -> Array:
    """The shares of labels drawn from `by_label`, one for each token: float64 (labels + 1,), summing to 1."""
    totals = shares.cumsum(axis=1)
    drawn = (totals <= rng.random((len(shares), 1)) * totals[:, -1:]).sum(axis=1)
    return np.asarray(np.bincount(drawn, minlength=shares.shape[1]) / len(shares))


def information(shares: Array, outcomes: Integers) -> float:
    """1 − Σ log p(y) / Σ log π(y): 0 for shares alone, 1 for certainty about every label (McFadden's pseudo-R²).

    shares: p, float64 (tokens, outcomes), rows summing to 1. outcomes: y, int64 (tokens,). π: the shares of y itself.
    0 where there is nothing to know.
    """
    own = shares[np.arange(len(outcomes)), outcomes]
    counts = np.bincount(outcomes, minlength=shares.shape[1])
    entropy = -float((counts * np.log(np.where(counts > 0, counts, 1) / max(len(outcomes), 1))).sum())
    surprise = -float(np.log(np.maximum(own, np.finfo(np.float32).tiny)).sum())
    return 1 - surprise / entropy if entropy > 0 else 0.0
