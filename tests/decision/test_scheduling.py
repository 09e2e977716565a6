"""Mentions that are taken together: never overlapping, and never less than by brute force."""

from __future__ import annotations

import itertools
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raretag.decision.scheduling import best_together

ROW = st.tuples(st.integers(0, 6), st.integers(0, 3), st.floats(-1, 3), st.integers(0, 1))


def brute_force(rows: list[tuple[int, int, float, int]], *, layered: bool) -> float:
    best = 0.0
    for chosen in itertools.product([False, True], repeat=len(rows)):
        taken = [row for row, is_taken in zip(rows, chosen, strict=True) if is_taken]
        apart = all(
            a[1] < b[0] or b[1] < a[0] or (layered and a[3] != b[3]) for a, b in itertools.combinations(taken, 2)
        )
        if apart:
            best = max(best, sum(row[2] for row in taken))
    return best


@given(rows=st.lists(ROW, max_size=7), layered=st.booleans())
@settings(max_examples=150, deadline=None)
def test_as_much_as_by_brute_force_and_nothing_overlaps(rows: list[tuple[int, int, float, int]], layered: bool) -> None:
    rows = [(first, first + more, gain, layer) for first, more, gain, layer in rows]
    firsts, lasts = (np.array([row[n] for row in rows], dtype=np.int64) for n in (0, 1))
    gains = np.array([row[2] for row in rows], dtype=np.float64)
    layers = np.array([row[3] for row in rows], dtype=np.int64)
    taken = best_together(firsts, lasts, gains, layers=layers if layered else None)
    assert (gains[taken] > 0).all()
    assert (np.diff(taken) > 0).all()
    for a, b in itertools.combinations(taken.tolist(), 2):
        assert lasts[a] < firsts[b] or lasts[b] < firsts[a] or (layered and layers[a] != layers[b])
    assert gains[taken].sum() == pytest.approx(brute_force(rows, layered=layered), abs=1e-9)


def test_an_interval_that_ends_before_it_begins_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="before it begins"):
        best_together(np.array([3]), np.array([2]), np.array([1.0]))


def test_a_corpus_takes_seconds() -> None:
    rng = np.random.default_rng(0)
    firsts = rng.integers(0, 600, size=3000)
    began = time.perf_counter()
    for _ in range(20):
        best_together(firsts, firsts + rng.integers(0, 5, size=3000), rng.random(3000))
    # an eighth of 160 documents in 2 s, with room for a busy machine
    assert time.perf_counter() - began < 1
