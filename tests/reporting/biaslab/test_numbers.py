"""Figures as words."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raretag.experiments.biaslab.results import Spread
from raretag.reporting.biaslab.numbers import DASH, missing_seeds, never_predicted, number, share, spread_range


@pytest.mark.parametrize(
    ("value", "words"),
    [(0.6, "60.0 %"), (1.0, "100.0 %"), (0.0396, "3.96 %"), (0.09999, "10.0 %"), (0.00001, "< 0.01 %"), (0.0, "0 %")],
)
def test_shares(value: float, words: str) -> None:
    assert share(value).replace("\u202f", " ") == words


@given(value=st.floats(0.00005, 1))
@settings(deadline=None, derandomize=True, max_examples=100)
def test_shares_are_read_back_within_rounding(value: float) -> None:
    assert float(share(value).split("\u202f")[0]) / 100 == pytest.approx(value, abs=0.0005 if value >= 0.09 else 5.1e-5)


@pytest.mark.parametrize(
    ("value", "digits", "words"),
    [
        (None, 2, DASH),
        (1.234, 2, "1.23"),
        (-0.5, 2, "−0.50"),
        (-0.0001, 2, "0.00"),
        (0.0, 3, "0.000"),
        (0.0005, 3, "< 0.001"),
        (240.0, 0, "240"),
    ],
)
def test_numbers(value: float | None, digits: int, words: str) -> None:
    assert number(value, digits).replace("\u202f", " ") == words


def test_the_range_over_seeds() -> None:
    assert spread_range(Spread(mean=1.0, low=0.94, high=1.06, seeds=3), 2) == "0.94 to 1.06"
    assert spread_range(Spread(mean=1.0, low=0.999, high=1.001, seeds=3), 2) == ""
    assert spread_range(Spread(mean=None, low=None, high=None, seeds=0), 2) == ""
    assert spread_range(None, 2) == ""


def test_seeds_for_which_a_figure_is_undefined_are_told() -> None:
    some = Spread(mean=1.0, low=1.0, high=1.0, seeds=1)
    assert missing_seeds(some, 3) == "1 of 3 seeds"
    assert missing_seeds(some, 1) == missing_seeds(None, 3) == ""
    assert missing_seeds(Spread(mean=None, low=None, high=None, seeds=0), 3) == ""


def test_labels_never_predicted() -> None:
    assert never_predicted({}, 3) == never_predicted({"A": 0}, 3) == "none"
    assert never_predicted({"A": 3, "B": 1}, 3) == "A, B (1 of 3 seeds)"
