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


def expected_shares(probabilities: npt.NDArray[np.floating], *, schema: Schema) -> Array:
    """Σ p / tokens by label, float64 (labels + 1,), summing to 1.

    probabilities: float (tokens, tags), or (tokens, labels, tags of a label) of a layered schema: there `O` has what
    the labels leave of 1, at least 0.
    """
    means = probabilities.mean(axis=0, dtype=np.float64)
    if schema.layered:
        own = means[:, 1:].sum(axis=1)
        means = np.concatenate([[max(0.0, 1.0 - own.sum())], own])
    else:
        means = np.bincount(schema.groups, weights=means)
    return np.asarray(means / means.sum())


def counted_shares(tags: Integers, *, schema: Schema) -> Array:
    """The share of tokens that have each label, float64 (labels + 1,), summing to 1.

    tags: int64 (tokens,), or (tokens, labels) of a layered schema, where a token may have several labels; −100 is left
    out.
    """
    counts = np.bincount(schema.groups, weights=schema.count(tags).astype(np.float64))
    return np.asarray(counts / counts.sum())


def decided(probabilities: Floats, *, decision: Decision, documents: Integers, schema: Schema) -> Integers:
    """Tags by argmax, or on each document's most probable valid path. documents: int64 (tokens,), in order."""
    if decision == "argmax":
        return np.asarray(probabilities.argmax(axis=-1), dtype=np.int64)
    pieces: Sequence[Floats] = np.split(probabilities, np.flatnonzero(np.diff(documents)) + 1)
    return np.concatenate(viterbi(pieces, schema=schema))


def sampled(probabilities: Floats, *, rng: np.random.Generator) -> Integers:
    """A tag for each token, y ~ p; of the shape of `probabilities` without its last axis."""
    totals = probabilities.cumsum(axis=-1, dtype=np.float64)
    draws = rng.random(totals.shape[:-1])[..., None] * totals[..., -1:]
    return np.asarray((totals <= draws).sum(axis=-1), dtype=np.int64)


def information(probabilities: npt.NDArray[np.floating], tags: Integers) -> float:
    """1 − Σ log p(y) / Σ log π(y): 0 for shares alone, 1 for certainty about every tag (McFadden's pseudo-R²).

    probabilities: float (tokens, tags) or (tokens, labels, tags of a label). tags: int64 (tokens,) or (tokens, labels),
    >= 0. π: the shares of the tags themselves, for each label where they are kept apart.
    """
    own = np.take_along_axis(probabilities, tags[..., None], axis=-1)[..., 0].astype(np.float64)
    number = probabilities.shape[-1]
    columns = tags.reshape(len(tags), -1).T
    shares = np.stack([np.bincount(column, minlength=number) / len(column) for column in columns])
    entropy = -float((shares * np.log(np.where(shares > 0, shares, 1))).sum()) * len(tags)
    surprise = -float(np.log(np.maximum(own, np.finfo(np.float32).tiny)).sum())
    return 1 - surprise / entropy if entropy > 0 else 0.0
