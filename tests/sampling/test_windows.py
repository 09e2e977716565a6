"""What samplers see of windows is checked once."""

from __future__ import annotations

import numpy as np
import pytest

from raretag.sampling import Windows, tag_counts

COUNTS = np.array([[4, 1, 2, 0, 0], [3, 0, 0, 0, 0]])
GROUPS = np.array([0, 1, 1, 2, 2])


def test_labels_are_counted_by_window() -> None:
    windows = Windows(lengths=np.array([9, 5]), counts=COUNTS, groups=GROUPS)
    assert len(windows) == 2
    assert windows.label_counts.tolist() == [[3, 0], [0, 0]]


@pytest.mark.parametrize("lengths", [[9], [9, 0], [9, 5, 5]])
def test_lengths_that_do_not_fit_are_refused(lengths: list[int]) -> None:
    with pytest.raises(ValueError, match="one length >= 1 each"):
        Windows(lengths=np.array(lengths), counts=COUNTS, groups=GROUPS)


@pytest.mark.parametrize("counts", [COUNTS[0], -COUNTS, COUNTS[:1]])
def test_counts_that_do_not_fit_are_refused(counts: np.ndarray) -> None:
    with pytest.raises(ValueError, match="counts >= 0"):
        Windows(lengths=np.array([9, 5]), counts=counts, groups=GROUPS)


def test_groups_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="each of the 5 tags"):
        Windows(lengths=np.array([9, 5]), counts=COUNTS, groups=GROUPS[:3])


def test_tags_are_counted_without_what_is_ignored() -> None:
    assert tag_counts(np.array([[-100, 0, 2], [2, 1, -100]]), number=4).tolist() == [1, 1, 2, 0]
