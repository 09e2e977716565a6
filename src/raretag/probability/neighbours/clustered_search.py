"""A search that looks only where neighbours are likely: much faster, and some neighbours are overlooked."""

from __future__ import annotations

from typing import Final, final

import numpy as np

from raretag.probability.neighbours.search import Search
from raretag.probability.neighbours.selection import LOWEST, NOTHING, Found, at_least, kth_largest, largest
from raretag.probability.neighbours.vectors import Floats, Integers, Keys, QuantisedKeys, directions

# of k-means
_ROUNDS: Final = 6
_SAMPLE: Final = 64
# rows that are compared with all centres at once, and queries that are looked up together
_ROWS: Final = 2**13
# clusters that are searched before there is a bound for the others
_FIRST: Final = 2


@final
class ClusteredSearch(Search):
    """Inverted file: keys in about 2√n clusters, a query is compared with those of its nearest clusters alone.

    Sivic and Zisserman (2003, ICCV); clusters by spherical k-means. Approximate: ask for it. The same keys always make
    the same clusters. Holds a copy of the keys.
    """

    def __init__(self, keys: Keys, *, probes: int = 16) -> None:
        """probes: how many clusters a query is compared with, >= 1; as many as there are make it exact."""
        super().__init__(keys)
        if probes < 1:
            raise ValueError(f"at least one cluster must be searched, not {probes}")
        self._centres = _centres(keys)
        nearest = np.concatenate(
            [(keys[start : start + _ROWS] @ self._centres.T).argmax(axis=1) for start in range(0, len(keys), _ROWS)]
        )
        self._members = np.argsort(nearest, kind="stable")
        # in the order of clusters: each is a slice
        self._keys = keys.of_rows(self._members) if isinstance(keys, QuantisedKeys) else keys[self._members]
        self._bounds = np.searchsorted(nearest[self._members], np.arange(len(self._centres) + 1))
        self._probes = min(probes, len(self._centres))

    def nearest(self, queries: Floats, *, k: int, own: Integers) -> tuple[Integers, Floats]:
        """As `Search.nearest`, among the keys of the nearest clusters."""
        places = np.zeros((len(queries), k), dtype=np.int64)
        cosines = np.zeros((len(queries), k), dtype=np.float32)
        for start in range(0, len(queries), _ROWS):
            block = slice(start, start + _ROWS)
            places[block], cosines[block] = self._block(queries[block], k=k, own=own[block])
        return places, cosines

    def _block(self, queries: Floats, *, k: int, own: Integers) -> tuple[Integers, Floats]:
        near = queries @ self._centres.T
        probed = np.argpartition(-near, self._probes - 1, axis=1)[:, : self._probes]
        probed = np.take_along_axis(probed, np.argsort(-np.take_along_axis(near, probed, axis=1), axis=1), axis=1)
        found = [NOTHING]
        floor = np.full(len(queries), LOWEST)
        for part in (probed[:, :_FIRST], probed[:, _FIRST:]):
            found.extend(self._compared(queries, part, own=own, floor=floor))
            places, cosines = largest(found, rows=len(queries), k=k)
            floor = kth_largest(cosines, k=k)
            found = [Found(rows=np.repeat(np.arange(len(queries)), k), columns=places.ravel(), values=cosines.ravel())]
        return places, cosines

    def _compared(self, queries: Floats, probed: Integers, *, own: Integers, floor: Floats) -> list[Found]:
        """Cluster by cluster, with all queries that it is near to."""
        order = np.argsort(probed, axis=None, kind="stable")
        askers = order // max(1, probed.shape[1])
        limits = np.searchsorted(probed.ravel()[order], np.arange(len(self._centres) + 1))
        found = []
        for cluster in np.flatnonzero(np.diff(limits)).tolist():
            rows = askers[limits[cluster] : limits[cluster + 1]]
            stored = slice(self._bounds[cluster], self._bounds[cluster + 1])
            members = self._members[stored]
            if not len(members):
                continue
            similar = queries[rows] @ self._keys[stored].T
            # members stand in the order of the store, so that own tokens are neighbours here too
            for row, (first, last) in enumerate(np.searchsorted(members, own[rows]).tolist()):
                similar[row, first:last] = -np.inf
            new = at_least(similar, floor=floor[rows])
            found.append(Found(rows=rows[new.rows], columns=members[new.columns], values=new.values))
        return found


def _centres(keys: Keys) -> Floats:
    """Spherical k-means on a sample: float32 (clusters, width), at unit length or zero."""
    number = min(len(keys), max(1, round(2 * len(keys) ** 0.5)))
    rng = np.random.default_rng(0)
    sample = keys[np.sort(rng.permutation(len(keys))[: _SAMPLE * number])]
    centres = sample[rng.permutation(len(sample))[:number]]
    for _ in range(_ROUNDS):
        nearest = np.concatenate(
            [(sample[start : start + _ROWS] @ centres.T).argmax(axis=1) for start in range(0, len(sample), _ROWS)]
        )
        order = np.argsort(nearest, kind="stable")
        there, first = np.unique(nearest[order], return_index=True)
        centres = centres.copy()
        # a cluster that lost all its members stays where it was
        centres[there] = directions(np.add.reduceat(sample[order], first, axis=0))
    return centres
