"""Names that keep their distance, and keys that stay within the figure."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from raretag.reporting.biaslab.layout import Item, key_rows, spread, width_of
from raretag.reporting.style import LEFT, SMALL, WIDTH

PLACES = st.lists(st.floats(0, 10), max_size=6)


@given(wanted=PLACES, gap=st.floats(0, 3))
@settings(deadline=None, derandomize=True, max_examples=100)
def test_places_keep_gap_order_and_bounds(wanted: list[float], gap: float) -> None:
    found = spread(wanted, gap=gap, low=0, high=10)
    order = np.argsort(np.array(wanted), kind="stable")
    assert (np.diff(found[order]) >= gap - 1e-9).all()
    assert (found >= -1e-9).all()
    if gap * (len(wanted) - 1) <= 10:
        assert (found <= 10 + 1e-9).all()
    if len(wanted) > 1 and (np.diff(np.array(wanted)[order]) >= gap).all():
        assert np.allclose(found, wanted)


def test_places_are_the_nearest_ones_by_least_squares() -> None:
    wanted = np.array([1.0, 1.2, 1.3, 6.0, 9.9, 9.95])
    gaps = [{"type": "ineq", "fun": lambda x, i=i: x[i + 1] - x[i] - 0.8} for i in range(5)]
    nearest = minimize(
        lambda x: ((x - wanted) ** 2).sum(), np.arange(6) * 1.5, bounds=[(0, 10)] * 6, constraints=gaps, tol=1e-10
    )
    assert np.allclose(spread(wanted.tolist(), gap=0.8, low=0, high=10), nearest.x, atol=1e-4)


@given(lengths=st.lists(st.integers(1, 60), min_size=1, max_size=30))
@settings(deadline=None, derandomize=True, max_examples=50)
def test_a_key_holds_every_item_once_in_rows_no_wider_than_the_figure(lengths: list[int]) -> None:
    items = [Item(text="x" * length, colour="black") for length in lengths]
    rows = key_rows(items)
    assert [item for row in rows for item in row] == items
    assert all(rows)
    for row in rows:
        words = sum(width_of(item.text, size=SMALL) for item in row)
        assert len(row) == 1 or LEFT + words < WIDTH
    assert len(key_rows([*items, *items])) >= len(rows)
