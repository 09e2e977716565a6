from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from raretag.evaluation.calibration_error import calibration_error
from raretag.evaluation.classwise_error import classwise_calibration_error


def test_a_case_by_hand() -> None:
    p = np.array([[0.9, 0.1, 0.0], [0.8, 0.195, 0.005], [0.3, 0.7, 0.0]])
    tags = np.array([0, 2, 1])
    full = classwise_calibration_error(p, tags)
    # each tag: |Σ gold − Σ p| of its bins, over 3 tokens
    assert full.by_tag == pytest.approx(((0.1 + 0.8 + 0.3) / 3, (0.1 + 0.195 + 0.3) / 3, (1 - 0.005) / 3))
    assert full.mean == pytest.approx(np.mean([e for e in full.by_tag if e is not None]))
    both = classwise_calibration_error(p, tags, over="likely_or_gold")
    assert both.by_tag == pytest.approx((*full.by_tag[:2], 0.995))
    likely = classwise_calibration_error(p, tags, over="likely")
    assert likely.by_tag[2] is None
    assert likely.mean == pytest.approx((0.4 + 0.595 / 3) / 2)


@pytest.mark.parametrize("over", ["all", "likely"])
def test_true_probabilities_come_near_0_and_overlooked_tags_are_seen_by_gold_alone(over: Any) -> None:
    rng = np.random.default_rng(0)
    rare = np.where(rng.random(200_000) < 0.02, 0.4, 0.004)
    p = np.stack([1 - rare, rare], axis=1)
    tags = (rng.random(len(p)) < rare).astype(np.int64)
    error = classwise_calibration_error(p, tags, over=over).mean
    by_gold = classwise_calibration_error(p, tags, over="likely_or_gold").mean
    assert error is not None
    assert by_gold is not None
    assert error < 0.01
    assert by_gold > 0.05


def test_rare_tags_show_once_zeros_are_left_out() -> None:
    rng = np.random.default_rng(1)
    rare = np.zeros(100_000)
    rare[:200] = 0.9
    p = np.stack([1 - rare, rare], axis=1)
    tags = (rng.random(len(p)) < rare / 2).astype(np.int64)
    swamped = classwise_calibration_error(p, tags).by_tag[1]
    shown = classwise_calibration_error(p, tags, over="likely").by_tag[1]
    assert swamped is not None
    assert swamped < 0.001
    assert shown == pytest.approx(0.45, abs=0.1)


def test_labels_apart_are_as_many_single_columns() -> None:
    rng = np.random.default_rng(2)
    p = rng.dirichlet([1, 1, 1], (50, 4))
    tags = rng.integers(0, 3, (50, 4))
    tags[rng.random((50, 4)) < 0.2] = -100
    found = classwise_calibration_error(p, tags)
    assert len(found.by_tag) == 12
    for number, error in enumerate(found.by_tag):
        label, tag = divmod(number, 3)
        judged = tags[:, label] != -100
        assert error == calibration_error(p[judged, label, tag], tags[judged, label] == tag)


def test_nothing_judged_is_undefined_and_selections_are_named() -> None:
    p, tags = np.full((3, 2), 0.5), np.full(3, -100)
    assert classwise_calibration_error(p, tags).by_tag == (None, None)
    assert classwise_calibration_error(p, tags).mean is None
    wrong: Any = "gold"
    with pytest.raises(ValueError, match="likely_or_gold"):
        classwise_calibration_error(p, tags, over=wrong)
