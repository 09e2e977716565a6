"""Calibrated mentions: a known distortion is undone, rare groups lean on the others, and no change stays none."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, logit

from raretag.corpus import Mention
from raretag.errors import DataError
from raretag.probability import Candidates, Scores
from raretag.probability.mention_calibration import (
    TEMPERATURES,
    Judged,
    MentionCalibration,
    fit_mention_calibration,
    judge_candidates,
    tempered,
)
from raretag.tagging import Tokens, build_schema

IDENTITY = MentionCalibration(temperature=1, parameters=dict.fromkeys(("head", "medium", "tail"), (1, 1, 0, 0)))
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
        characters=(0, number + 4),
        labels=labels.astype(np.int64),
        firsts=np.arange(number),
        lasts=lasts,
        starts=np.arange(number),
        ends=lasts + 1,
        probabilities=p,
    )
    return found, truth


def fit(found: list[Candidates], there: list[np.ndarray]) -> MentionCalibration:
    """As if candidates were the same at every temperature."""
    judged = [
        Judged(found=dict.fromkeys(TEMPERATURES, one), there=dict.fromkeys(TEMPERATURES, own), gold=int(own.sum()))
        for one, own in zip(found, there, strict=True)
    ]
    return fit_mention_calibration(judged, schema=SCHEMA)


def test_a_known_distortion_is_found() -> None:
    found, truth = drawn(40_000, seed=0)
    there = np.random.default_rng(1).random(len(truth)) < truth
    fitted = fit([found], [there])
    assert fitted.parameters["head"] == pytest.approx((0.5, 0.8, -0.4, 0.3), abs=0.1)
    fresh, wanted = drawn(2_000, seed=2)
    assert np.abs(fitted.apply(fresh, schema=SCHEMA).probabilities - wanted).max() < 0.05


def test_a_group_without_candidates_takes_over_what_all_have() -> None:
    found, truth = drawn(20_000, seed=0, label=0)
    there = np.random.default_rng(1).random(len(truth)) < truth
    fitted = fit([found], [there])
    assert fitted.parameters["tail"] == pytest.approx(fitted.parameters["head"], abs=0.05)


def test_few_candidates_of_a_group_move_it_little() -> None:
    many, truth = drawn(20_000, seed=0, label=0)
    few, _ = drawn(10, seed=3, label=2)
    there = np.random.default_rng(1).random(len(truth)) < truth
    fitted = fit([many, few], [there, np.zeros(10, bool)])
    head, tail = np.array(fitted.parameters["head"]), np.array(fitted.parameters["tail"])
    assert 0 < np.abs(head - tail).max() < 0.5


def test_no_change_changes_nothing() -> None:
    found, _ = drawn(100, seed=4)
    np.testing.assert_allclose(IDENTITY.apply(found, schema=SCHEMA).probabilities, found.probabilities, atol=1e-5)


def test_order_of_probabilities_of_one_length_is_kept() -> None:
    found, truth = drawn(5_000, seed=5)
    # the likelier, the rarer: the best monotone map is a flat one, not a falling one
    there = np.random.default_rng(6).random(len(truth)) > truth
    fitted = fit([found], [there])
    rising = np.linspace(0.001, 0.999, 50)
    values = fitted.values(rising, np.zeros(50, dtype=np.int64), lengths=np.ones(50, dtype=np.int64), schema=SCHEMA)
    assert (np.diff(values) >= -1e-12).all()


def test_certain_candidates_stay_finite() -> None:
    values = IDENTITY.values(np.array([0.0, 1.0]), np.array([0, 2]), lengths=np.array([1, 1]), schema=SCHEMA)
    assert logit(values) == pytest.approx([-13.8, 13.8], abs=0.1)


def test_json_and_back() -> None:
    found, truth = drawn(500, seed=7)
    fitted = fit([found], [truth > 0.5])
    assert MentionCalibration.model_validate_json(fitted.model_dump_json()) == fitted


def test_nothing_to_learn_from_is_told() -> None:
    with pytest.raises(DataError, match="no mention is likely enough"):
        fit_mention_calibration([], schema=SCHEMA)


def test_a_temperature_that_reaches_more_gold_is_chosen() -> None:
    """An overconfident model: what it is sure of is right half of the time, the rest is its second reading."""
    schema = build_schema(["X", "Y"], mention_counts=[600, 600])
    p = np.tile(np.array([1e-8, 1 - 3e-4, 1e-8, 3e-4 - 2e-8, 1e-8], dtype=np.float32), (400, 1))
    places = np.arange(400, dtype=np.int64)
    scores = Scores(document="a", tokens=Tokens(ids=places, starts=4 * places, ends=4 * places + 3), probabilities=p)
    gold = [Mention(label="XY"[n % 2], start=4 * n, end=4 * n + 3) for n in range(400)]
    fitted = fit_mention_calibration([judge_candidates(scores, gold, schema=schema)], schema=schema)
    assert fitted.temperature > 1
    found = fitted.candidates(scores, schema=schema)
    alone = found.probabilities[found.firsts == found.lasts]
    assert len(alone) == 800
    assert alone == pytest.approx(0.5, abs=0.05)


def test_tempering_keeps_what_is_impossible_and_the_order() -> None:
    scores = Scores(
        document="a",
        tokens=Tokens(ids=np.zeros(1, np.int64), starts=np.zeros(1, np.int64), ends=np.ones(1, np.int64)),
        probabilities=np.array([[0.9, 0.1, 0.0]], dtype=np.float32),
    )
    assert tempered(scores, temperature=1) is scores
    assert tempered(scores, temperature=2).probabilities.tolist()[0] == pytest.approx([0.75, 0.25, 0.0])
