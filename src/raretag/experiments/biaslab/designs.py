"""The stated designs: which tokens get one label together, and how labels are drawn at given probabilities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, final

import numpy as np
import numpy.typing as npt

from raretag.errors import DataError
from raretag.experiments.biaslab.results import PARTS, Part
from raretag.experiments.biaslab.text import OUTSIDE, UNTOLD, Integers, Text
from raretag.tagging import IGNORE, Schema, build_schema
from raretag.tagging.schema import Scheme

Array = npt.NDArray[np.float64]

# of random streams, see `measuring`
_LABELS = 1
# a label must be expected this often in each part, or its share says nothing
_LEAST = 10


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Units:
    """What gets a label in one part.

    of: int64 (tokens,), the unit that each token belongs to, −1 for a token that is always `O`, −2 for one that is not
    judged. sizes: int64 (units,), tokens of each unit in this part, >= 0.
    """

    of: Integers
    sizes: Integers

    @property
    def outside(self) -> int:
        """Tokens that are always `O`."""
        return int((self.of == OUTSIDE).sum())


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """Labels as drawn. outcomes: int64 (tokens,), 0 for `O`, 1 + k for label k, −100 where nothing is judged.

    begins: bool (tokens,), where a mention begins.
    """

    outcomes: Integers
    begins: npt.NDArray[np.bool_]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """Random labels for a text. probabilities: of the outcomes that are drawn, float64 (outcomes,).

    labels: names beside `O`. `O` is among the outcomes unless mentions are labelled: then it stays where it is.
    """

    name: str
    labels: tuple[str, ...]
    probabilities: Array
    units: Mapping[Part, Units]

    @property
    def first(self) -> int:
        """The number of the first outcome: 0, `O`, or 1, the first label."""
        return len(self.labels) + 1 - len(self.probabilities)

    def planted(self, part: Part) -> Array:
        """The expected share of each label, `O` first, float64 (labels + 1,)."""
        shares = np.zeros(len(self.labels) + 1)
        shares[self.first :] = self.probabilities * self.units[part].sizes.sum()
        shares[0] += self.units[part].outside
        return np.asarray(shares / shares.sum())

    def draw(self, *, seed: int) -> dict[Part, Drawn]:
        """Labels for both parts; the same seed draws the same.

        Independent draws for each token or mention. Types share quotas of the training tokens; those that only the
        held-out part holds are drawn independently.
        """
        rng = np.random.default_rng([seed, _LABELS])
        if self.name == "word-type":
            whole = _by_quota(self.units["training"].sizes, self.probabilities, rng=rng)
            return {part: self._placed(part, whole) for part in PARTS}
        return {
            part: self._placed(
                part, rng.choice(len(self.probabilities), len(self.units[part].sizes), p=self.probabilities)
            )
            for part in PARTS
        }

    def _placed(self, part: Part, drawn: Integers) -> Drawn:
        of = self.units[part].of
        outcomes = np.zeros(len(of), dtype=np.int64)
        outcomes[of >= 0] = drawn[of[of >= 0]] + self.first
        outcomes[of == UNTOLD] = IGNORE
        # mentions are numbered through, so a new number is a new mention; other units are single tokens
        new = np.concatenate([[True], of[1:] != of[:-1]]) if self.name == "mention" else np.ones(len(of), dtype=bool)
        return Drawn(outcomes=outcomes, begins=(outcomes > 0) & new)


def build_design(name: str, text: Text, *, marginals: Sequence[float]) -> Design:
    """The design called `name` for `text`.

    Raises DataError where a part has too little to draw for that the smallest probability would show.
    """
    probabilities = np.asarray(marginals, dtype=np.float64)
    number = len(probabilities) - (0 if name == "mention" else 1)
    design = Design(
        name=name,
        labels=tuple(f"L{one + 1}" for one in range(number)),
        probabilities=probabilities / probabilities.sum(),
        units=MappingProxyType(_UNITS[name](text)),
    )
    what = {"token": "tokens", "mention": "mentions", "word-type": "tokens"}[name]
    needed = int(np.ceil(_LEAST / probabilities.min() - 1e-9))
    for part in PARTS:
        units = design.units[part]
        there = len(units.sizes) if name == "mention" else int(units.sizes.sum())
        if there < needed:
            raise DataError(
                f"the smallest probability, {probabilities.min():g}, needs {needed:,} {what} in each part to be "
                f"expected {_LEAST} times, but the {part.replace('_', '-')} part has {there:,}",
                remedy="Give more text, raise tokens, change held_out, or plant no smaller probability than "
                f"{np.ceil(_LEAST / max(there, 1) * 1e5) / 1e5:.5g}"
                if there > _LEAST
                else f"Give text with more {what}",
            )
    return design


def tags_of(drawn: Drawn, *, schema: Schema) -> Integers:
    """Outcomes as tags: int64 (tokens,), or (tokens, labels) of a layered schema; −100 where nothing is judged."""
    label = np.maximum(drawn.outcomes - 1, 0)
    own = np.where(drawn.begins | (schema.scheme == "IO"), 1, 2)
    if not schema.layered:
        tags = 1 + label * (schema.tags_of_a_label - 1) + own - 1
        return np.where(drawn.outcomes > 0, tags, drawn.outcomes).astype(np.int64)
    layers = np.zeros((len(label), len(schema.labels)), dtype=np.int64)
    inside = np.flatnonzero(drawn.outcomes > 0)
    layers[inside, label[inside]] = own[inside]
    layers[drawn.outcomes == IGNORE] = IGNORE
    return layers


def drawn_schema(drawn: Drawn, *, labels: Sequence[str], scheme: Scheme, layered: bool) -> Schema:
    """The schema of a training part, with its counts."""
    blank = build_schema(labels, scheme=scheme, layered=layered)
    mentions = np.bincount(drawn.outcomes[drawn.begins], minlength=len(labels) + 1)[1:]
    return build_schema(
        labels,
        scheme=scheme,
        mention_counts=mentions.tolist(),
        tag_counts=blank.count(tags_of(drawn, schema=blank)).tolist(),
        layered=layered,
    )


def _each_token(text: Text) -> dict[Part, Units]:
    return {
        part: Units(of=np.arange(len(one), dtype=np.int64), sizes=np.ones(len(one), dtype=np.int64))
        for part, one in text.parts.items()
    }


def _each_mention(text: Text) -> dict[Part, Units]:
    return {
        part: Units(of=one.mentions, sizes=np.bincount(one.mentions[one.mentions >= 0]).astype(np.int64))
        for part, one in text.parts.items()
    }


def _each_word_type(text: Text) -> dict[Part, Units]:
    """Types are numbered through both parts: a type has the same label in each."""
    types, of = np.unique(np.concatenate([text.parts[part].ids for part in PARTS]), return_inverse=True)
    pieces = np.split(of, np.cumsum([len(text.parts[part]) for part in PARTS])[:-1])
    return {
        part: Units(of=piece.astype(np.int64), sizes=np.bincount(piece, minlength=len(types)).astype(np.int64))
        for part, piece in zip(PARTS, pieces, strict=True)
    }


_UNITS: Final = MappingProxyType({"token": _each_token, "mention": _each_mention, "word-type": _each_word_type})


def _by_quota(sizes: Integers, probabilities: Array, *, rng: np.random.Generator) -> Integers:
    """An outcome for each unit, the largest first, with probability proportional to what is left of its quota.

    Independent draws would leave shares to the few types that make up most of a text; so they come out as planted.
    """
    left = probabilities * sizes.sum()
    found = np.zeros(len(sizes), dtype=np.int64)
    for unit in np.argsort(-sizes, kind="stable"):
        room = np.where(left >= sizes[unit], left, 0.0) if sizes[unit] else probabilities
        weights = room if room.sum() > 0 else np.maximum(left, 0.0)
        found[unit] = rng.choice(len(probabilities), p=weights / weights.sum())
        left[found[unit]] -= sizes[unit]
    return found
