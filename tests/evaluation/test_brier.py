from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from raretag.evaluation.brier import brier_by_tag, brier_score, mention_brier_score


def test_a_case_by_hand() -> None:
    p = np.array([[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.5, 0.5, 0.0]])
    tags = np.array([0, 2, -100])
    assert brier_by_tag(p, tags) == pytest.approx(((0.09 + 0.01) / 2, (0.04 + 0.36) / 2, (0.01 + 0.49) / 2))
    assert brier_score(p, tags) == pytest.approx((0.14 + 0.86) / 2)
    assert brier_score(np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([1, 0])) == 2
    assert mention_brier_score(np.array([0.8, 0.4]), np.array([True, False])) == pytest.approx((0.04 + 0.16) / 2)


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 40), st.integers(2, 6), st.integers(0, 1000))
def test_it_is_that_of_scikit_learn(tokens: int, tags: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    p = rng.dirichlet(np.ones(tags), tokens)
    gold = rng.integers(0, tags, tokens)
    names = [*range(tags)]
    expected = metrics.brier_score_loss(gold, p if tags > 2 else p[:, 1], labels=names, scale_by_half=False)
    assert brier_score(p, gold) == pytest.approx(expected)
    right = p.argmax(axis=1) == gold
    expected = metrics.brier_score_loss(right, p.max(axis=1), labels=[False, True])
    assert mention_brier_score(p.max(axis=1), right) == pytest.approx(expected)


def test_labels_apart_are_averaged_as_questions_of_their_own() -> None:
    rng = np.random.default_rng(0)
    p = rng.dirichlet([1, 1, 1], (30, 3))
    tags = rng.integers(0, 3, (30, 3))
    tags[:, 2] = -100
    single = [brier_score(p[:, label], tags[:, label]) for label in range(2)]
    assert brier_score(p, tags) == pytest.approx(np.mean([s for s in single if s is not None]))
    assert brier_by_tag(p, tags)[6:] == (None, None, None)


def test_the_truth_scores_best() -> None:
    rng = np.random.default_rng(1)
    truth = np.array([0.6, 0.3, 0.1])
    tags = rng.choice(3, 20_000, p=truth)
    scores = [
        brier_score(np.tile(p / p.sum(), (len(tags), 1)), tags) for p in (truth, truth**1.5, truth**0.5, np.ones(3))
    ]
    assert min(s for s in scores if s is not None) == scores[0]


def test_nothing_is_undefined() -> None:
    assert brier_score(np.zeros((2, 3)), np.full(2, -100)) is None
    assert mention_brier_score(np.zeros(0), np.zeros(0)) is None
