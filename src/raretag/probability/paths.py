"""The exact probability of a mention: over all valid tag paths, not a mean of token maxima."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from raretag.corpus import Mention
from raretag.probability.scores import TINY, Scores
from raretag.tagging import Schema

Array = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


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
    lattice = Lattice(scores.probabilities.astype(np.float64), schema)
    places: dict[int, tuple[int, int, int]] = {}
    for number, mention in enumerate(mentions):
        first, last = begins.get(mention.start), ends.get(mention.end)
        known = mention.label in numbers and not mention.fragments
        if first is not None and last is not None and first <= last and known:
            places[number] = (numbers[mention.label], first, last)
    table = np.array([*places.values()], dtype=np.int64).reshape(-1, 3)
    found = dict(zip(places, lattice.exactly(*table.T).tolist(), strict=True))
    return [found.get(number) for number in range(len(mentions))]


class Lattice:
    """Forward and backward sums of one document, in logarithms.

    Probabilities are (tokens, layers, tags of a layer): one layer of all tags, or a layer for each label.
    """

    def __init__(self, p: Array, schema: Schema) -> None:
        p = p if schema.layered else p[:, None]
        # the floor belongs in every sum alike, else a text whose valid paths all have weight 0 gives nonsense
        p = np.maximum(p, TINY)
        # float32 rows sum to 1 only nearly, and what is left beside a tag near 1 would be all rounding
        p = p / p.sum(axis=-1, keepdims=True)
        self._log_p = np.log(p)
        self._schema = schema
        if schema.scheme == "BIO":
            self._before, self._after, self._either = _bio_sums(p)
        self._inside = np.cumsum(np.concatenate([np.zeros((1, *p.shape[1:])), self._log_p]), axis=0)
        self._p = p

    def exactly(self, labels: Integers, firsts: Integers, lasts: Integers) -> Array:
        """P that tokens first..last are exactly one mention of the label; all int64 (n,), the result float64 (n,)."""
        layers, numbers = self._places(labels)
        reached = self._reached(layers, numbers, firsts, lasts)
        if self._schema.scheme == "BIO":
            return np.asarray(np.minimum(1.0, np.exp(reached + self._after[lasts + 1, layers])))
        following = np.minimum(lasts + 1, len(self._p) - 1)
        right = np.where(lasts + 1 < len(self._p), self._p[following, layers, 1 + numbers], 0.0)
        return np.asarray(np.minimum(1.0, np.exp(reached) * np.maximum(1.0 - right, TINY)))

    def at_least(self, labels: Integers, firsts: Integers, lasts: Integers) -> Array:
        """P that a mention of the label begins at `firsts` and covers all up to `lasts`, whatever follows."""
        layers, numbers = self._places(labels)
        reached = self._reached(layers, numbers, firsts, lasts)
        if self._schema.scheme == "BIO":
            reached = reached + self._either[lasts + 1, layers, numbers]
        return np.asarray(np.minimum(1.0, np.exp(reached)))

    def _places(self, labels: Integers) -> tuple[Integers, Integers]:
        """The layer of each label, and its number there."""
        return (labels, np.zeros_like(labels)) if self._schema.layered else (np.zeros_like(labels), labels)

    def _reached(self, layers: Integers, numbers: Integers, firsts: Integers, lasts: Integers) -> Array:
        """Log probability of all that lies before the end of the mention; under BIO of paths, up to what follows."""
        bio = self._schema.scheme == "BIO"
        begins, insides = (1 + 2 * numbers, 2 + 2 * numbers) if bio else (1 + numbers, 1 + numbers)
        going_on = self._inside[lasts + 1, layers, insides] - self._inside[firsts + 1, layers, insides]
        run: Array = self._log_p[firsts, layers, begins] + going_on
        if bio:
            return np.asarray(self._before[firsts, layers] + run - self._before[-1, layers])
        left = np.where(firsts > 0, self._p[np.maximum(firsts - 1, 0), layers, insides], 0.0)
        return np.asarray(run + np.log(np.maximum(1.0 - left, TINY)))


def _bio_sums(p: Array) -> tuple[Array, Array, Array]:
    """Log sums over valid paths of each layer, (tokens + 1, layers) twice and (tokens + 1, layers, labels).

    Of the tokens before t, the last row being that of all; of those from t on that do not go on a mention; and of those
    from t on where token t − 1 belongs to a label, whether its mention goes on or not. p > 0, as `Lattice` makes it: no
    sum is 0 then.
    """
    length, layers, _ = p.shape
    outside, begins, insides = p[..., 0], p[..., 1::2].copy(), p[..., 2::2].copy()
    # what is summed is kept at a sum of 1, and the logarithms of what it is divided by are added up
    by_tag, divisors = np.zeros(p.shape[1:]), np.ones((length + 1, layers))
    for t in range(length):
        new = p[t].copy()
        new[:, 2::2] *= by_tag[:, 1::2] + by_tag[:, 2::2]
        divisors[t + 1] = new.sum(axis=1)
        by_tag = new / divisors[t + 1][:, None]
    before = np.cumsum(np.log(divisors), axis=0)
    # going[t, k] sums what may follow if token t - 1 belongs to label k; fresh[t] what follows without going on
    going, fresh = np.zeros((length + 1, *begins.shape[1:])), np.ones((length + 1, layers))
    divisors = np.ones_like(divisors)
    for t in range(length - 1, -1, -1):
        either = fresh[t + 1][:, None] + going[t + 1]
        ended = outside[t] * fresh[t + 1] + (begins[t] * either).sum(axis=1)
        continued = insides[t] * either
        divisors[t] = ended + continued.sum(axis=1)
        fresh[t], going[t] = ended / divisors[t], continued / divisors[t][:, None]
    scale = np.cumsum(np.log(divisors)[::-1], axis=0)[::-1]
    after = scale + np.log(np.maximum(fresh, TINY))
    return before, after, scale[..., None] + np.log(np.maximum(fresh[..., None] + going, TINY))
