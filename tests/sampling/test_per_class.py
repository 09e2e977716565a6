"""Batches about one label: which, with which windows, and what becomes of the other labels."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

from raretag.sampling import Budget, Draw, Windows, WindowSampler, sampler
from raretag.sampling.per_class import PerClass

BUDGET = Budget(tokens=256, seed=3)
ORDERS = ("square-root", "uniform", "proportional", "round-robin")


def build(corpus: Any, **options: Any) -> WindowSampler[Any]:
    return sampler("per-class", windows=corpus.windows, budget=BUDGET, **options)


def epochs(built: WindowSampler[Any], number: int) -> list[list[int]]:
    return [batch for epoch in range(number) for batch in built.epoch_batches(epoch)]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("without", [0, 0.25, 0.7])
def test_a_batch_is_about_one_label_and_repeats_no_window(corpus: Any, order: str, without: float) -> None:
    for batch in epochs(build(corpus, order=order, without=without), 4):
        focus = {Draw.of(one).focus for one in batch}
        assert len(focus) == 1
        held = corpus.windows.label_counts[batch, focus.pop() - 1] > 0
        assert held.any()
        assert len(set(batch)) == len(batch)
        if without == 0:
            assert held.all()


@pytest.mark.parametrize(("order", "power"), [("square-root", 0.5), ("uniform", 0), ("proportional", 1)])
def test_labels_share_the_batches_as_told(corpus: Any, order: str, power: float) -> None:
    holding = (corpus.windows.label_counts > 0).sum(axis=0)[:4]
    found = Counter(Draw.of(batch[0]).focus for batch in epochs(build(corpus, order=order), 60))
    shares = np.array([found[focus] for focus in range(1, 6)]) / found.total()
    np.testing.assert_allclose(shares[:4], holding**power / (holding**power).sum(), atol=0.005)
    # no window holds the last label
    assert shares[4] == 0


def test_round_robin_takes_labels_in_turn_from_epoch_to_epoch(corpus: Any) -> None:
    found = [Draw.of(batch[0]).focus for batch in epochs(build(corpus, order="round-robin"), 3)]
    assert found == [1 + turn % 4 for turn in range(len(found))]


@pytest.mark.parametrize("without", [0.1, 0.25, 0.6])
def test_windows_without_the_label_have_their_share(corpus: Any, without: float) -> None:
    # of the two most frequent labels there are not enough windows without them
    held = [
        corpus.windows.label_counts[batch, Draw.of(batch[0]).focus - 1] > 0
        for batch in epochs(build(corpus, without=without, order="uniform"), 40)
        if Draw.of(batch[0]).focus > 2
    ]
    assert 1 - np.concatenate(held).mean() == pytest.approx(without, abs=0.03)


def test_a_label_of_few_windows_has_small_batches(corpus: Any) -> None:
    batches = [batch for batch in epochs(build(corpus), 20) if Draw.of(batch[0]).focus == 4]
    rare = set(np.flatnonzero(corpus.windows.label_counts[:, 3]).tolist())
    assert batches
    for batch in batches:
        assert rare & set(map(int, batch)) == rare
        assert len(batch) <= 3


def test_windows_of_a_label_come_in_rounds(corpus: Any) -> None:
    """Between the most and the least frequent window of a label lies one visit."""
    built = build(corpus, without=0, order="uniform")
    for focus in (1, 2, 3):
        batches = [batch for batch in built.epoch_batches(0) if Draw.of(batch[0]).focus == focus]
        visits = Counter(int(one) for batch in batches for one in batch)
        assert max(visits.values()) <= 1 + min(visits.values()) or len(visits) < 30


def test_windows_as_they_come_are_a_plain_epoch(corpus: Any) -> None:
    drawn = [int(one) for batch in build(corpus, without=None).epoch_batches(1) for one in batch]
    assert sorted(drawn) == list(range(len(corpus.windows)))


def test_little_is_padding() -> None:
    rng = np.random.default_rng(0)
    lengths = rng.integers(10, 80, 3000)
    labels = rng.random((3000, 3)) < [0.5, 0.1, 0.03]
    counts = np.column_stack([lengths - labels.sum(axis=1), labels])
    windows = Windows(lengths=lengths, counts=counts, groups=np.arange(4))
    batches = sampler("per-class", windows=windows, budget=Budget(tokens=1024, seed=0)).epoch_batches(0)
    real = sum(int(lengths[batch].sum()) for batch in batches)
    assert real / sum(len(batch) * int(lengths[batch].max()) for batch in batches) > 0.85


TAGS = np.array([-100, 0, 1, 2, 3, 7, 0, -100])


@pytest.mark.parametrize(
    ("others", "focus", "expected"),
    [
        ("mask", 1, [-100, 0, 1, 2, -100, -100, 0, -100]),
        ("mask", 4, [-100, 0, -100, -100, -100, 7, 0, -100]),
        ("relabel", 1, [-100, 0, 1, 2, 0, 0, 0, -100]),
        ("relabel", 2, [-100, 0, 0, 0, 3, 0, 0, -100]),
        ("keep", 2, TAGS.tolist()),
    ],
)
def test_other_labels_are_masked_outside_or_kept(corpus: Any, others: str, focus: int, expected: list[int]) -> None:
    before = TAGS.copy()
    assert build(corpus, others=others).targets(TAGS, Draw(0, focus=focus)).tolist() == expected
    np.testing.assert_array_equal(TAGS, before)


@pytest.mark.parametrize("others", ["mask", "relabel"])
def test_where_labels_are_apart_one_column_is_left(corpus: Any, others: str) -> None:
    tags = np.array([[-100, -100], [0, 1], [1, 2], [0, 0]])
    found = build(corpus, others=others).targets(tags, Draw(0, focus=2))
    assert found.tolist() == [[-100, -100], [-100, 1], [-100, 2], [-100, 0]]
    kept = build(corpus, others="keep").targets(tags, Draw(0, focus=2))
    assert kept.tolist() == tags.tolist()


def test_what_becomes_of_other_labels_does_not_change_what_is_drawn(corpus: Any) -> None:
    first, *rest = (
        [[(int(one), Draw.of(one).focus) for one in batch] for batch in epochs(build(corpus, others=others), 3)]
        for others in ("mask", "relabel", "keep")
    )
    assert rest == [first, first]


@pytest.mark.parametrize(
    ("others", "expected"),
    # METHODS 0.2: uniform visits to four labels of .25 .10 .04 .01, windows as they come
    [
        ("relabel", [0.9, 0.063, 0.025, 0.01, 0.0025]),
        ("mask", [0.871, 0.074, 0.036, 0.016, 0.004]),
        ("keep", [0.6, 0.25, 0.1, 0.04, 0.01]),
    ],
)
def test_the_prior_under_random_labels_is_the_one_that_theory_gives(others: str, expected: list[float]) -> None:
    rng = np.random.default_rng(0)
    counts = rng.multinomial(400, [0.6, 0.25, 0.1, 0.04, 0.01], size=600)
    windows = Windows(lengths=np.full(600, 400), counts=counts, groups=np.arange(5))
    built = sampler(
        "per-class",
        windows=windows,
        budget=Budget(tokens=1200, seed=0),
        others=others,
        order="uniform",
        without=None,
    )
    np.testing.assert_allclose(built.effective_prior(), expected, atol=0.0015)


def test_labels_that_are_kept_have_the_shares_of_the_windows_that_come() -> None:
    """Two kinds of windows, each of one label: what is drawn can be counted by hand."""
    counts = np.array([[8, 2, 0]] * 90 + [[6, 0, 4]] * 10)
    windows = Windows(lengths=np.full(100, 10), counts=counts, groups=np.arange(3))
    built = sampler(
        "per-class",
        windows=windows,
        budget=Budget(tokens=50, seed=0),
        others="keep",
        order="uniform",
        without=0,
    )
    # half of the batches are about each label, and hold nothing but its windows
    np.testing.assert_allclose(built.effective_prior(), [0.7, 0.1, 0.2], atol=1e-9)
    by_label = built.label_marginals().sum(axis=0)
    np.testing.assert_allclose(by_label / by_label.sum(axis=1, keepdims=True), [[0.9, 0.1], [0.8, 0.2]], atol=1e-9)


@pytest.mark.parametrize("order", ORDERS)
def test_batch_shares_are_those_of_the_batches_drawn(corpus: Any, order: str) -> None:
    built = build(corpus, order=order)
    found = Counter(Draw.of(batch[0]).focus for batch in epochs(built, 60))
    drawn = [found[focus] / found.total() for focus in range(1, 6)]
    assert isinstance(built, PerClass)
    np.testing.assert_allclose(built.batch_shares, drawn, atol=0.005)
