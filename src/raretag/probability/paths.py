"""The exact probability of a mention: over all valid tag paths, not a mean of token maxima."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from raretag.corpus import Mention
from raretag.probability.scores import TINY, Scores
from raretag.tagging import Schema

Array = npt.NDArray[np.float64]


def mention_probabilities(scores: Scores, mentions: Sequence[Mention], *, schema: Schema) -> list[float | None]:
    """P(exactly this mention is there), in [0, 1], for each of `mentions`, whether it was predicted or not.

    Paths y have weight Π_t p_t(y_t); the weights of the invalid ones (`I-X` not after `B-X` or `I-X`) are dropped and
    the rest normalised. A mention of label X on tokens i..j then has

        P = Z(y_i = B-X, y_{i+1..j} = I-X, y_{j+1} ≠ I-X) / Z

    by the forward-backward algorithm (Rabiner 1989, section III); under IO, y_{i−1} ≠ I-X takes the place of B.
    With a layered schema the paths are those of the mention's own label.
    A mention that no run of whole tokens expresses has no probability: None.
    """
    if not mentions:
        return []
    begins = {int(start): position for position, start in reversed(list(enumerate(scores.tokens.starts)))}
    ends = {int(end): position for position, end in enumerate(scores.tokens.ends)}
    numbers = {label: number for number, label in enumerate(schema.labels)}
    lattice = _Lattice(scores.probabilities.astype(np.float64), schema)
    values: list[float | None] = []
    for mention in mentions:
        first, last = begins.get(mention.start), ends.get(mention.end)
        known = mention.label in numbers and not mention.fragments
        if first is None or last is None or first > last or not known:
            values.append(None)
        else:
            values.append(lattice.probability(numbers[mention.label], first, last))
    return values


class _Lattice:
    """Forward and backward sums of one document, in logarithms.

    Probabilities are (tokens, layers, tags of a layer): one layer of all tags, or a layer for each label.
    """

    def __init__(self, p: Array, schema: Schema) -> None:
        p = p if schema.layered else p[:, None]
        # the floor belongs in every sum alike, else a text whose valid paths all have weight 0 gives nonsense
        p = np.maximum(p, TINY)
        self._log_p = np.log(p)
        self._schema = schema
        if schema.scheme == "BIO":
            self._before, self._after = _bio_sums(p)
        self._inside = np.cumsum(np.concatenate([np.zeros((1, *p.shape[1:])), self._log_p]), axis=0)
        self._p = p

    def probability(self, label: int, first: int, last: int) -> float:
        """P that tokens first..last are exactly one mention of `label`."""
        layer, number = (label, 0) if self._schema.layered else (0, label)
        begin, inside = self._schema.begin(number), self._schema.inside(number)
        going_on = self._inside[last + 1, layer, inside] - self._inside[first + 1, layer, inside]
        run = self._log_p[first, layer, begin] + going_on
        if self._schema.scheme == "BIO":
            log = self._before[first, layer] + run + self._after[last + 1, layer] - self._before[-1, layer]
        else:
            left = 1.0 - self._p[first - 1, layer, inside] if first > 0 else 1.0
            right = 1.0 - self._p[last + 1, layer, inside] if last + 1 < len(self._p) else 1.0
            log = run + float(np.log(max(left, TINY)) + np.log(max(right, TINY)))
        return float(min(1.0, np.exp(log)))


def _bio_sums(p: Array) -> tuple[Array, Array]:
    """Log sums over valid paths of each layer, both (tokens + 1, layers).

    Of the tokens before t, the last row being that of all; and of those from t on that do not go on a mention.
    """
    length, layers, tags = p.shape
    before, after = np.zeros((length + 1, layers)), np.zeros((length + 1, layers))
    forward, scale = np.zeros((layers, tags)), np.zeros(layers)
    for t in range(length):
        new = p[t] * (forward.sum(axis=1, keepdims=True) if t else 1.0)
        new[:, 2::2] = p[t, :, 2::2] * (forward[:, 1::2] + forward[:, 2::2])
        norm = np.maximum(new.sum(axis=1), TINY)
        forward, scale = new / norm[:, None], scale + np.log(norm)
        before[t + 1] = scale
    # going[k] sums what may follow if token t - 1 belongs to label k; fresh what follows without going on
    going, fresh, scale = np.zeros((layers, (tags - 1) // 2)), np.ones(layers), np.zeros(layers)
    for t in range(length - 1, -1, -1):
        either = fresh[:, None] + going
        outside = p[t, :, 0] * fresh + (p[t, :, 1::2] * either).sum(axis=1)
        continued = p[t, :, 2::2] * either
        norm = np.maximum(outside + continued.sum(axis=1), TINY)
        going, fresh, scale = continued / norm[:, None], outside / norm, scale + np.log(norm)
        after[t] = scale + np.log(np.maximum(fresh, TINY))
    return before, after
