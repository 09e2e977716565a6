"""Marginals are means of shares, and nothing that may come is left at 0."""

from __future__ import annotations

import numpy as np
import pytest

from raretag.sampling.marginals import completed


def test_batches_weigh_alike_whatever_their_size() -> None:
    rows = completed([np.array([9.0, 1.0]), np.array([1.0, 1.0])], expected=np.array([1.0, 1.0]))
    np.testing.assert_allclose(rows, [[0.45, 0.05], [0.25, 0.25]])


def test_batches_without_a_target_are_left_out() -> None:
    np.testing.assert_allclose(completed([np.zeros(2), np.array([3.0, 1.0])], expected=np.ones(2)), [[0.75, 0.25]])


def test_what_happens_not_to_come_has_its_expected_share() -> None:
    drawn = [np.array([1.0, 1.0, 0.0, 0.0])] * 2
    rows = completed(drawn, expected=np.array([5.0, 4.0, 1.0, 0.0]))
    assert rows.sum(axis=0)[2] == pytest.approx(0.1)
    assert rows.sum(axis=0)[3] == 0
    np.testing.assert_allclose(rows.sum(axis=1), 0.5)
    assert rows[0, 0] == rows[0, 1] == pytest.approx(0.225)
