"""What came of a promise: the share missed, unit by unit."""

from __future__ import annotations

from typing import Any

import pytest

from raretag.evaluation.promise_report import missed_share

from .conftest import outcomes_of


def test_patients_count_once_each() -> None:
    groups: Any = [("group", "p"), ("group", "p"), ("document", "d2"), ("document", "d3")]
    outcomes = outcomes_of(
        4,
        ("A", "B"),
        groups=groups,
        gold=[[1, 9], [3, 0], [2, 1], [0, 5]],
        found=[[1, 0], [1, 0], [0, 0], [0, 0]],
        reviewed=[[0, 0], [1, 0], [1, 1], [0, 5]],
        missed=[[0, 9], [1, 0], [0, 0], [0, 0]],
        wrong_label=[[0, 0], [0, 0], [1, 0], [0, 0]],
        wrong_label_as=[[0, 0], [0, 0], [0, 1], [0, 0]],
    )
    found = missed_share(outcomes, labels=["A"])
    # one of four for the patient, a wrong label for one of two; d3 has none
    assert found.share == pytest.approx((1 / 4 + 1 / 2) / 2)
    assert (found.units, found.mentions, found.missed) == (2, 6, 2)
    assert found.interval == pytest.approx((0.25, 0.5))
    both = missed_share(outcomes, labels=["A", "B"])
    assert both.share == pytest.approx((10 / 13 + 1 / 3 + 0) / 3)
    assert missed_share(outcomes, labels=["C"]).share is None
