"""Votes of the nearest training tokens on a token's tag: what a classifier forgets of rare labels, a memory keeps."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, TypeVar, final

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]
FloatT = TypeVar("FloatT", bound=np.floating)

# similarities that are held at once: 64 MiB as float32
_CELLS: Final = 2**24


@final
class NeighbourSettings(BaseModel):
    """How training tokens vote, and how much their vote counts."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    neighbours: int = Field(default=64, ge=1, description="how many of the nearest training tokens vote")
    temperature: float = Field(
        default=0.05, gt=0, description="of their votes exp(cos/T): small listens to the nearest, large to all alike"
    )
    weight: float = Field(default=0.3, ge=0, le=1, description="share λ of the votes in the mixture with the model")


@final
@dataclass(frozen=True, slots=True, eq=False)
class Datastore:
    """Hidden states of training tokens with their tags, to be asked for the nearest (kNN-NER, arXiv 2203.17103).

    keys: float32 (tokens, width), of any scale: only directions count. tags: int64 (tokens,), >= 0. owners: int64
    (tokens,), whatever each token came with, such as the number of its document. The store holds them sorted by owner,
    keys at unit length but for zero vectors, which stay zero and are at cosine 0 to everything. All are copies.
    Raises ValueError for no token at all, shapes that do not fit, a tag below 0, and keys that are no finite numbers.
    """

    keys: Floats
    tags: Integers
    owners: Integers = field(kw_only=True)

    def __post_init__(self) -> None:
        tokens = len(self.keys)
        if self.keys.ndim != 2 or not tokens or self.tags.shape != (tokens,) or self.owners.shape != (tokens,):
            raise ValueError(
                f"a store needs keys (tokens, width) of at least one token, with a tag and an owner each, not "
                f"{self.keys.shape}, {self.tags.shape} and {self.owners.shape}"
            )
        if self.tags.min() < 0:
            raise ValueError(f"a stored token needs a tag >= 0, not {self.tags.min()}")
        order = np.argsort(self.owners, kind="stable")
        for name, array in (
            ("keys", _directions(self.keys)[order]),
            ("tags", self.tags[order].astype(np.int64)),
            ("owners", self.owners[order].astype(np.int64)),
        ):
            array.setflags(write=False)
            object.__setattr__(self, name, array)

    def __len__(self) -> int:
        return len(self.keys)

    def shares(self, *, tags: int) -> npt.NDArray[np.float64]:
        """The share of each of `tags` tags among the stored tokens, float64 (tags,); sums to 1.

        Raises ValueError where the store holds a tag beyond them.
        """
        if self.tags.max() >= tags:
            raise ValueError(f"the store holds tag {self.tags.max()}, but there are only {tags} tags")
        return np.asarray(np.bincount(self.tags, minlength=tags) / len(self))

    def nearest(
        self, queries: Floats, *, neighbours: int, owners: Integers | None = None
    ) -> tuple[Integers, npt.NDArray[np.float32]]:
        """The stored tokens with the largest cosine to each query: exact search, nearest first.

        queries: float32 (queries, width), of any scale. owners: int64 (queries,); tokens of the same owner are left
        out. Returns int64 (queries, k), the places of the tokens in `tags`, and float32 (queries, k), their cosines
        in [−1, 1] up to rounding, with k the smaller of `neighbours` and the store's size. Where too few tokens are
        left, the last cosines are −∞ and their places mean nothing. The nearest few are the first columns of more.
        Holds about 64 MiB beside the result. Raises ValueError where shapes do not fit and for `neighbours` below 1.
        """
        if neighbours < 1:
            raise ValueError(f"there must be at least one neighbour, not {neighbours}")
        k = min(neighbours, len(self))
        places = np.zeros((len(queries), k), dtype=np.int64)
        cosines = np.zeros((len(queries), k), dtype=np.float32)
        own = self._own(queries, owners)
        for block in self._blocks(len(queries)):
            # row by row, since partitioning a whole block would hold its places too, twice its size
            for row, similar in zip(block, _directions(queries[block.start : block.stop]) @ self.keys.T, strict=True):
                similar[own[row, 0] : own[row, 1]] = -np.inf
                found = np.argpartition(similar, len(similar) - k)[len(similar) - k :]
                found = found[np.argsort(-similar[found], kind="stable")]
                places[row], cosines[row] = found, similar[found]
        return places, cosines

    def votes(
        self, queries: Floats, *, tags: int, settings: NeighbourSettings, owners: Integers | None = None
    ) -> npt.NDArray[np.float64]:
        """p_kNN(y | h) ∝ Σ exp(cos(h, k_j) / T) over the k nearest tokens j with tag y, float64 (queries, `tags`).

        Wang et al. 2022 (kNN-NER, arXiv 2203.17103). Rows sum to 1; `settings.weight` plays no part here. queries:
        float32 (queries, width), of any scale. owners: int64 (queries,), whose own tokens have no vote: without them
        a training token finds itself. Where fewer than k tokens are left, those vote; where none is, the vote is the
        tags' shares in the store. Raises ValueError as `nearest` and `shares` do.
        """
        self._own(queries, owners)
        found = np.tile(self.shares(tags=tags), (len(queries), 1))
        for block in self._blocks(len(queries)):
            part = slice(block.start, block.stop)
            among = None if owners is None else owners[part]
            places, cosines = self.nearest(queries[part], neighbours=settings.neighbours, owners=among)
            summed = _summed(self.tags[places], cosines, tags=tags, temperature=settings.temperature)
            some = np.isfinite(cosines[:, 0])
            found[part][some] = summed[some] / summed[some].sum(axis=1, keepdims=True)
        return found

    def _own(self, queries: Floats, owners: Integers | None) -> Integers:
        """Where the tokens of each query's owner begin and end, int64 (queries, 2), after a look at the shapes."""
        if queries.ndim != 2 or queries.shape[1] != self.keys.shape[1]:
            raise ValueError(f"queries must be (queries, {self.keys.shape[1]}), not {queries.shape}")
        if owners is None:
            return np.zeros((len(queries), 2), dtype=np.int64)
        if owners.shape != (len(queries),):
            raise ValueError(f"owners must be ({len(queries)},), one for each query, not {owners.shape}")
        return np.stack(
            [np.searchsorted(self.owners, owners, side="left"), np.searchsorted(self.owners, owners, side="right")],
            axis=1,
        )

    def _blocks(self, queries: int) -> list[range]:
        """Queries that are compared with all keys at once."""
        rows = max(1, _CELLS // len(self))
        return [range(first, min(first + rows, queries)) for first in range(0, queries, rows)]


def mixed(probabilities: npt.NDArray[FloatT], votes: npt.NDArray[np.floating], *, weight: float) -> npt.NDArray[FloatT]:
    """p = λ p_kNN + (1 − λ) p_model (kNN-NER, arXiv 2203.17103), λ = `weight` in [0, 1].

    probabilities: float (..., tags), what the model says, whose type is kept. votes: float, of the same shape.
    Raises ValueError where shapes differ and for a weight outside [0, 1].
    """
    if probabilities.shape != votes.shape:
        raise ValueError(f"votes {votes.shape} must have the shape of probabilities, {probabilities.shape}")
    if not 0 <= weight <= 1:
        raise ValueError(f"the weight of votes must be in [0, 1], not {weight}")
    return (weight * votes + (1 - weight) * probabilities).astype(probabilities.dtype)


def _summed(voted: Integers, cosines: Floats, *, tags: int, temperature: float) -> npt.NDArray[np.float64]:
    """Votes for each tag, (queries, tags), as parts of the nearest token's; 0 where the nearest is at −∞."""
    best = np.where(np.isfinite(cosines[:, :1]), cosines[:, :1], 0).astype(np.float64)
    # at temperatures near 0 all but the nearest overflow to −∞, whose vote is the right one: 0
    with np.errstate(over="ignore"):
        weights = np.exp((cosines - best) / temperature)
    cells = np.arange(len(voted))[:, None] * tags + voted
    summed = np.bincount(cells.ravel(), weights=weights.ravel(), minlength=len(voted) * tags)
    return summed.astype(np.float64, copy=False).reshape(len(voted), tags)


def _directions(vectors: Floats) -> Floats:
    """Rows at unit length, float32; zero vectors stay zero. Raises ValueError for what is no finite number."""
    # first by the largest element: squares of very large or very small ones leave the range of float32
    peaks = np.abs(vectors).max(axis=1, keepdims=True, initial=0)
    if not np.isfinite(peaks).all():
        raise ValueError(f"{int((~np.isfinite(peaks)).sum())} of {len(vectors)} vectors are no finite numbers")
    scaled = (vectors / np.where(peaks > 0, peaks, 1)).astype(np.float32)
    return np.asarray(scaled / np.maximum(np.linalg.norm(scaled, axis=1, keepdims=True), np.float32(1)))
