"""Calibrated mentions: a known distortion is undone, rare groups lean on the others, and no change stays none."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, logit

from raretag.errors import DataError
from raretag.probability import Candidates
from raretag.probability.mention_calibration import IDENTITY, MentionCalibration, fit_mention_calibration
from raretag.tagging import build_schema

SCHEMA = build_schema(["Often", "Seldom", "Rare"], mention_counts=[900, 100, 5])


def drawn(number: int, *, seed: int, label: int | None = None) -> tuple[Candidates, np.ndarray]:
    """Candidates whose true probability is known: logit p' = 0.5 ln p − 0.8 ln(1 − p) − 0.4 + 0.3 ln(tokens)."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, number) if label is None else np.full(number, label)
    lasts = np.arange(number) + rng.integers(0, 4, number)
    p = rng.uniform(0.01, 0.99, number)
    lengths = lasts - np.arange(number) + 1
    truth = expit(0.5 * np.log(p) - 0.8 * np.log1p(-p) - 0.4 + 0.3 * np.log(lengths))
    found = Candidates(
        document="a",
        tokens=number + 4,
        labels=labels.astype(np.int64),
        firsts=np.arange(number),
        lasts=lasts,
        starts=np.arange(number),
        ends=lasts + 1,
        probabilities=p,
    )
    return found, truth


def test_a_known_distortion_is_found() -> None:
    found, truth = drawn(40_000, seed=0)
    there = np.random.default_rng(1).random(len(truth)) < truth
    fitted = fit_mention_calibration([found], [there], schema=SCHEMA)
    assert fitted.parameters["head"] == pytest.approx((0.5, 0.8, -0.4, 0.3), abs=0.1)
    fresh, wanted = drawn(2_000, seed=2)
    assert np.abs(fitted.apply(fresh, schema=SCHEMA).probabilities - wanted).max() < 0.05


def test_a_group_without_candidates_takes_over_what_all_have() -> None:
    found, truth = drawn(20_000, seed=0, label=0)
    there = np.random.default_rng(1).random(len(truth)) < truth
    fitted = fit_mention_calibration([found], [there], schema=SCHEMA)
    assert fitted.parameters["tail"] == pytest.approx(fitted.parameters["head"], abs=0.05)


def test_few_candidates_of_a_group_move_it_little() -> None:
    many, truth = drawn(20_000, seed=0, label=0)
    few, _ = drawn(10, seed=3, label=2)
    there = np.random.default_rng(1).random(len(truth)) < truth
    fitted = fit_mention_calibration([many, few], [there, np.zeros(10, bool)], schema=SCHEMA)
    head, tail = np.array(fitted.parameters["head"]), np.array(fitted.parameters["tail"])
    assert 0 < np.abs(head - tail).max() < 0.5


def test_no_change_changes_nothing() -> None:
    found, _ = drawn(100, seed=4)
    np.testing.assert_allclose(IDENTITY.apply(found, schema=SCHEMA).probabilities, found.probabilities, atol=1e-5)


def test_order_of_probabilities_of_one_length_is_kept() -> None:
    found, truth = drawn(5_000, seed=5)
    # the likelier, the rarer: the best monotone map is a flat one, not a falling one
    there = np.random.default_rng(6).random(len(truth)) > truth
    fitted = fit_mention_calibration([found], [there], schema=SCHEMA)
    rising = np.linspace(0.001, 0.999, 50)
    values = fitted.values(rising, np.zeros(50, dtype=np.int64), lengths=np.ones(50, dtype=np.int64), schema=SCHEMA)
    assert (np.diff(values) >= -1e-12).all()


def test_certain_candidates_stay_finite() -> None:
    values = IDENTITY.values(np.array([0.0, 1.0]), np.array([0, 2]), lengths=np.array([1, 1]), schema=SCHEMA)
    assert logit(values) == pytest.approx([-13.8, 13.8], abs=0.1)


def test_json_and_back() -> None:
    found, truth = drawn(500, seed=7)
    fitted = fit_mention_calibration([found], [truth > 0.5], schema=SCHEMA)
    assert MentionCalibration.model_validate_json(fitted.model_dump_json()) == fitted


def test_nothing_to_learn_from_is_told() -> None:
    with pytest.raises(DataError, match="no mention is likely enough"):
        fit_mention_calibration([], [], schema=SCHEMA)
