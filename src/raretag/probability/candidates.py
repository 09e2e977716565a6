"""All mentions that a document may hold, each with its exact probability, predicted or not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import final

import numpy as np
import numpy.typing as npt

from raretag.corpus import Mention
from raretag.probability.paths import Lattice
from raretag.probability.scores import Scores
from raretag.tagging import Schema


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Candidates:
    """Possible mentions of one document, by first token, then last, then label.

    labels: int64 (n,), numbers in `schema.labels`. firsts, lasts: int64 (n,), their first and last token. starts, ends:
    int64 (n,), half-open characters. probabilities: float64 (n,), that exactly this mention is there, in [0, 1].
    tokens: how many the document has. characters: from the first to behind the last of those that its tokens cover,
    (0, 0) without any token. Raises ValueError for arrays that are not so, or that hold a mention twice.
    """

    document: str
    tokens: int
    characters: tuple[int, int]
    labels: npt.NDArray[np.int64]
    firsts: npt.NDArray[np.int64]
    lasts: npt.NDArray[np.int64]
    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]
    probabilities: npt.NDArray[np.float64]

    def __post_init__(self) -> None:
        wrong = _unfit(self)
        if wrong:
            raise ValueError(f"candidates of document {self.document!r}: {wrong}")

    def __len__(self) -> int:
        return len(self.labels)

    def among(self, mentions: Iterable[Mention], *, schema: Schema) -> npt.NDArray[np.bool_]:
        """bool (n,): whether one of `mentions` has the candidate's label and exactly its characters.

        Raises ValueError for candidates of a schema with more labels.
        """
        if len(self) and self.labels.max() >= len(schema.labels):
            raise ValueError(f"candidates of label {self.labels.max()} are not of a schema of {len(schema.labels)}")
        numbers = {label: number for number, label in enumerate(schema.labels)}
        # label and characters as one number; that of a mention which ends behind the document would be another's
        past = self.characters[1] + 1
        there = np.array(
            [
                (start * past + end) * len(numbers) + numbers[one.label]
                for one in mentions
                if one.label in numbers and len(one.covered) == 1
                for start, end in one.covered
                if end < past
            ],
            dtype=np.int64,
        )
        return np.isin((self.starts * past + self.ends) * len(numbers) + self.labels, there)

    def mention(self, number: int, *, schema: Schema) -> Mention:
        """Candidate `number` as a mention; its score is the probability."""
        return Mention(
            label=schema.labels[int(self.labels[number])],
            start=int(self.starts[number]),
            end=int(self.ends[number]),
            score=float(self.probabilities[number]),
        )


def candidates(scores: Scores, *, schema: Schema, least: float = 0.001) -> Candidates:
    """Every mention whose probability over all valid paths is at least `least`, in (0, 1]; none is overlooked.

    Spans grow token by token and stop where P(the mention begins there and covers at least this much) falls below
    `least`, which bounds all that are longer. The probability itself is that of `mention_probabilities`.
    """
    if not 0 < least <= 1:
        raise ValueError(f"the least probability must be in (0, 1], not {least}")
    tokens, labels = len(scores.tokens), len(schema.labels)
    kept: list[npt.NDArray[np.int64]] = []
    chances: list[npt.NDArray[np.float64]] = []
    if tokens and labels:
        lattice = Lattice(scores.probabilities.astype(np.float64), schema)
        # a token that begins inside the one before is a byte of the same character: no mention is parted there
        apart = np.concatenate([[True], scores.tokens.starts[1:] >= scores.tokens.ends[:-1], [True]])
        firsts, numbers = (part.ravel() for part in np.mgrid[:tokens, :labels])
        firsts, numbers = firsts[apart[firsts]], numbers[apart[firsts]]
        lasts = firsts
        while len(firsts):
            alive = lattice.at_least(numbers, firsts, lasts) >= least
            firsts, lasts, numbers = firsts[alive], lasts[alive], numbers[alive]
            p = lattice.exactly(numbers, firsts, lasts)
            enough = (p >= least) & apart[lasts + 1]
            kept.append(np.stack([numbers, firsts, lasts])[:, enough])
            chances.append(p[enough])
            more = lasts + 1 < tokens
            firsts, lasts, numbers = firsts[more], lasts[more] + 1, numbers[more]
    table = np.concatenate([np.zeros((3, 0), dtype=np.int64), *kept], axis=1)
    order = np.lexsort(table[[0, 2, 1]])
    numbers, firsts, lasts = table[:, order]
    starts, ends = scores.tokens.starts, scores.tokens.ends
    return Candidates(
        document=scores.document,
        tokens=tokens,
        characters=(int(starts.min()), int(ends.max())) if tokens else (0, 0),
        labels=numbers,
        firsts=firsts,
        lasts=lasts,
        starts=starts[firsts],
        ends=ends[lasts],
        probabilities=np.concatenate([np.zeros(0), *chances])[order],
    )


def _unfit(found: Candidates) -> str | None:
    """What is wrong with the arrays, None where nothing is."""
    columns = (found.labels, found.firsts, found.lasts, found.starts, found.ends, found.probabilities)
    if any(column.shape != (len(found.labels),) for column in columns):
        return "the arrays have different lengths"
    if found.tokens < 0 or not 0 <= found.characters[0] <= found.characters[1]:
        return f"{found.tokens} tokens on the characters {found.characters} cannot be"
    if not len(found):
        return None
    firsts, lasts, labels = found.firsts, found.lasts, found.labels
    if firsts.min() < 0 or (lasts < firsts).any() or lasts.max() >= found.tokens or labels.min() < 0:
        return f"first, last or label is out of range; the document has {found.tokens} tokens"
    if found.starts.min() < found.characters[0] or found.ends.max() > found.characters[1]:
        return f"some lie outside the characters {found.characters} of the document"
    first, last, label = (np.diff(column) for column in (firsts, lasts, labels))
    if not ((first > 0) | ((first == 0) & ((last > 0) | ((last == 0) & (label > 0))))).all():
        return "they are not in the order of first token, last token, label, or one is there twice"
    # a NaN is in no range
    if not ((found.probabilities >= 0) & (found.probabilities <= 1)).all():
        return "a probability is not in [0, 1]"
    return None
