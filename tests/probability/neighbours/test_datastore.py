"""Votes of the nearest tokens: as many loops would count them, never a token's own document, whatever the blocks."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from raretag.probability import Datastore, NeighbourSettings, mixed
from raretag.probability.neighbours import search

Arrays = tuple[npt.NDArray[np.float32], npt.NDArray[np.int64], npt.NDArray[np.int64]]


def tokens(number: int, *, width: int = 5, tags: int = 4, owners: int = 6, seed: int = 0) -> Arrays:
    """Random vectors, tags and owners, which come in no order."""
    rng = np.random.default_rng(seed)
    vectors = rng.standard_normal((number, width)).astype(np.float32)
    return vectors, rng.integers(0, tags, number), rng.integers(0, owners, number)


def counted(
    store: Arrays, query: Any, *, k: int, temperature: float, tags: int, owner: int | None = None
) -> list[float]:
    """The votes on one query, term by term in plain Python."""

    def cosine(a: Any, b: Any) -> float:
        lengths = math.hypot(*a) * math.hypot(*b)
        return math.fsum(float(x) * float(y) for x, y in zip(a, b, strict=True)) / lengths if lengths else 0.0

    rows = [(cosine(query, key), int(tag)) for key, tag, own in zip(*store, strict=True) if own != owner]
    sums = [0.0] * tags
    for similarity, tag in sorted(rows, reverse=True)[:k]:
        sums[tag] += math.exp(similarity / temperature)
    if not rows:
        sums = [float((store[1] == tag).sum()) for tag in range(tags)]
    return [one / sum(sums) for one in sums]


@given(
    seed=st.integers(0, 2**31),
    number=st.integers(1, 30),
    k=st.integers(1, 40),
    owners=st.integers(1, 4),
    temperature=st.sampled_from([0.05, 0.3, 2.0]),
    apart=st.booleans(),
)
@settings(deadline=None, derandomize=True, max_examples=60)
def test_votes_are_those_counted_one_by_one(
    seed: int, number: int, k: int, owners: int, temperature: float, apart: bool
) -> None:
    stored = tokens(number, owners=owners, seed=seed)
    queries, _, askers = tokens(4, owners=owners + 1, seed=seed + 1)
    found = Datastore(stored[0], stored[1], owners=stored[2]).votes(
        queries,
        tags=5,
        settings=NeighbourSettings(neighbours=k, temperature=temperature),
        owners=askers if apart else None,
    )
    expected = [
        counted(stored, query, k=k, temperature=temperature, tags=5, owner=int(asker) if apart else None)
        for query, asker in zip(queries, askers, strict=True)
    ]
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, expected, rtol=2e-4, atol=1e-9)


def test_a_training_token_finds_itself_unless_its_document_is_left_out() -> None:
    vectors, _, owners = tokens(60, owners=6)
    # the tag tells the document
    store = Datastore(vectors, owners, owners=owners)
    plain = NeighbourSettings(neighbours=1)
    np.testing.assert_array_equal(store.votes(vectors, tags=6, settings=plain), np.eye(6)[owners])
    for k in (1, 10, 64):
        found = store.votes(vectors, tags=6, settings=NeighbourSettings(neighbours=k), owners=owners)
        assert (found[np.arange(60), owners] == 0).all()
        np.testing.assert_allclose(found.sum(axis=1), 1)


def test_an_owner_with_all_tokens_is_told_the_shares_of_the_store() -> None:
    vectors, tags, _ = tokens(40)
    store = Datastore(vectors, tags, owners=np.full(40, 7))
    found = store.votes(vectors[:2], tags=4, settings=NeighbourSettings(), owners=np.array([7, 8]))
    np.testing.assert_allclose(found[0], np.bincount(tags, minlength=4) / 40)
    assert np.abs(found[1] - found[0]).max() > 0.01


def test_nearest_come_first_and_fewer_are_the_first_of_more() -> None:
    vectors, tags, owners = tokens(50)
    store = Datastore(vectors, tags, owners=owners)
    places, cosines = store.nearest(vectors, neighbours=50, owners=owners)
    assert (cosines[:, 1:] <= cosines[:, :-1]).all()
    left = np.isfinite(cosines)
    np.testing.assert_array_equal(left.sum(axis=1), 50 - np.bincount(owners)[owners])
    assert (store.owners[places] != owners[:, None])[left].all()
    some, nearer = store.nearest(vectors, neighbours=7, owners=owners)
    np.testing.assert_array_equal(some, places[:, :7])
    np.testing.assert_array_equal(nearer, cosines[:, :7])


def test_tokens_keep_their_tags_and_owners_in_the_store() -> None:
    vectors, tags, owners = tokens(30, seed=4)
    store = Datastore(vectors, tags, owners=owners)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    given_ = sorted((*row.round(5).tolist(), tag, owner) for row, tag, owner in zip(unit, tags, owners, strict=True))
    rows = zip(store.keys[:], store.tags, store.owners, strict=True)
    kept = sorted((*row.round(5).tolist(), tag, owner) for row, tag, owner in rows)
    np.testing.assert_allclose(kept, given_, atol=2e-5)
    with pytest.raises(ValueError, match="read-only"):
        store.tags[0] = 1


def test_the_size_of_blocks_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, tags, owners = tokens(70, seed=2)
    store = Datastore(vectors, tags, owners=owners, search=search.ExactSearch)
    asked = NeighbourSettings(neighbours=5)
    whole = store.votes(vectors, tags=4, settings=asked, owners=owners)
    for cells in (1, 70 * 3, 70 * 69):
        monkeypatch.setattr(search, "_CELLS", cells)
        np.testing.assert_allclose(store.votes(vectors, tags=4, settings=asked, owners=owners), whole, atol=1e-5)


@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_only_directions_count(scale: float) -> None:
    vectors, tags, owners = tokens(40)
    found = [
        Datastore(vectors * np.float32(a), tags, owners=owners).votes(
            vectors[:9] * np.float32(b), tags=4, settings=NeighbourSettings(neighbours=5)
        )
        for a, b in ((1, 1), (scale, 1), (1, scale))
    ]
    np.testing.assert_allclose(found[1], found[0], rtol=1e-4)
    np.testing.assert_allclose(found[2], found[0], rtol=1e-4)


def test_a_zero_vector_is_as_far_from_all() -> None:
    vectors, tags, owners = tokens(40)
    vectors[3] = 0
    store = Datastore(vectors, tags, owners=owners)
    assert sorted(np.linalg.norm(store.keys[:], axis=1).round(4).tolist()) == [0] + [1] * 39
    found = store.votes(np.zeros((1, 5), np.float32), tags=4, settings=NeighbourSettings(neighbours=40))
    np.testing.assert_allclose(found[0], np.bincount(tags, minlength=4) / 40)


def test_temperature_goes_from_the_nearest_alone_to_a_count() -> None:
    vectors, tags, owners = tokens(50)
    store = Datastore(vectors, tags, owners=owners)
    queries = tokens(8, seed=9)[0]
    places, _ = store.nearest(queries, neighbours=10)
    hot = store.votes(queries, tags=4, settings=NeighbourSettings(neighbours=10, temperature=1e6))
    np.testing.assert_allclose(hot, [np.bincount(store.tags[row], minlength=4) / 10 for row in places], atol=1e-6)
    for temperature in (1e-6, 1e-320):
        cold = store.votes(queries, tags=4, settings=NeighbourSettings(neighbours=10, temperature=temperature))
        np.testing.assert_allclose(cold, np.eye(4)[store.tags[places[:, 0]]], atol=1e-6)


def test_where_vectors_tell_nothing_the_mean_vote_is_the_share_of_a_tag() -> None:
    rng = np.random.default_rng(0)
    tags = rng.choice(3, 3000, p=[0.9, 0.08, 0.02])
    vectors = rng.standard_normal((3000, 16)).astype(np.float32)
    owners = np.repeat(np.arange(100), 30)
    store = Datastore(vectors, tags, owners=owners)
    found = store.votes(vectors, tags=3, settings=NeighbourSettings(), owners=owners).mean(axis=0)
    np.testing.assert_allclose(found, store.shares(tags=3), rtol=0.15)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_mixture_goes_from_the_model_to_the_votes(dtype: Any) -> None:
    rng = np.random.default_rng(0)
    p, votes = rng.dirichlet(np.ones(4), (2, 6))
    p = p.astype(dtype)
    np.testing.assert_array_equal(mixed(p, votes, weight=0), p)
    np.testing.assert_array_equal(mixed(p, votes, weight=1), votes.astype(dtype))
    assert mixed(p, votes, weight=0.3).dtype == dtype
    np.testing.assert_allclose(mixed(p, votes, weight=0.25), p + (votes - p) / 4, rtol=1e-5)


def test_nobody_asks_and_nobody_is_told() -> None:
    vectors, tags, owners = tokens(5)
    store = Datastore(vectors, tags, owners=owners)
    assert len(store) == 5
    assert store.votes(vectors[:0], tags=4, settings=NeighbourSettings(), owners=owners[:0]).shape == (0, 4)


@pytest.mark.parametrize(
    ("keys", "tags", "owners", "told"),
    [
        (np.zeros((0, 3)), [], [], "at least one token"),
        (np.zeros(3), [0, 0, 0], [0, 0, 0], r"not \(3,\)"),
        (np.zeros((2, 3)), [0], [0, 0], r"\(2, 3\), \(1,\) and \(2,\)"),
        (np.zeros((2, 3)), [0, 0], [0], r"\(2, 3\), \(2,\) and \(1,\)"),
        (np.zeros((2, 3)), [0, -100], [0, 0], "not -100"),
        (np.array([[0.0, np.nan], [np.inf, 1], [1, 1]]), [0, 0, 0], [0, 0, 0], "2 of 3 vectors"),
    ],
)
def test_a_store_that_cannot_be(keys: Any, tags: list[int], owners: list[int], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        Datastore(keys.astype(np.float32), np.array(tags, np.int64), owners=np.array(owners, np.int64))


def test_questions_that_do_not_fit() -> None:
    vectors, tags, owners = tokens(5)
    tags[0] = 3
    store, plain = Datastore(vectors, tags, owners=owners), NeighbourSettings()
    with pytest.raises(ValueError, match=r"must be \(queries, 5\), not \(5, 4\)"):
        store.votes(vectors[:, :4], tags=4, settings=plain)
    with pytest.raises(ValueError, match="one for each query"):
        store.votes(vectors[:3], tags=4, settings=plain, owners=owners)
    with pytest.raises(ValueError, match="holds tag 3"):
        store.votes(vectors, tags=3, settings=plain)
    with pytest.raises(ValueError, match="1 of 5 vectors"):
        store.nearest(np.where(np.arange(25).reshape(5, 5) == 7, np.nan, vectors), neighbours=1)
    with pytest.raises(ValueError, match="not 0"):
        store.nearest(vectors, neighbours=0)
    with pytest.raises(ValueError, match="shape of probabilities"):
        mixed(np.zeros((2, 3)), np.zeros((2, 1)), weight=0.5)
    with pytest.raises(ValueError, match=r"not 1\.5"):
        mixed(np.zeros(3), np.zeros(3), weight=1.5)


@pytest.mark.parametrize(
    "wrong", [{"neighbours": 0}, {"temperature": 0}, {"temperature": math.inf}, {"weight": 1.1}, {"k": 5}]
)
def test_settings_that_cannot_be(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        NeighbourSettings(**wrong)
