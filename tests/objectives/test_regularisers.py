"""Regularisers: blind to targets, right in value, and pulling towards the prior or away from certainty."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
import torch

from raretag.objectives.base import IGNORE_INDEX
from raretag.objectives.btl import BTL, BTLOptions
from raretag.objectives.combined import Combined
from raretag.objectives.regularisers import (
    ConfidencePenalty,
    ConfidencePenaltyOptions,
    LabelProportion,
    LabelProportionOptions,
    PriorKL,
    PriorKLOptions,
)

from .conftest import COUNTS, Array, log_softmax

PRIOR = np.array(COUNTS) / 100


def test_prior_kl_is_its_formula(agrees: Callable[..., None]) -> None:
    """At first the mean prediction is the prior: no divergence, and slopes −1 for every seen tag."""

    def formula(logits: Array, targets: npt.NDArray[np.int64]) -> Array:
        return np.asarray(0.5 * (1 - np.exp(log_softmax(logits))[:, :-1].sum(axis=1)))

    agrees(lambda: PriorKL(COUNTS, options=PriorKLOptions(strength=0.5)), formula)


def test_prior_kl_follows_the_mean_prediction() -> None:
    """With decay 0 the mean loss of the last batch again is the divergence of its mean prediction."""
    objective = PriorKL(COUNTS, options=PriorKLOptions(strength=2.0, decay=0.0))
    logits = torch.randn(20, 7, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    tags = torch.zeros(20, dtype=torch.int64)
    objective.loss(logits.requires_grad_(), tags)
    mean = torch.softmax(logits.detach(), dim=-1).mean(dim=0).numpy()[:-1]
    expected = 2 * (PRIOR[:-1] * np.log(PRIOR[:-1] / mean)).sum()
    loss = objective.loss(logits, tags)
    assert loss.item() == pytest.approx(expected)
    # the gradient is that of the divergence of the batch mean
    direct = 2 * -(torch.from_numpy(PRIOR) * torch.softmax(logits, dim=-1).mean(dim=0).log())[:-1].sum()
    objective = PriorKL(COUNTS, options=PriorKLOptions(strength=2.0, decay=0.0))
    objective.loss(logits, tags)
    torch.testing.assert_close(
        torch.autograd.grad(objective.loss(logits, tags), logits), torch.autograd.grad(direct, logits)
    )


def test_the_pull_of_a_forgotten_tag_is_bounded() -> None:
    objective = PriorKL(COUNTS, options=PriorKLOptions(strength=1.0, decay=0.0))
    never = torch.tensor([[0, 0, 0, 0, 0, -1e4, 0]], dtype=torch.float64, requires_grad=True)
    objective.loss(never, torch.tensor([0]))
    again = torch.zeros(1, 7, dtype=torch.float64, requires_grad=True)
    loss = objective.loss(again, torch.tensor([0]))
    assert torch.isfinite(loss)
    assert torch.autograd.grad(loss, again)[0].abs().max() <= 100


def test_label_proportion_is_its_formula(agrees: Callable[..., None]) -> None:
    """With no rows, all tokens are one window."""

    def formula(logits: Array, targets: npt.NDArray[np.int64]) -> Array:
        logs = log_softmax(logits)
        value = 0.0
        for tag in range(7):
            column = logs[:, tag]
            value -= 0.3 * PRIOR[tag] * (column.max() + np.log(np.exp(column - column.max()).mean()))
        return np.full(len(targets), value)

    agrees(lambda: LabelProportion(COUNTS, options=LabelProportionOptions(strength=0.3)), formula)


def test_every_window_is_a_bag_of_its_judged_tokens() -> None:
    objective = LabelProportion(COUNTS)
    logits = torch.randn(3, 4, 7, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    tags = torch.zeros(3, 4, dtype=torch.int64)
    tags[0, 2:] = tags[1] = IGNORE_INDEX
    logits[1], logits[0, 3] = torch.inf, torch.nan
    logits.requires_grad_()
    losses = objective.token_losses(logits, tags)
    assert losses.shape == (6,)
    torch.testing.assert_close(losses[:2], objective.token_losses(logits[0, :2], tags[0, :2]))
    torch.testing.assert_close(losses[2:], objective.token_losses(logits[2], tags[2]))
    (gradient,) = torch.autograd.grad(losses.sum(), logits)
    assert (gradient[tags == IGNORE_INDEX] == 0).all()
    assert (gradient[tags != IGNORE_INDEX] != 0).any(dim=-1).all()


def test_confidence_penalty_is_its_formula(agrees: Callable[..., None]) -> None:
    def formula(logits: Array, targets: npt.NDArray[np.int64]) -> Array:
        logs = log_softmax(logits)
        return np.asarray(0.2 * (np.exp(logs) * logs).sum(axis=1))

    agrees(lambda: ConfidencePenalty(COUNTS, options=ConfidencePenaltyOptions(strength=0.2)), formula)


def test_targets_do_not_matter() -> None:
    logits = torch.randn(9, 7, generator=torch.Generator().manual_seed(0))
    for make in (PriorKL, LabelProportion, ConfidencePenalty):
        objective = make(COUNTS)
        assert torch.equal(objective.loss(logits, torch.zeros(9).long()), objective.loss(logits, torch.arange(9) % 7))


@pytest.mark.parametrize("percent", [[60, 12, 20, 5, 2, 1, 0], [30, 20, 20, 10, 5, 15, 0]])
def test_alone_they_teach_the_prior_or_nothing(percent: list[int], learned: Callable[..., Array]) -> None:
    for make in (PriorKL, LabelProportion):
        np.testing.assert_allclose(make(COUNTS).effective_prior(percent), PRIOR)
    proportion = LabelProportion(COUNTS, options=LabelProportionOptions(strength=1.0))
    np.testing.assert_allclose(learned(proportion, percent), PRIOR, atol=1e-3)
    kl = PriorKL(COUNTS, options=PriorKLOptions(strength=1.0, decay=0.5))
    np.testing.assert_allclose(learned(kl, percent), PRIOR, atol=1e-3)
    np.testing.assert_allclose(ConfidencePenalty(COUNTS).effective_prior(percent), [1 / 6] * 6 + [0], atol=1e-6)


@pytest.mark.parametrize("strength", [0.1, 1.0])
def test_beside_a_weighted_loss_prior_kl_is_the_counterforce(strength: float, learned: Callable[..., Array]) -> None:
    """As strength grows, the effective prior goes back to the empirical one."""
    weighted = BTL(COUNTS, options=BTLOptions())
    held = Combined(weighted, [PriorKL(COUNTS, options=PriorKLOptions(strength=strength, decay=0.5))])
    prior = held.effective_prior()
    np.testing.assert_allclose(learned(held, COUNTS), prior, atol=1e-3)
    assert np.abs(prior - PRIOR).sum() < np.abs(weighted.effective_prior() - PRIOR).sum() / (1 + strength)


def test_confidence_penalty_flattens(learned: Callable[..., Array]) -> None:
    held = Combined(BTL(COUNTS, options=BTLOptions(weight="none")), [ConfidencePenalty(COUNTS)])
    prior = held.effective_prior()
    np.testing.assert_allclose(learned(held, COUNTS), prior, atol=1e-3)
    assert prior[0] < 0.6
    assert prior[5] > 0.01
