"""Fidelity of probabilities: what they say on the mean of each label, beside what the data have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, final

import numpy as np
from numpy.typing import NDArray

from raretag.evaluation.fidelity import Fidelity, fidelity
from raretag.evaluation.planted_null import Reading
from raretag.evaluation.reliability import Floats, Integers
from raretag.probability.evidence import Evidence
from raretag.tagging import Schema
from raretag.tagging.schema import OUTSIDE

# tokens at a time: the rest of the memory is what the probabilities themselves take
_BLOCK: Final = 8192


def fidelity_of(evidence: Evidence, *, seed: int) -> dict[Reading, Fidelity]:
    """By reading (soft, hard, sampled), how far the labels' shares are from the gold; empty without judged tokens.

    Labels are O first, then `schema.labels`; B and I of a label count together. hard takes the most probable tag of
    each token by itself; sampled draws a tag for each token, seed >= 0. Where labels are kept apart, a share is of
    presences: a token counts for each label it has, and for O where it has none (soft: Π of the probabilities of being
    outside); it must be judged by all labels.
    """
    schema = evidence.schema
    judged = evidence.judged if evidence.tags.ndim == 1 else evidence.judged.all(axis=1)
    places = np.flatnonzero(judged)
    if not len(places):
        return {}
    rng = np.random.default_rng(seed)
    width = 1 + len(schema.labels)
    sums: dict[Reading, Floats] = {"soft": np.zeros(width), "hard": np.zeros(width), "sampled": np.zeros(width)}
    for first in range(0, len(places), _BLOCK):
        p = evidence.probabilities[places[first : first + _BLOCK]].astype(np.float64)
        sums["soft"] += _soft(p, schema=schema)
        sums["hard"] += _presences(p.argmax(axis=-1), schema=schema)
        sums["sampled"] += _presences(_drawn(p, rng=rng), schema=schema)
    gold = _presences(evidence.tags[places], schema=schema)
    labels = ("O", *schema.labels)
    return {
        reading: fidelity(predicted, gold, labels=labels, tokens=len(places)) for reading, predicted in sums.items()
    }


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class MentionFidelity:
    """Expected numbers of mentions by label beside those of the gold; no outside here.

    expected, gold: sums. ratio: expected / gold, 1 where as many are expected as there are, None without gold. tv, kl,
    relative_error, amplification, never_predicted: as in `Fidelity`, of the shares among mentions, smoothed by half a
    mention per label; the measures are None where one side has no mention.
    """

    expected: float
    gold: float
    ratio: float | None
    tv: float | None
    kl: float | None
    relative_error: float | None
    amplification: float | None
    never_predicted: tuple[str, ...]


def mention_fidelity(expected: NDArray[Any], gold: NDArray[Any], *, labels: Sequence[str]) -> MentionFidelity:
    """Compare expected with gold numbers of mentions, both (labels,), finite, >= 0.

    expected: the sum of the probabilities of all possible mentions of the label, or a number of decided ones. Raises
    ValueError for shapes or values that are no counts.
    """
    numbers = [np.asarray(side, dtype=np.float64) for side in (expected, gold)]
    for side in numbers:
        if side.shape != (len(labels),) or not np.isfinite(side).all() or (side < 0).any():
            raise ValueError(f"{side.shape} numbers of mentions for {len(labels)} labels: give finite numbers >= 0")
    predicted, there = (float(side.sum()) for side in numbers)
    found = None
    if predicted and there:
        found = fidelity(numbers[0], numbers[1], labels=labels, tokens=max(1, round(there)))
    return MentionFidelity(
        expected=predicted,
        gold=there,
        ratio=predicted / there if there else None,
        tv=found.tv if found else None,
        kl=found.kl if found else None,
        relative_error=found.relative_error if found else None,
        amplification=found.amplification if found else None,
        never_predicted=tuple(label for label, e, g in zip(labels, *numbers, strict=True) if g > 0 and e == 0),
    )


def _soft(p: Floats, *, schema: Schema) -> Floats:
    if not schema.layered:
        return np.bincount(schema.groups, weights=p.sum(axis=0), minlength=1 + len(schema.labels)).astype(np.float64)
    outside = p[:, :, OUTSIDE]
    return np.concatenate([[outside.prod(axis=1).sum()], (1 - outside).sum(axis=0)])


def _presences(tags: Integers, *, schema: Schema) -> Floats:
    if not schema.layered:
        return np.bincount(schema.groups[tags], minlength=1 + len(schema.labels)).astype(np.float64)
    inside = tags != OUTSIDE
    return np.concatenate([[(~inside).all(axis=1).sum()], inside.sum(axis=0)]).astype(np.float64)


def _drawn(p: Floats, *, rng: np.random.Generator) -> Integers:
    """A tag for each row of the last axis, by its probabilities: the first whose cumulative sum exceeds a draw."""
    cumulative = p.cumsum(axis=-1)
    # strictly above, so that no tag at 0 is drawn; times the sum, which is 1 up to rounding
    below = cumulative <= rng.random(p.shape[:-1])[..., None] * cumulative[..., -1:]
    return np.asarray(below.sum(axis=-1), dtype=np.int64)
