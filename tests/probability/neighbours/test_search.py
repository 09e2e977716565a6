"""Searches find what sorting all cosines finds; the approximate one finds it when it looks everywhere."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raretag.errors import UsageError
from raretag.probability.neighbours import (
    ClusteredSearch,
    Datastore,
    ExactSearch,
    FaissSearch,
    exact_search,
    faiss_installed,
    faiss_search,
)
from raretag.probability.neighbours import search as search_module
from raretag.probability.neighbours.selection import LOWEST, at_least, kth_largest, largest, maxima
from raretag.probability.neighbours.vectors import QuantisedKeys, directions

Vectors = npt.NDArray[np.float32]


def vectors(number: int, *, width: int = 6, seed: int = 0) -> Vectors:
    return directions(np.random.default_rng(seed).standard_normal((number, width)).astype(np.float32))


def sorted_out(keys: Vectors, queries: Vectors, own: npt.NDArray[np.int64], *, k: int) -> list[list[float]]:
    """The k largest cosines of each query, in float64, −∞ where there are too few."""
    rows = []
    for query, (start, stop) in zip(queries.astype(np.float64), own.tolist(), strict=True):
        left = [float(key @ query) for place, key in enumerate(keys.astype(np.float64)) if not start <= place < stop]
        rows.append(sorted([*left, *[-np.inf] * (len(keys) - len(left))], reverse=True)[:k])
    return rows


# and by how much a cosine may be off: clusters hold keys as float16
WAYS = [
    pytest.param(ExactSearch, 1e-5, id="exact"),
    pytest.param(partial(ClusteredSearch, probes=10**6), 1e-3, id="clusters"),
    pytest.param(FaissSearch, 1e-5, id="faiss"),
]


@pytest.mark.parametrize(("make", "off"), WAYS)
@given(
    seed=st.integers(0, 2**31),
    number=st.integers(1, 90),
    k=st.integers(1, 12),
    tile=st.sampled_from([5, 16, 2**14]),
)
@settings(deadline=None, derandomize=True, max_examples=40)
def test_the_nearest_are_those_of_a_full_sort(make: Any, off: float, seed: int, number: int, k: int, tile: int) -> None:
    keys, queries = vectors(number, seed=seed), vectors(7, seed=seed + 1)
    rng = np.random.default_rng(seed)
    own = np.sort(rng.integers(0, number + 1, (7, 2)), axis=1)
    own[:3] = own[0]
    k = min(k, number)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search_module, "_TILE", tile)
        patch.setattr(faiss_search, "_TILE", tile)
        places, cosines = make(keys).nearest(queries, k=k, own=own)
    np.testing.assert_allclose(cosines, sorted_out(keys, queries, own, k=k), atol=off)
    found = np.isfinite(cosines)
    np.testing.assert_allclose(np.einsum("qw,qkw->qk", queries, keys[places])[found], cosines[found], atol=off)
    assert not ((places >= own[:, :1]) & (places < own[:, 1:]))[found].any()
    assert all(len({*row[some].tolist()}) == some.sum() for row, some in zip(places, found, strict=True))


def test_bounds_leave_out_most_and_never_one_of_the_nearest() -> None:
    values = np.random.default_rng(0).standard_normal((50, 4000)).astype(np.float32)
    cells = at_least(values, floor=kth_largest(maxima(values, k=10), k=10))
    assert len(cells.rows) < 50 * 10 * 3
    columns, found = largest([cells], rows=50, k=10)
    np.testing.assert_array_equal(found, -np.sort(-values, axis=1)[:, :10])
    np.testing.assert_array_equal(np.take_along_axis(values, columns, axis=1), found)


def test_a_row_of_too_few_numbers_has_no_bound() -> None:
    few = np.array([[0.5, -np.inf], [0.5, 0.25]], np.float32)
    np.testing.assert_array_equal(kth_largest(few, k=2), [LOWEST, 0.25])
    np.testing.assert_array_equal(kth_largest(few, k=3), [LOWEST, LOWEST])


def test_clusters_find_most_neighbours_where_tokens_lie_in_clusters() -> None:
    rng = np.random.default_rng(0)
    means = rng.standard_normal((40, 32))
    keys = directions(means[rng.integers(0, 40, 4000)] + rng.standard_normal((4000, 32)))
    queries = directions(means[rng.integers(0, 40, 200)] + rng.standard_normal((200, 32)))
    none = np.zeros((200, 2), np.int64)
    right = ExactSearch(keys).nearest(queries, k=10, own=none)[0]

    def recall(probes: int) -> float:
        places = ClusteredSearch(keys, probes=probes).nearest(queries, k=10, own=none)[0]
        return float(np.mean([len({*a} & {*b}) / 10 for a, b in zip(places.tolist(), right.tolist(), strict=True)]))

    assert 0.2 < recall(1) < recall(8) < recall(32)
    assert recall(32) > 0.97
    with pytest.raises(ValueError, match="at least one cluster"):
        ClusteredSearch(keys, probes=0)


def test_a_store_asks_the_search_it_was_given() -> None:
    keys = vectors(300)
    tags, owners = np.zeros(300, np.int64), np.repeat(np.arange(30), 10)
    exact = Datastore(keys, tags, owners=owners)
    near = Datastore(keys, tags, owners=owners, search=partial(ClusteredSearch, probes=1))
    assert not np.array_equal(exact.nearest(keys, neighbours=20)[0], near.nearest(keys, neighbours=20)[0])
    places, cosines = near.nearest(keys, neighbours=20, owners=owners)
    assert (near.owners[places] != owners[:, None])[np.isfinite(cosines)].all()


def test_projected_keys_are_found_where_the_other_axes_are_empty() -> None:
    rng = np.random.default_rng(0)
    axes = np.linalg.qr(rng.standard_normal((24, 5)))[0].T
    keys, queries = (directions(rng.standard_normal((n, 5)) @ axes) for n in (400, 50))
    none = np.zeros((50, 2), np.int64)
    right = ExactSearch(keys).nearest(queries, k=8, own=none)[1]
    kept = ClusteredSearch(keys, probes=10**6, width=5).nearest(queries, k=8, own=none)[1]
    np.testing.assert_allclose(kept, right, atol=1e-3)
    lost = ClusteredSearch(keys, probes=10**6, width=4).nearest(queries, k=8, own=none)[1]
    assert np.abs(lost - right).max() > 0.01
    with pytest.raises(ValueError, match="at least one axis"):
        ClusteredSearch(keys, width=0)


def test_the_same_keys_make_the_same_clusters() -> None:
    keys, none = vectors(3000, width=12), np.zeros((200, 2), np.int64)
    found = [ClusteredSearch(keys, probes=2, width=8).nearest(keys[:200], k=9, own=none) for _ in range(2)]
    np.testing.assert_array_equal(found[0][0], found[1][0])
    np.testing.assert_array_equal(found[0][1], found[1][1])


@pytest.mark.parametrize(("make", "off"), WAYS)
def test_nobody_asks(make: Any, off: float) -> None:
    places, cosines = make(vectors(20)).nearest(vectors(0), k=3, own=np.zeros((0, 2), np.int64))
    assert places.shape == cosines.shape == (0, 3)


def test_without_faiss_there_is_the_exact_search_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(exact_search(vectors(3)), FaissSearch)
    monkeypatch.setattr(faiss_search, "find_spec", lambda _: None)
    assert not faiss_installed()
    assert isinstance(exact_search(vectors(3)), ExactSearch)
    for make in (FaissSearch, ClusteredSearch):
        with pytest.raises(UsageError, match=r"raretag\[neighbours\]"):
            make(vectors(3))


@given(seed=st.integers(0, 2**31), scale=st.sampled_from([1e-30, 1e-3, 1.0, 1e30]), rows=st.integers(0, 9))
@settings(deadline=None, derandomize=True, max_examples=40)
def test_codes_are_within_half_a_step_of_directions(seed: int, scale: float, rows: int) -> None:
    given_ = (np.random.default_rng(seed).standard_normal((rows, 7)) * scale).astype(np.float32)
    given_[:1] = 0
    codes = QuantisedKeys.of(given_)
    unit = directions(given_)
    assert codes.codes.dtype == np.int8
    assert codes[:].dtype == np.float32
    assert (np.abs(codes[:] - unit) <= np.abs(unit).max(axis=1, keepdims=True) / 253).all()
    np.testing.assert_array_equal(codes[np.arange(rows)], codes[:])
    np.testing.assert_array_equal(codes.of_rows(np.arange(rows) % 2 == 0)[:], codes[:][::2])
    assert codes.shape == (rows, 7)
