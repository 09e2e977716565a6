"""Finding the stored tokens that are nearest to a query: one interface, and the exact search by blocks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Final, final

import numpy as np

from raretag.probability.neighbours.selection import Found, at_least, kth_largest, largest, maxima
from raretag.probability.neighbours.vectors import Floats, Integers, Keys

# cosines that are held at once: 64 MiB as float32
_CELLS: Final = 2**24
# keys that are compared at once
_TILE: Final = 2**14


class Search(ABC):
    """Looks up keys by cosine."""

    def __init__(self, keys: Keys) -> None:
        """keys: float32 (tokens, width) once looked at, at unit length or zero."""
        self._keys = keys

    @abstractmethod
    def nearest(self, queries: Floats, *, k: int, own: Integers) -> tuple[Integers, Floats]:
        """Of each query the k keys of largest cosine, nearest first.

        queries: float32 (queries, width), at unit length or zero. k: from 1 to the number of keys. own: int64
        (queries, 2), half-open: the keys in between are left out. Returns int64 and float32 (queries, k): places of
        keys, and cosines. Where too few keys are left, the last cosines are −∞ and their places mean nothing.
        """


@final
class ExactSearch(Search):
    """Every query with every key: one matrix product for a block of queries and a tile of keys."""

    def nearest(self, queries: Floats, *, k: int, own: Integers) -> tuple[Integers, Floats]:
        """As `Search.nearest`; nothing is overlooked. Holds about 100 MiB beside the result."""
        places = np.zeros((len(queries), k), dtype=np.int64)
        cosines = np.zeros((len(queries), k), dtype=np.float32)
        tile = min(_TILE, len(self._keys))
        rows = max(1, _CELLS // tile)
        for first in range(0, len(queries), rows):
            block = slice(first, min(first + rows, len(queries)))
            places[block], cosines[block] = self._block(queries[block], k=k, own=own[block], tile=tile)
        return places, cosines

    def _block(self, queries: Floats, *, k: int, own: Integers, tile: int) -> tuple[Integers, Floats]:
        found: list[Found] = []
        peaks = np.zeros((len(queries), 0), dtype=np.float32)
        for start in range(0, len(self._keys), tile):
            similar = queries @ self._keys[start : start + tile].T
            leave_out(similar, own - start)
            peaks = np.concatenate([peaks, maxima(similar, k=k)], axis=1)
            new = at_least(similar, floor=kth_largest(peaks, k=k))
            found.append(Found(rows=new.rows, columns=new.columns + start, values=new.values))
        floor = kth_largest(peaks, k=k)
        return largest([one.above(floor) for one in found], rows=len(queries), k=k)


def leave_out(similar: Floats, own: Integers) -> None:
    """−∞ for the columns of each row from own[row, 0] to own[row, 1]; both may lie beyond the table."""
    bounds = np.clip(own, 0, similar.shape[1])
    for row in np.flatnonzero(bounds[:, 0] < bounds[:, 1]).tolist():
        similar[row, bounds[row, 0] : bounds[row, 1]] = -np.inf
