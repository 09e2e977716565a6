"""The exact search of faiss, for those who have it: the same neighbours up to ties."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final, final

import numpy as np

from raretag.errors import UsageError
from raretag.probability.neighbours.search import ExactSearch, Search
from raretag.probability.neighbours.vectors import Floats, Integers, Keys

# keys that are compared at once: 96 MiB as float32 at width 768
_TILE: Final = 2**15


def faiss_installed() -> bool:
    """Whether `FaissSearch` and `ClusteredSearch` can be used."""
    return find_spec("faiss") is not None


def faiss_loaded() -> Any:
    """The module. Raises UsageError where it is not installed."""
    if not faiss_installed():
        raise UsageError(
            "faiss is not installed",
            remedy="pip install 'raretag[neighbours]', or search exactly: ExactSearch needs numpy alone",
        )
    return import_module("faiss")


def exact_search(keys: Keys) -> Search:
    """`FaissSearch` where faiss is installed, else `ExactSearch`: the same neighbours up to ties."""
    return FaissSearch(keys) if faiss_installed() else ExactSearch(keys)


@final
class FaissSearch(Search):
    """Brute force by faiss (arXiv 2401.08281), a tile of keys after another: nothing is kept but the keys themselves.

    Uses as many threads as OpenMP is allowed (OMP_NUM_THREADS).
    """

    def __init__(self, keys: Keys) -> None:
        """Raises UsageError where faiss is not installed."""
        super().__init__(keys)
        self._faiss = faiss_loaded()

    def nearest(self, queries: Floats, *, k: int, own: Integers) -> tuple[Integers, Floats]:
        """As `Search.nearest`; nothing is overlooked."""
        best = self._faiss.ResultHeap(len(queries), k, keep_max=True)
        queries = np.ascontiguousarray(queries)
        for start in range(0, len(self._keys), _TILE):
            tile = np.ascontiguousarray(self._keys[start : start + _TILE])
            # faiss has selectors, but leaves its matrix products for them: seven times as slow as two slices
            for rows, left, right in alike(np.clip(own - start, 0, len(tile))):
                for part in (slice(0, left), slice(right, len(tile))):
                    among = tile[part]
                    if not len(among):
                        continue
                    found = self._faiss.knn(
                        queries[rows], among, min(k, len(among)), metric=self._faiss.METRIC_INNER_PRODUCT
                    )
                    best.add_result_subset(rows, found[0], found[1] + (start + part.start))
        best.finalize()
        return finished(best.I, best.D)


def alike(own: Integers) -> Iterator[tuple[Integers, int, int]]:
    """Rows that leave out the same keys, with where these begin and end; 0 and 0 for rows that leave out none."""
    some = own[:, 0] < own[:, 1]
    if not some.all():
        yield np.flatnonzero(~some), 0, 0
    asking = np.flatnonzero(some)
    left_out, number = np.unique(own[asking], axis=0, return_inverse=True)
    for place, (start, stop) in enumerate(left_out.tolist()):
        yield asking[number.ravel() == place], start, stop


def finished(places: Integers, cosines: Floats) -> tuple[Integers, Floats]:
    """As `Search.nearest` tells what is missing, where faiss has a place of −1 and the lowest float."""
    missing = places < 0
    return np.where(missing, 0, places), np.where(missing, np.float32(-np.inf), cosines)
