"""Votes with the prior put back, and of mentions alone, counted one by one; mixtures that keep what they must."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raretag.errors import DataError, UsageError
from raretag.probability import Datastore, NeighbourSettings, mixed
from raretag.probability.neighbours import add_votes, mixed_within_mentions, mixture
from raretag.probability.neighbours.vectors import QuantisedKeys

TAGS = 5


def store_of(number: int, *, seed: int, least: int = 0) -> Datastore:
    rng = np.random.default_rng(seed)
    keys = rng.standard_normal((number, 4)).astype(np.float32)
    return Datastore(keys, rng.integers(least, TAGS - 1, number), owners=rng.integers(0, 4, number))


def counted(store: Datastore, query: Any, *, settings: NeighbourSettings, owner: int, least: int = 0) -> list[float]:
    """p_kNN of one query by its formula; tags below `least` are not in the store at all."""
    keys: Any = store.keys
    kept = [n for n in range(len(store)) if store.tags[n] >= least]
    share = [sum(store.tags[n] == tag for n in kept) / len(kept) for tag in range(TAGS)]
    unit = query / math.hypot(*query)
    near = sorted(((float(keys[n] @ unit), n) for n in kept if store.owners[n] != owner), reverse=True)
    sums = [0.0] * TAGS
    for cosine, n in near[: settings.neighbours]:
        sums[store.tags[n]] += math.exp(cosine / settings.temperature)
    if not near:
        sums = share
    sums = [s * (pi**-settings.prior_exponent if pi else 1) for s, pi in zip(sums, share, strict=True)]
    return [one / sum(sums) for one in sums]


@given(
    seed=st.integers(0, 2**31),
    number=st.integers(1, 25),
    k=st.integers(1, 30),
    gamma=st.sampled_from([0.0, 0.3, 1.0]),
    temperature=st.sampled_from([0.05, 0.5]),
    mentions=st.booleans(),
)
@settings(deadline=None, derandomize=True, max_examples=80)
def test_votes_are_those_counted_one_by_one(
    seed: int, number: int, k: int, gamma: float, temperature: float, mentions: bool
) -> None:
    store = store_of(number, seed=seed)
    asked = NeighbourSettings(
        neighbours=k, temperature=temperature, prior_exponent=gamma, store="mentions" if mentions else "all"
    )
    queries = np.random.default_rng(seed + 1).standard_normal((4, 4)).astype(np.float32)
    askers = np.arange(4)
    if mentions and not (store.tags > 0).any():
        with pytest.raises(DataError, match="no stored token is in a mention"):
            store.mentions()
        return
    searched = store.mentions() if mentions else store
    found = searched.votes(queries, tags=TAGS, settings=asked, owners=askers)
    expected = [
        counted(store, query, settings=asked, owner=owner, least=int(mentions)) for owner, query in enumerate(queries)
    ]
    np.testing.assert_allclose(found, expected, rtol=3e-4, atol=1e-9)
    again = searched.look_up(queries, tags=TAGS, neighbours=30, owners=askers)
    np.testing.assert_allclose(again.votes(settings=asked), found, rtol=1e-5, atol=1e-12)


def test_where_vectors_tell_nothing_a_full_exponent_makes_all_tags_alike() -> None:
    rng = np.random.default_rng(0)
    tags = rng.choice(3, 3000, p=[0.8, 0.15, 0.05])
    store = Datastore(rng.standard_normal((3000, 16)).astype(np.float32), tags, owners=np.arange(3000))
    queries = rng.standard_normal((300, 16)).astype(np.float32)
    hot = NeighbourSettings(neighbours=1000, temperature=10.0, prior_exponent=1.0)
    found = store.votes(queries, tags=3, settings=hot).mean(axis=0)
    np.testing.assert_allclose(found, 1 / 3, rtol=0.1)


def test_more_neighbours_than_were_looked_up() -> None:
    store = store_of(20, seed=0)
    nearest = store.look_up(np.ones((2, 4), np.float32), tags=TAGS, neighbours=5)
    assert len(nearest) == 2
    with pytest.raises(ValueError, match="6 neighbours were asked for, but 5 were looked up"):
        nearest.votes(settings=NeighbourSettings(neighbours=6))


def test_a_store_with_tokens_outside_mentions_is_not_taken_for_one_without() -> None:
    store = store_of(40, seed=1)
    with pytest.raises(UsageError, match=r"Ask its mentions\(\)"):
        store.votes(np.ones((2, 4), np.float32), tags=TAGS, settings=NeighbourSettings(store="mentions"))


def test_mentions_of_a_quantised_store_are_the_same_tokens() -> None:
    plain = store_of(40, seed=2)
    codes = Datastore(QuantisedKeys.of(np.asarray(plain.keys)), plain.tags, owners=plain.owners)
    inside, coded = plain.mentions(), codes.mentions()
    np.testing.assert_array_equal(inside.tags, plain.tags[plain.tags > 0])
    np.testing.assert_array_equal(coded.tags, inside.tags)
    np.testing.assert_array_equal(coded.owners, inside.owners)
    np.testing.assert_allclose(coded.keys[:], inside.keys[:], atol=0.005)
    with pytest.raises(ValueError, match="in the order of their owners"):
        Datastore(QuantisedKeys.of(np.eye(2)), np.zeros(2, np.int64), owners=np.array([1, 0]))


def told(seed: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float64]]:
    rng = np.random.default_rng(seed)
    votes = np.concatenate([np.zeros((6, 1)), rng.dirichlet(np.ones(3), 6)], axis=1)
    return rng.dirichlet(np.ones(4), 6).astype(np.float32), votes


@given(seed=st.integers(0, 2**31), weight=st.floats(0, 1))
@settings(deadline=None, derandomize=True, max_examples=60)
def test_votes_of_mentions_keep_the_models_p_of_outside(seed: int, weight: float) -> None:
    p, votes = told(seed)
    found = mixed_within_mentions(p, votes, weight=weight)
    np.testing.assert_array_equal(found[:, 0], p[:, 0])
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)
    inside = 1 - p[:, :1].astype(np.float64)
    expected = inside * (weight * votes[:, 1:] + (1 - weight) * p[:, 1:] / inside)
    np.testing.assert_allclose(found[:, 1:], expected, atol=1e-6)
    assert found.dtype == np.float32


def test_a_mixture_without_weight_is_the_model() -> None:
    p, votes = told(0)
    for store in ("all", "mentions"):
        still = NeighbourSettings.model_validate({"weight": 0, "store": store})
        np.testing.assert_array_equal(mixture(p, votes, settings=still), p)
        moved = NeighbourSettings.model_validate({"weight": 0.5, "store": store})
        by_hand = (mixed if store == "all" else mixed_within_mentions)(p, votes, weight=0.5)
        np.testing.assert_array_equal(mixture(p, votes, settings=moved), by_hand)
    assert not np.allclose(mixed(p, votes, weight=0.5), mixed_within_mentions(p, votes, weight=0.5))
    votes[0] = [1, 0, 0, 0]
    with pytest.raises(ValueError, match="cannot be for O"):
        mixed_within_mentions(p, votes, weight=0.5)


def test_votes_are_added_where_the_model_is_not_certain() -> None:
    store = store_of(60, seed=3)
    rng = np.random.default_rng(1)
    hidden = rng.standard_normal((50, 4)).astype(np.float32)
    p = rng.dirichlet(np.full(TAGS, 0.3), 50).astype(np.float32)
    owners = rng.integers(0, 4, 50)
    asked = NeighbourSettings(neighbours=5, weight=0.4)
    everywhere = add_votes(p, hidden, store=store, settings=asked, owners=owners)
    votes = store.votes(hidden, tags=TAGS, settings=asked, owners=owners)
    np.testing.assert_array_equal(everywhere, mixed(p, votes, weight=0.4))
    some = add_votes(p, hidden, store=store, settings=asked, owners=owners, certain=0.8)
    sure = p.max(axis=1) > 0.8
    assert 0 < sure.sum() < 50
    np.testing.assert_array_equal(some[sure], p[sure])
    np.testing.assert_allclose(some[~sure], everywhere[~sure], atol=1e-6)
    np.testing.assert_array_equal(add_votes(p, hidden, store=store, settings=NeighbourSettings(weight=0)), p)
    with pytest.raises(UsageError, match="keeps labels apart"):
        add_votes(np.zeros((2, 3, 3)), hidden[:2], store=store, settings=asked)
    with pytest.raises(ValueError, match="certain must be in"):
        add_votes(p, hidden, store=store, settings=asked, certain=0)
    with pytest.raises(ValueError, match="do not fit"):
        add_votes(p[:3], hidden, store=store, settings=asked)
