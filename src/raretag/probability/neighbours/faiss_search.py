"""The exact search of faiss, for those who have it: the same neighbours up to ties."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any, final

import numpy as np

from raretag.errors import UsageError
from raretag.probability.neighbours.search import Search
from raretag.probability.neighbours.vectors import Floats, Integers, Keys


def faiss_installed() -> bool:
    """Whether `FaissSearch` can be used."""
    return find_spec("faiss") is not None


@final
class FaissSearch(Search):
    """IndexFlatIP of faiss (arXiv 2401.08281): exact, all keys in memory as float32."""

    def __init__(self, keys: Keys) -> None:
        """Raises UsageError where faiss is not installed."""
        super().__init__(keys)
        if not faiss_installed():
            raise UsageError("faiss is not installed", remedy="pip install 'raretag[neighbours]'")
        self._faiss: Any = import_module("faiss")
        self._index: Any = self._faiss.IndexFlatIP(keys.shape[1])
        self._index.add(np.ascontiguousarray(keys[:], dtype=np.float32))

    def nearest(self, queries: Floats, *, k: int, own: Integers) -> tuple[Integers, Floats]:
        """As `Search.nearest`, one call for the queries that leave out the same keys."""
        places = np.zeros((len(queries), k), dtype=np.int64)
        cosines = np.zeros((len(queries), k), dtype=np.float32)
        left_out, number = np.unique(own, axis=0, return_inverse=True)
        for place, (start, stop) in enumerate(left_out.tolist()):
            rows = np.flatnonzero(number.ravel() == place)
            asked = np.ascontiguousarray(queries[rows])
            if start < stop:
                others = self._faiss.IDSelectorNot(self._faiss.IDSelectorRange(start, stop))
                found = self._index.search(asked, k, params=self._faiss.SearchParameters(sel=others))
            else:
                found = self._index.search(asked, k)
            cosines[rows], places[rows] = found
        # faiss fills up with −1 and the lowest float
        missing = places < 0
        places[missing], cosines[missing] = 0, -np.inf
        return places, cosines
