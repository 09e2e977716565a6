"""A search that looks only where neighbours are likely: much faster, and some neighbours are overlooked."""

from __future__ import annotations

from typing import Any, Final, final

import numpy as np

from raretag.probability.neighbours.faiss_search import alike, faiss_loaded, finished
from raretag.probability.neighbours.search import Search
from raretag.probability.neighbours.vectors import Floats, Integers, Keys

# keys that are looked at together while the index is built
_ROWS: Final = 2**14
_SEED: Final = 0


@final
class ClusteredSearch(Search):
    """An inverted file of faiss (arXiv 2401.08281) over the main axes of the keys; approximate: ask for it.

    Keys and queries are projected onto the eigenvectors of Σ k kᵀ with the largest eigenvalues, which of all
    projections lose least of the keys; a cosine is off by at most the product of the lengths that query and key lose,
    and by the rounding of keys to float16. Projected keys lie in about 2√n clusters, found by spherical k-means, and a
    query is compared with those of its nearest clusters alone (Sivic and Zisserman 2003, ICCV). Holds 2 `width` + 8
    bytes a key. The same keys make the same clusters on the same number of threads, which is what OpenMP is allowed
    (OMP_NUM_THREADS).
    """

    def __init__(self, keys: Keys, *, probes: int = 8, width: int = 192) -> None:
        """probes: how many clusters a query is compared with, >= 1. width: how many axes are kept, >= 1.

        With as many clusters as there are and all axes nothing is overlooked. Raises UsageError where faiss is not
        installed, ValueError for numbers below 1.
        """
        super().__init__(keys)
        if probes < 1:
            raise ValueError(f"at least one cluster must be searched, not {probes}")
        if width < 1:
            raise ValueError(f"at least one axis must be kept, not {width}")
        self._faiss = faiss_loaded()
        self._axes = _axes(keys, width=width) if width < keys.shape[1] else None
        self._index = self._built(clusters=max(1, round(2 * len(keys) ** 0.5)))
        self._index.nprobe = min(probes, self._index.nlist)

    def nearest(self, queries: Floats, *, k: int, own: Integers) -> tuple[Integers, Floats]:
        """As `Search.nearest`, among the keys of the nearest clusters; one call for queries that leave out the same."""
        places = np.zeros((len(queries), k), dtype=np.int64)
        cosines = np.zeros((len(queries), k), dtype=np.float32)
        projected = self._projected(queries)
        for rows, left, right in alike(own):
            asked = projected if len(rows) == len(projected) else projected[rows]
            cosines[rows], places[rows] = self._index.search(asked, k, params=self._without(left, right))
        return finished(places, cosines)

    def _without(self, left: int, right: int) -> Any:
        if left == right:
            return None
        others = self._faiss.IDSelectorNot(self._faiss.IDSelectorRange(left, right))
        return self._faiss.SearchParametersIVF(nprobe=self._index.nprobe, sel=others)

    def _built(self, *, clusters: int) -> Any:
        keys = np.concatenate([self._projected(self._keys[n : n + _ROWS]) for n in range(0, len(self._keys), _ROWS)])
        width, clusters = keys.shape[1], min(len(keys), clusters)
        faiss = self._faiss
        index = faiss.IndexIVFScalarQuantizer(
            faiss.IndexFlatIP(width),
            width,
            clusters,
            faiss.ScalarQuantizer.QT_fp16,
            faiss.METRIC_INNER_PRODUCT,
            # the difference to a cluster's centre would be added up again for each key
            False,
        )
        index.cp.seed = _SEED
        # a small store is no reason to warn
        index.cp.min_points_per_centroid = 1
        index.train(keys)
        index.add(keys)
        return index

    def _projected(self, vectors: Floats) -> Floats:
        return np.ascontiguousarray(vectors if self._axes is None else vectors @ self._axes)


def _axes(keys: Keys, *, width: int) -> Floats:
    """float32 (full width, `width`), orthonormal columns."""
    moments = np.zeros((keys.shape[1], keys.shape[1]))
    for start in range(0, len(keys), _ROWS):
        part = keys[start : start + _ROWS]
        moments += part.T @ part
    return np.ascontiguousarray(np.linalg.eigh(moments)[1][:, -width:], dtype=np.float32)
