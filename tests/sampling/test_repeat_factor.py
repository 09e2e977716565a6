"""Repeat factors, against the formula written out window by window."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from raretag.sampling import Budget, Windows, sampler

BUDGET = Budget(tokens=256, seed=3)


def reference(windows: Windows, threshold: float) -> list[float]:
    """METHODS' r_c = max(1, sqrt(t / f_c)) and r_w = max over the labels of w, in loops."""
    held = [{int(windows.groups[tag]) for tag in np.flatnonzero(row)} - {0} for row in windows.counts]
    found = []
    for labels in held:
        factor = 1.0
        for label in labels:
            share = sum(label in other for other in held) / len(held)
            factor = max(factor, math.sqrt(threshold / share))
        found.append(factor)
    return found


@pytest.mark.parametrize("threshold", [0.02, 0.3, 1.0])
def test_visits_follow_the_formula_at_the_cost_of_a_plain_epoch(corpus: Any, threshold: float) -> None:
    visits = sampler("repeat-factor", windows=corpus.windows, budget=BUDGET, threshold=threshold).expected_visits(0)  # type: ignore[attr-defined]
    expected = np.array(reference(corpus.windows, threshold))
    np.testing.assert_allclose(visits / visits.sum(), expected / expected.sum())
    lengths = corpus.windows.lengths
    assert visits @ lengths == pytest.approx(lengths.sum(), abs=lengths.mean())
    assert visits.sum() == pytest.approx(round(visits.sum()))


def test_where_no_label_is_rare_each_window_comes_once(corpus: Any) -> None:
    built = sampler("repeat-factor", windows=corpus.windows, budget=BUDGET, threshold=1e-6)
    for epoch in range(5):
        drawn = sorted(int(one) for batch in built.epoch_batches(epoch) for one in batch)
        assert drawn == list(range(len(corpus.windows)))
