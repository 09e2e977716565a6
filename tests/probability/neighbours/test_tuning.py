"""Tuning finds what was planted, refuses what does not help, and counts documents alike."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from raretag.errors import DataError, UsageError
from raretag.probability import Datastore, NeighbourSettings
from raretag.probability.neighbours import Grid, mixture, tune

TAGS = 4
ALL = Grid(neighbours=(2, 8), temperatures=(0.02, 0.2), prior_exponents=(0.0, 0.5), weights=(0.2, 0.6, 1.0))

Sample = tuple[npt.NDArray[np.float32], npt.NDArray[np.int64], npt.NDArray[np.int64]]


def tokens(number: int, *, noise: float, seed: int, least: int = 0) -> Sample:
    """States around the mean of their tag, tags, and documents of 20 tokens."""
    rng = np.random.default_rng(seed)
    tags = rng.integers(least, TAGS, number)
    means = np.random.default_rng(99).standard_normal((TAGS, 8))
    states = (means[tags] + noise * rng.standard_normal((number, 8))).astype(np.float32)
    return states, tags, np.arange(number) // 20


def losses(nearest: Any, p: Any, tags: Any, owners: Any, *, store: str) -> dict[tuple[float, ...], float]:
    """The loss of every setting, with `mixture` in full and a loop over documents."""
    found: dict[tuple[float, ...], float] = {}
    for k in ALL.neighbours:
        for t in ALL.temperatures:
            for gamma in ALL.prior_exponents:
                for weight in (0.0, *ALL.weights):
                    setting = NeighbourSettings.model_validate(
                        {"neighbours": k, "temperature": t, "prior_exponent": gamma, "weight": weight, "store": store}
                    )
                    mixed = mixture(p, nearest.votes(settings=setting), settings=setting)
                    means = []
                    for owner in np.unique(owners[tags >= 0]):
                        rows = np.flatnonzero((owners == owner) & (tags >= 0))
                        means.append(np.mean(-np.log(np.maximum(mixed[rows, tags[rows]], 1e-30))))
                    found[weight, gamma, k, t] = float(np.mean(means))
    return found


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("least", [0, 1])
def test_no_setting_of_the_grid_is_better(seed: int, least: int) -> None:
    states, tags, owners = tokens(240, noise=1.0, seed=seed, least=least)
    store = Datastore(states, tags, owners=owners)
    queries, gold, asking = tokens(150, noise=1.0, seed=seed + 10)
    gold[::7] = -100
    asking = asking**2 // 3
    p = np.random.default_rng(seed).dirichlet(np.ones(TAGS), 150)
    nearest = store.look_up(queries, tags=TAGS, neighbours=8)
    best = tune(nearest, p, gold, owners=asking, grid=ALL)
    table = losses(nearest, p, gold, asking, store="mentions" if least else "all")
    chosen = table[best.weight, best.prior_exponent, best.neighbours, best.temperature]
    assert chosen <= min(table.values()) + 1e-8
    assert best.store == ("mentions" if least else "all")


def test_votes_that_tell_the_tag_get_the_weight_and_those_that_tell_nothing_get_none() -> None:
    states, tags, owners = tokens(400, noise=0.1, seed=0)
    store = Datastore(states, tags, owners=owners)
    nearest = store.look_up(states, tags=TAGS, neighbours=8, owners=owners)
    unsure = np.full((400, TAGS), 1 / TAGS)
    assert tune(nearest, unsure, tags, owners=owners, grid=ALL).weight == 1
    known = np.where(np.eye(TAGS)[tags] > 0, 0.97, 0.01)
    shuffled = Datastore(states, np.random.default_rng(1).permutation(tags), owners=owners)
    nothing = shuffled.look_up(states, tags=TAGS, neighbours=8, owners=owners)
    assert tune(nothing, known, tags, owners=owners, grid=ALL).weight == 0


def test_a_document_that_votes_on_itself_would_mislead() -> None:
    # tags have nothing to do with states, but each document repeats its own
    rng = np.random.default_rng(0)
    owners = np.repeat(np.arange(40), 5)
    states = np.repeat(rng.standard_normal((40, 8)), 5, axis=0).astype(np.float32)
    tags = np.repeat(rng.integers(0, TAGS, 40), 5)
    store, model = Datastore(states, tags, owners=owners), np.full((200, TAGS), 1 / TAGS)
    misled = tune(store.look_up(states, tags=TAGS, neighbours=8), model, tags, owners=owners, grid=ALL)
    right = tune(store.look_up(states, tags=TAGS, neighbours=8, owners=owners), model, tags, owners=owners, grid=ALL)
    assert (misled.weight, right.weight) == (1.0, 0.0)


def test_equal_losses_go_to_the_smaller_weight() -> None:
    states, tags, owners = tokens(60, noise=0.5, seed=0)
    store = Datastore(states, tags, owners=owners)
    nearest = store.look_up(states, tags=TAGS, neighbours=8, owners=owners)
    # the model says what the votes say, at every setting
    p = nearest.votes(settings=NeighbourSettings(neighbours=8, temperature=0.2))
    one = Grid(neighbours=(8,), temperatures=(0.2,), prior_exponents=(0.0,), weights=(0.5, 1.0))
    assert tune(nearest, p, tags, owners=owners, grid=one).weight == 0


def test_a_document_counts_as_one_however_long() -> None:
    # one long document that votes help, two short ones that they harm more
    store = Datastore(np.eye(2, dtype=np.float32), np.array([0, 1]), owners=np.array([8, 9]))
    queries = np.repeat(np.eye(2, dtype=np.float32)[:1], 22, axis=0)
    gold = np.array([0] * 20 + [1, 1])
    owners = np.array([0] * 20 + [1, 2])
    nearest = store.look_up(queries, tags=2, neighbours=1)
    half = np.full((22, 2), 0.5)
    grid = Grid(neighbours=(1,), temperatures=(0.1,), prior_exponents=(0.0,), weights=(0.5,))
    assert tune(nearest, half, gold, owners=owners, grid=grid).weight == 0
    assert tune(nearest, half, gold, owners=np.arange(22), grid=grid).weight == 0.5


def test_what_cannot_be_tuned() -> None:
    states, tags, owners = tokens(30, noise=1, seed=0)
    nearest = Datastore(states, tags, owners=owners).look_up(states, tags=TAGS, neighbours=8)
    p = np.full((30, TAGS), 1 / TAGS)
    with pytest.raises(UsageError, match="keeps labels apart"):
        tune(nearest, np.zeros((30, 2, 3)), np.zeros((30, 2), np.int64), owners=owners)
    with pytest.raises(DataError, match="no token has a gold tag"):
        tune(nearest, p, np.full(30, -100), owners=owners, grid=ALL)
    with pytest.raises(ValueError, match="do not fit probabilities"):
        tune(nearest, p[:-1], tags, owners=owners)
    with pytest.raises(ValueError, match="were looked up"):
        tune(nearest, p, tags, owners=owners, grid=Grid(neighbours=(9,)))
