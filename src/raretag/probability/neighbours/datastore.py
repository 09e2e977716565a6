"""Hidden states of training tokens with their tags, to be asked for the nearest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, final

import numpy as np
import numpy.typing as npt

from raretag.errors import DataError, UsageError
from raretag.probability.neighbours.faiss_search import exact_search
from raretag.probability.neighbours.nearest import Nearest
from raretag.probability.neighbours.search import Search
from raretag.probability.neighbours.settings import NeighbourSettings
from raretag.probability.neighbours.vectors import Floats, Integers, QuantisedKeys, directions
from raretag.tagging.schema import OUTSIDE

# queries whose neighbours are held at once while votes are counted
_ROWS: Final = 2**13


@final
@dataclass(frozen=True, slots=True, eq=False)
class Datastore:
    """Hidden states of training tokens with their tags, to be asked for the nearest (kNN-NER, arXiv 2203.17103).

    keys: float32 (tokens, width), of any scale: only directions count. tags: int64 (tokens,), >= 0. owners: int64
    (tokens,), whatever each token came with, such as the number of its document. The store holds them sorted by owner,
    keys at unit length but for zero vectors, which stay zero and are at cosine 0 to everything. All are copies, but for
    `QuantisedKeys`, which are taken as they are, of ascending owners.

    search: how the nearest are found; exact unless another one is asked for, such as `ClusteredSearch`, fast and
    approximate. `exact_search` asks faiss where it is installed.
    Raises ValueError for no token at all, shapes that do not fit, a tag below 0, and keys that are no finite numbers.
    """

    keys: Floats | QuantisedKeys
    tags: Integers
    owners: Integers = field(kw_only=True)
    search: Callable[[Floats | QuantisedKeys], Search] = field(default=exact_search, kw_only=True, repr=False)
    _search: Search = field(init=False, repr=False)

    def __post_init__(self) -> None:
        tokens, shape = len(self.keys), self.keys.shape
        if len(shape) != 2 or not tokens or self.tags.shape != (tokens,) or self.owners.shape != (tokens,):
            raise ValueError(
                f"a store needs keys (tokens, width) of at least one token, with a tag and an owner each, not "
                f"{shape}, {self.tags.shape} and {self.owners.shape}"
            )
        if self.tags.min() < 0:
            raise ValueError(f"a stored token needs a tag >= 0, not {self.tags.min()}")
        order = np.argsort(self.owners, kind="stable")
        for name, array in (("tags", self.tags), ("owners", self.owners)):
            object.__setattr__(self, name, _fixed(array[order].astype(np.int64)))
        if not isinstance(self.keys, QuantisedKeys):
            object.__setattr__(self, "keys", _fixed(directions(self.keys)[order]))
        elif (np.diff(order) < 0).any():
            raise ValueError("quantised keys must come in the order of their owners")
        object.__setattr__(self, "_search", self.search(self.keys))

    def __len__(self) -> int:
        return len(self.keys)

    def mentions(self) -> Datastore:
        """The tokens in mentions alone, copied. Raises DataError where there is none."""
        inside = self.tags != OUTSIDE
        if not inside.any():
            raise DataError("no stored token is in a mention", remedy="Use the setting store: all")
        keys = self.keys.of_rows(inside) if isinstance(self.keys, QuantisedKeys) else self.keys[inside]
        return Datastore(keys, self.tags[inside], owners=self.owners[inside], search=self.search)

    def check(self, settings: NeighbourSettings) -> None:
        """Raises UsageError where settings want the votes of mentions alone, but the store holds other tokens."""
        if settings.store == "mentions" and (self.tags == OUTSIDE).any():
            raise UsageError(
                "the settings want the votes of tokens in mentions alone, but this store holds others",
                remedy="Ask its mentions(), or set store: all",
            )

    def shares(self, *, tags: int) -> npt.NDArray[np.float64]:
        """The share of each of `tags` tags among the stored tokens, float64 (tags,); sums to 1.

        Raises ValueError where the store holds a tag beyond them.
        """
        if self.tags.max() >= tags:
            raise ValueError(f"the store holds tag {self.tags.max()}, but there are only {tags} tags")
        return np.asarray(np.bincount(self.tags, minlength=tags) / len(self))

    def nearest(
        self, queries: npt.NDArray[np.floating], *, neighbours: int, owners: Integers | None = None
    ) -> tuple[Integers, Floats]:
        """The stored tokens with the largest cosine to each query, nearest first.

        queries: float (queries, width), of any scale. owners: int64 (queries,); tokens of the same owner are left
        out. Returns int64 (queries, k), the places of the tokens in `tags`, and float32 (queries, k), their cosines
        in [−1, 1] up to rounding, with k the smaller of `neighbours` and the store's size. Where too few tokens are
        left, the last cosines are −∞ and their places mean nothing. The nearest few are the first columns of more.
        Raises ValueError where shapes do not fit and for `neighbours` below 1.
        """
        if neighbours < 1:
            raise ValueError(f"there must be at least one neighbour, not {neighbours}")
        own = self._own(queries, owners)
        return self._search.nearest(directions(queries), k=min(neighbours, len(self)), own=own)

    def look_up(
        self, queries: npt.NDArray[np.floating], *, tags: int, neighbours: int, owners: Integers | None = None
    ) -> Nearest:
        """As `nearest`, kept with all that votes need; `tags`, `owners` and errors as of `votes`."""
        shares = self.shares(tags=tags)
        places, cosines = self.nearest(queries, neighbours=neighbours, owners=owners)
        return Nearest(places=places, cosines=cosines, tags=self.tags[places], shares=shares, stored=len(self))

    def votes(
        self,
        queries: npt.NDArray[np.floating],
        *,
        tags: int,
        settings: NeighbourSettings,
        owners: Integers | None = None,
    ) -> npt.NDArray[np.float64]:
        """p_kNN(y | h) as of `Nearest.votes`, float64 (queries, `tags`); rows sum to 1.

        queries: float (queries, width), of any scale. owners: int64 (queries,), whose own tokens have no vote: without
        them a training token finds itself. Where fewer than k tokens are left, those vote; where none is, the vote is
        the tags' shares in the store. Raises ValueError as `nearest` and `shares` do, UsageError as `check` does.
        """
        self.check(settings)
        self._own(queries, owners)
        found = np.tile(self.shares(tags=tags), (len(queries), 1))
        for start in range(0, len(queries), _ROWS):
            part = slice(start, start + _ROWS)
            among = None if owners is None else owners[part]
            nearest = self.look_up(queries[part], tags=tags, neighbours=settings.neighbours, owners=among)
            found[part] = nearest.votes(settings=settings)
        return found

    def _own(self, queries: npt.NDArray[np.floating], owners: Integers | None) -> Integers:
        """Where the tokens of each query's owner begin and end, int64 (queries, 2), after a look at the shapes."""
        if queries.ndim != 2 or queries.shape[1] != self.keys.shape[1]:
            raise ValueError(f"queries must be (queries, {self.keys.shape[1]}), not {queries.shape}")
        if owners is None:
            return np.zeros((len(queries), 2), dtype=np.int64)
        if owners.shape != (len(queries),):
            raise ValueError(f"owners must be ({len(queries)},), one for each query, not {owners.shape}")
        sides = [np.searchsorted(self.owners, owners, side="left"), np.searchsorted(self.owners, owners, side="right")]
        return np.stack(sides, axis=1)


def _fixed(array: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    array.setflags(write=False)
    return array
