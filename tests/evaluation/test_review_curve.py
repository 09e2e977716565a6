from __future__ import annotations

import pytest

from raretag.evaluation.review_curve import ReviewPoint, least_review, review_curve

from .conftest import outcomes_of


def test_points_by_hand_in_order_of_what_is_read() -> None:
    much = outcomes_of(
        2, ["A"], gold=[6, 4], found=[3, 2], reviewed=[2, 2], reviewed_tokens=[30, 10], tokens=[100, 100]
    )
    little = outcomes_of(
        2, ["A"], gold=[6, 4], found=[3, 3], reviewed=[1, 0], reviewed_tokens=[4, 0], tokens=[100, 100], reviews=[2, 0]
    )
    first, second = review_curve([(0.1, much), (0.4, little)])
    assert first == ReviewPoint(threshold=0.4, recall=0.7, found=0.6, reviewed=0.02, reviews=2, false_alarms=0)
    assert (second.threshold, second.recall, second.found, second.reviewed) == (0.1, 0.9, 0.5, 0.2)
    alike = review_curve([(threshold, little) for threshold in (0.1, 0.5, 0.2)])
    assert [point.threshold for point in alike] == [0.5, 0.2, 0.1]


def test_the_least_review_that_reaches_a_recall() -> None:
    points = [
        outcomes_of(1, ["A"], gold=[10], found=[found], reviewed_tokens=[read], tokens=[100], false_alarms=[wrong])
        for found, read, wrong in ((5, 0, 0), (8, 10, 4), (9, 10, 2), (10, 50, 0))
    ]
    curve = review_curve(enumerate(points))
    for recall, threshold in ((0.0, 0), (0.5, 0), (0.51, 2), (0.9, 2), (0.95, 3), (1.0, 3)):
        found = least_review(curve, recall=recall)
        assert found is not None
        assert found.threshold == threshold
    assert least_review(curve[:2], recall=0.95) is None
    with pytest.raises(ValueError, match="recall"):
        least_review(curve, recall=1.1)


def test_nothing_is_undefined() -> None:
    (point,) = review_curve([(0.5, outcomes_of(0, ["A"]))])
    assert (point.recall, point.found, point.reviewed) == (None, None, None)
    assert least_review([point], recall=0) is None
