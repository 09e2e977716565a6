"""Counts of labels: what belongs together is added up, whatever the groups are called."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from raretag.objectives.tying import tied


def test_tags_of_a_label_share_their_sum() -> None:
    values = tied(np.array([60.0, 12, 20, 5, 2, 1, 0]), np.array([0, 1, 1, 2, 2, 3, 3]))
    assert values.tolist() == [60, 32, 32, 7, 7, 1, 1]


@settings(deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.integers(0, 10**7), st.integers(-3, 5)), min_size=1, max_size=20))
def test_each_value_is_the_sum_over_its_group(pairs: list[tuple[int, int]]) -> None:
    values, groups = (np.array(column) for column in zip(*pairs, strict=True))
    expected = [sum(value for value, other in pairs if other == group) for _, group in pairs]
    assert tied(values.astype(float), groups).tolist() == expected
