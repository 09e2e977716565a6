"""Class-aware sampling, against drawing a label and then a window, and against the formula in loops."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from raretag.sampling import Budget, Windows, sampler

BUDGET = Budget(tokens=256, seed=3, epochs=5)
POWERS = {"square-root": 0.5, "balanced": 0.0}


def holders(windows: Windows) -> dict[int, list[int]]:
    """The windows that hold each label; label -1 is 'none at all'."""
    found: dict[int, list[int]] = {}
    for window, row in enumerate(windows.counts):
        labels = {int(windows.groups[tag]) for tag in np.flatnonzero(row)} - {0}
        for label in labels or {-1}:
            found.setdefault(label, []).append(window)
    return found


def reference(windows: Windows, power: float) -> list[float]:
    """The probability of each window, in loops."""
    by_label = holders(windows)
    empty = by_label.pop(-1, [])
    total = sum(len(some) ** power for some in by_label.values())
    found = [0.0] * len(windows)
    for window in empty:
        found[window] = 1 / len(windows)
    for some in by_label.values():
        for window in some:
            found[window] += (1 - len(empty) / len(windows)) * len(some) ** power / total / len(some)
    return found


def visits(name: str, windows: Windows, epoch: int = 0) -> Any:
    return sampler(name, windows=windows, budget=BUDGET).expected_visits(epoch)  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", POWERS)
def test_visits_follow_the_formula_at_the_cost_of_a_plain_epoch(name: str, corpus: Any) -> None:
    found = visits(name, corpus.windows)
    np.testing.assert_allclose(found / found.sum(), reference(corpus.windows, POWERS[name]))
    assert found @ corpus.windows.lengths == pytest.approx(corpus.windows.lengths.sum(), abs=45)


@pytest.mark.parametrize("name", POWERS)
def test_visits_are_those_of_drawing_a_label_and_then_a_window(name: str, corpus: Any) -> None:
    rng = np.random.default_rng(0)
    by_label = holders(corpus.windows)
    empty = by_label.pop(-1)
    labels = sorted(by_label)
    shares = np.array([len(by_label[label]) ** POWERS[name] for label in labels])
    drawn = np.zeros(len(corpus.windows))
    for _ in range(20_000):
        if rng.random() < len(empty) / len(corpus.windows):
            some = empty
        else:
            some = by_label[labels[rng.choice(len(labels), p=shares / shares.sum())]]
        drawn[some[rng.integers(len(some))]] += 1
    found = visits(name, corpus.windows)
    assert np.abs(drawn / drawn.sum() - found / found.sum()).sum() / 2 < 0.06


def test_progressive_goes_from_windows_by_their_labels_to_balance(corpus: Any) -> None:
    first, last = np.array(reference(corpus.windows, 1.0)), np.array(reference(corpus.windows, 0.0))
    for epoch in range(8):
        done = (min(epoch, 4) + 0.5) / 5
        found = visits("progressive", corpus.windows, epoch)
        np.testing.assert_allclose(found / found.sum(), (1 - done) * first + done * last)


@pytest.mark.parametrize("name", [*POWERS, "progressive"])
def test_windows_without_a_label_keep_their_share(name: str, corpus: Any) -> None:
    empty = ~(corpus.windows.label_counts > 0).any(axis=1)
    found = visits(name, corpus.windows)
    assert 0.1 < empty.mean() < 0.4
    assert found[empty].sum() / found.sum() == pytest.approx(empty.mean())


@pytest.mark.parametrize("name", [*POWERS, "progressive"])
def test_without_any_label_it_is_a_plain_epoch(name: str) -> None:
    windows = Windows(lengths=np.full(20, 5), counts=np.tile([5, 0, 0], (20, 1)), groups=np.array([0, 1, 1]))
    built = sampler(name, windows=windows, budget=Budget(tokens=20, seed=0))
    assert sorted(one for batch in built.epoch_batches(0) for one in batch) == list(range(20))
