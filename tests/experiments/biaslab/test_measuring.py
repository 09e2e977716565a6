"""Planted truth: constant predictors of known shares, measured as the lab measures."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from raretag.experiments.biaslab.designs import Drawn
from raretag.experiments.biaslab.measuring import Subject
from raretag.experiments.biaslab.models import CachedTokens
from raretag.experiments.biaslab.results import PARTS, PRIORS, READINGS, Measurement, Part
from raretag.experiments.biaslab.text import Text

from .conftest import cell, linear_of, make_subject, measure

NATURAL = (0.6, 0.25, 0.1, 0.04, 0.01)


def told(subject: Subject, shares: list[float] | tuple[float, ...], folder: Path) -> Measurement:
    """Measured with the model as a constant predictor of `shares`, by tag under IO."""
    layer = linear_of(subject.learner.model)
    with torch.no_grad():
        layer.bias.copy_(torch.log(torch.tensor(shares) / sum(shares)))
    return measure(subject, folder)


def exact(text: Text, shares: tuple[float, ...]) -> dict[Part, Drawn]:
    """Labels in just these shares, rounded to whole tokens, in random order."""
    drawn: dict[Part, Drawn] = {}
    for part in PARTS:
        tokens = len(text.parts[part])
        ends = np.round(np.cumsum(shares) * tokens).astype(np.int64)
        outcomes = np.searchsorted(ends, np.arange(tokens), side="right")
        outcomes = np.random.default_rng(4).permutation(outcomes)
        drawn[part] = Drawn(outcomes=outcomes, begins=outcomes > 0)
    return drawn


def test_the_planted_shares_are_told_back_within_sampling_error(
    text: Text, blank: CachedTokens, tmp_path: Path
) -> None:
    found = told(make_subject(text, blank, marginals=NATURAL), NATURAL, tmp_path)
    for part in PARTS:
        tokens = len(text.parts[part])
        # Σ √(p (1 − p) / n) / 2, about one standard deviation of the total variation of drawn shares
        deviation = sum(math.sqrt(p * (1 - p) / tokens) for p in NATURAL) / 2
        soft, hard, sampled = (cell(found, part, reading) for reading in ("soft", "hard", "sampled"))
        assert soft.predicted == pytest.approx(NATURAL, abs=1e-6)
        assert soft.tv < 3 * deviation
        # log p̂ of the rarest label, which is drawn about 50 times, is off by 0.14
        assert soft.amplification == pytest.approx(1, abs=0.1)
        assert soft.never_predicted == ()
        assert hard.predicted == (1, 0, 0, 0, 0)
        assert hard.never_predicted == ("L1", "L2", "L3", "L4")
        assert hard.amplification is None
        for share, truth in zip(sampled.predicted, NATURAL, strict=True):
            assert abs(share - truth) < 4.5 * math.sqrt(truth * (1 - truth) / tokens)
        assert sampled.predicted != soft.predicted
    # nothing of a single token is known
    assert found.memorised == pytest.approx(0, abs=1e-3)


def test_squares_of_the_shares_have_exponent_two(text: Text, blank: CachedTokens, tmp_path: Path) -> None:
    """The exponent is taken against the labels as drawn: against planted ones only if these are just as planted."""
    squares = [p**2 for p in NATURAL]
    subject = make_subject(text, blank, marginals=NATURAL, drawn=exact(text, NATURAL))
    soft = cell(told(subject, squares, tmp_path), "training", "soft")
    # up to half a token of a hundred
    assert soft.amplification == pytest.approx(2, abs=0.01)
    assert soft.amplification_among_labels == pytest.approx(2, abs=0.01)
    drawn = make_subject(text, blank, marginals=NATURAL)
    soft = cell(told(drawn, squares, tmp_path), "training", "soft")
    empirical = np.bincount(drawn.drawn["training"].outcomes) / len(text.parts["training"])
    slope = np.polyfit(np.log(empirical), np.log(squares), 1)[0]
    assert soft.amplification == pytest.approx(slope, abs=1e-4)
    assert soft.amplification == pytest.approx(2, abs=0.2)


def test_four_to_one_told_as_eight_to_one(text: Text, blank: CachedTokens, tmp_path: Path) -> None:
    subject = make_subject(text, blank, marginals=(0.8, 0.2), drawn=exact(text, (0.8, 0.2)))
    found = told(subject, [8, 1], tmp_path)
    for part in PARTS:
        soft = cell(found, part, "soft")
        assert soft.predicted == pytest.approx((8 / 9, 1 / 9), abs=1e-6)
        assert soft.amplification == pytest.approx(math.log(8) / math.log(4), abs=1e-3)
        # there is but one label to compare
        assert soft.amplification_among_labels is None


def test_equal_shares_flatten(text: Text, blank: CachedTokens, tmp_path: Path) -> None:
    soft = cell(told(make_subject(text, blank, marginals=NATURAL), [1] * 5, tmp_path), "held_out", "soft")
    assert soft.amplification == pytest.approx(0, abs=1e-6)
    # ½ (.4 + .05 + .1 + .16 + .19), as far as drawn shares are planted ones
    assert soft.tv == pytest.approx(0.45, abs=0.03)


@pytest.mark.parametrize("marginals", [(0.25, 0.25, 0.25, 0.25), (0.52, 0.48)])
def test_shares_planted_alike_have_no_exponent(
    text: Text, blank: CachedTokens, tmp_path: Path, marginals: tuple[float, ...]
) -> None:
    """Drawn shares differ a little, and a slope over that little is noise, however wrong the prediction is."""
    wrong = (0.7, *(0.3 / (len(marginals) - 1),) * (len(marginals) - 1))
    found = told(make_subject(text, blank, marginals=marginals), wrong, tmp_path)
    for one in found.cells:
        assert one.amplification is one.amplification_among_labels is None
    assert cell(found, "held_out", "soft").tv > 0.1


def test_every_token_told_its_own_label_is_memorised(text: Text, blank: CachedTokens, tmp_path: Path) -> None:
    """Hidden states that name the label, and rows that read them off: no sampling error is left anywhere."""
    subject = make_subject(text, blank, marginals=NATURAL)
    known = {part: np.eye(5, dtype=np.float32)[subject.drawn[part].outcomes] for part in PARTS}
    naming = make_subject(text, CachedTokens(text, hidden=known), marginals=NATURAL)
    layer = linear_of(naming.learner.model)
    with torch.no_grad():
        layer.weight.copy_(50 * torch.eye(5))
        layer.bias.zero_()
    found = measure(naming, tmp_path)
    assert found.memorised == pytest.approx(1, abs=1e-6)
    for part in PARTS:
        for reading in READINGS:
            one = cell(found, part, reading)
            assert one.tv == pytest.approx(0, abs=1e-6)
            assert one.amplification == pytest.approx(1, abs=1e-4)


def test_the_prior_of_a_constant_predictor_is_restored_to_the_training_shares(
    text: Text, blank: CachedTokens, tmp_path: Path
) -> None:
    """At its effective prior the weighted loss is at its optimum; what is restored is what training has seen."""
    subject = make_subject(text, blank, mechanism="weighted-loss", marginals=NATURAL)
    effective = subject.learner.prior()
    found = told(subject, effective.tolist(), tmp_path)
    empirical = np.bincount(subject.drawn["training"].outcomes) / len(text.parts["training"])
    for part in PARTS:
        assert cell(found, part, "soft").predicted == pytest.approx(effective, abs=1e-6)
        assert cell(found, part, "soft", "restored").predicted == pytest.approx(empirical, abs=1e-6)
    assert cell(found, "training", "soft", "restored").tv == pytest.approx(0, abs=1e-6)


def test_the_grid_is_whole_and_told_in_seven_digits(text: Text, blank: CachedTokens, tmp_path: Path) -> None:
    found = measure(make_subject(text, blank, marginals=NATURAL), tmp_path, step=7)
    assert found.step == 7
    assert sorted((c.part, c.reading, c.prior) for c in found.cells) == sorted(
        (part, reading, prior) for part in PARTS for reading in READINGS for prior in PRIORS
    )
    for one in found.cells:
        assert sum(one.predicted) == pytest.approx(1, abs=1e-6)
        for figure in (one.tv, one.kl, one.relative_error, *one.predicted):
            assert figure == float(f"{figure:.7g}") >= 0
        # whether chance explains it is judged later
        assert one.p_value is None


def test_draws_depend_on_seed_and_step_and_not_on_what_was_measured_before(
    text: Text, blank: CachedTokens, tmp_path: Path
) -> None:
    subject = make_subject(text, blank, marginals=NATURAL)
    first = told(subject, NATURAL, tmp_path)
    other, again = (measure(subject, tmp_path, step=step) for step in (3, 0))
    assert first == again
    assert cell(first, "training", "soft") == cell(other, "training", "soft")
    assert cell(first, "training", "sampled").predicted != cell(other, "training", "sampled").predicted


def test_measuring_leaves_the_model_in_training(text: Text, blank: CachedTokens, tmp_path: Path) -> None:
    subject = make_subject(text, blank, marginals=NATURAL)
    subject.learner.model.train()
    state = torch.get_rng_state()
    measure(subject, tmp_path)
    assert all(module.training for module in subject.learner.model.modules())
    assert torch.equal(state, torch.get_rng_state())


def test_mentions_labelled_are_told_with_what_is_always_outside(
    text: Text, blank: CachedTokens, tmp_path: Path
) -> None:
    marginals = (0.5, 0.3, 0.2)
    subject = make_subject(text, blank, design="mention", marginals=marginals)
    planted = subject.design.planted("held_out")
    found = told(subject, planted.tolist(), tmp_path)
    soft = cell(found, "held_out", "soft")
    assert soft.predicted == pytest.approx(planted, abs=1e-6)
    assert soft.amplification == pytest.approx(1, abs=0.1)
    # nothing is known of the labels, though half the tokens are known to have none
    assert found.memorised == pytest.approx(0, abs=5e-3)


def test_labels_kept_apart_are_measured_alike(text: Text, blank: CachedTokens, tmp_path: Path) -> None:
    """A head for each label begins at the log of the training shares: what it tells is what was drawn."""
    subject = make_subject(text, blank, mechanism="per-label", marginals=NATURAL)
    found = measure(subject, tmp_path, mechanisms="per-label")
    empirical = np.bincount(subject.drawn["training"].outcomes) / len(text.parts["training"])
    assert cell(found, "training", "soft").predicted == pytest.approx(empirical, abs=1e-4)
    assert cell(found, "training", "hard").predicted == (1, 0, 0, 0, 0)


def test_neighbours_of_tokens_that_all_look_alike_vote_the_training_shares(
    text: Text, blank: CachedTokens, tmp_path: Path
) -> None:
    """With weight λ they pull the prediction that far towards what the store holds."""
    subject = make_subject(text, blank, mechanism="knn", marginals=NATURAL)
    with torch.no_grad():
        linear_of(subject.learner.model).bias.zero_()
    found = measure(subject, tmp_path, mechanisms="knn")
    empirical = np.bincount(subject.drawn["training"].outcomes) / len(text.parts["training"])
    for part in PARTS:
        assert cell(found, part, "soft").predicted == pytest.approx(0.3 * empirical + 0.7 / 5, abs=1e-6)


def test_votes_have_the_empirical_prior_already(text: Text, blank: CachedTokens, tmp_path: Path) -> None:
    """At the effective prior the model alone is restored: with it votes lead to the training shares too."""
    subject = make_subject(text, blank, mechanism="btl-mask-mean-knn", marginals=NATURAL)
    effective = subject.learner.prior()
    with torch.no_grad():
        linear_of(subject.learner.model).bias.copy_(torch.from_numpy(np.log(effective)))
    found = measure(subject, tmp_path, mechanisms="btl-mask-mean-knn")
    empirical = np.bincount(subject.drawn["training"].outcomes) / len(text.parts["training"])
    assert cell(found, "held_out", "soft").predicted == pytest.approx(0.3 * empirical + 0.7 * effective, abs=1e-6)
    assert cell(found, "held_out", "soft", "restored").predicted == pytest.approx(empirical, abs=1e-6)
    # and without knowing better, a third of the way
    with torch.no_grad():
        linear_of(subject.learner.model).bias.zero_()
    found = measure(subject, tmp_path, mechanisms="btl-mask-mean-knn")
    shifted = empirical / effective / (empirical / effective).sum()
    restored = cell(found, "held_out", "soft", "restored").predicted
    assert restored == pytest.approx(0.3 * empirical + 0.7 * shifted, abs=1e-6)


def test_a_training_tokens_own_document_has_no_vote(small_text: Text, tmp_path: Path) -> None:
    """Each document's tokens look alike and share a label of their own: only a token's own document could tell it."""
    part = small_text.parts
    drawn: dict[Part, Drawn] = {}
    hidden = {}
    for name in PARTS:
        outcomes = (part[name].documents % 2).astype(np.int64)
        drawn[name] = Drawn(outcomes=outcomes, begins=outcomes > 0)
        hidden[name] = np.eye(64, dtype=np.float32)[part[name].documents]
    trainable = CachedTokens(small_text, hidden=hidden)
    subject = make_subject(small_text, trainable, mechanism="knn", marginals=(0.5, 0.5), drawn=drawn)
    with torch.no_grad():
        linear_of(subject.learner.model).weight.zero_()
        linear_of(subject.learner.model).bias.zero_()
    found = measure(subject, tmp_path, mechanisms="knn")
    # with its own document each vote would be right, and a third of all certainty known
    assert found.memorised < 0.05
