"""Logit adjustment: the shifts by hand, the invariants, and the prior that shifts leave to the model."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
import torch

from raretag.objectives.cross_entropy import CrossEntropy
from raretag.objectives.logit_adjustment import BalancedSoftmax, LogitAdjustment, LogitAdjustmentOptions

Array = npt.NDArray[np.float64]

COUNTS = [60, 12, 20, 5, 2, 1, 0]
GROUPS = [0, 1, 1, 2, 2, 3, 3]


def shifts(tau: float, outside: float, *, tie: bool = True) -> Array:
    """40 of 100 tokens are of labels: 32, 7 and 1 of them."""
    within = [32, 32, 7, 7, 1] if tie else [12, 20, 5, 2, 1]
    return np.array([outside * np.log(0.6), *(outside * np.log(0.4) + tau * np.log(n / 40) for n in within), -1e4])


def formula(logits: Array, targets: npt.NDArray[np.int64], *, shift: Array) -> Array:
    shifted = logits + shift
    top = shifted.max(axis=1)
    return np.asarray(
        np.log(np.exp(shifted - top[:, None]).sum(axis=1)) + top - shifted[np.arange(len(targets)), targets]
    )


@pytest.mark.parametrize(
    ("options", "shift"),
    [
        ({}, shifts(0.3, 0.3)),
        ({"tau": 1.0}, shifts(1.0, 1.0)),
        ({"tau": 0.4, "tau_outside": 0.1}, shifts(0.4, 0.1)),
        ({"tau": 0.0, "tau_outside": 0.5}, shifts(0.0, 0.5)),
        ({"tau": 0.7, "tau_outside": 0.0, "tie": False}, shifts(0.7, 0.0, tie=False)),
    ],
)
def test_it_is_its_formula(options: dict[str, float], shift: Array, agrees: Callable[..., None]) -> None:
    checked = LogitAdjustmentOptions.model_validate(options)
    np.testing.assert_allclose(LogitAdjustment(COUNTS, groups=GROUPS, options=checked).shifts, shift)
    agrees(lambda: LogitAdjustment(COUNTS, groups=GROUPS, options=checked), lambda z, y: formula(z, y, shift=shift))


def test_balanced_softmax_is_its_formula(agrees: Callable[..., None]) -> None:
    """n_y e^z_y / Σ n_j e^z_j, tag by tag."""
    logs = np.array([*np.log(COUNTS[:-1]), -1e4 + np.log(sum(COUNTS))])
    agrees(lambda: BalancedSoftmax(COUNTS, groups=GROUPS), lambda z, y: formula(z, y, shift=logs))


def test_with_one_strength_and_untied_it_is_tau_log_prior() -> None:
    options = LogitAdjustmentOptions(tau=0.4, tie=False)
    shift = LogitAdjustment(COUNTS, groups=GROUPS, options=options).shifts[:-1]
    np.testing.assert_allclose(shift, 0.4 * np.log(np.array(COUNTS[:-1]) / 100))


def test_without_strength_or_with_uniform_counts_it_is_cross_entropy() -> None:
    logits = torch.randn(14, 7, generator=torch.Generator().manual_seed(0), dtype=torch.float64).requires_grad_()
    tags = torch.arange(14) % 7
    plain = CrossEntropy(COUNTS).loss(logits, tags)
    (slope,) = torch.autograd.grad(plain, logits)
    none = LogitAdjustment(COUNTS, groups=GROUPS, options=LogitAdjustmentOptions(tau=0))
    uniform = BalancedSoftmax([9] * 7, groups=GROUPS)
    for loss in (none.loss(logits, tags), uniform.loss(logits, tags)):
        torch.testing.assert_close(loss, plain, rtol=0, atol=1e-14)
        torch.testing.assert_close(torch.autograd.grad(loss, logits)[0], slope, rtol=0, atol=1e-14)


def test_unseen_tags_are_out_of_the_softmax() -> None:
    logits = torch.zeros(1, 7, requires_grad=True)
    (gradient,) = torch.autograd.grad(BalancedSoftmax(COUNTS).loss(logits, torch.tensor([0])), logits)
    assert gradient[0, 6] == 0
    assert (gradient[0, :6] != 0).all()


@pytest.mark.parametrize("counts", [[7], [7, 0, 0], [0, 3, 4], [1e7, 1, 0]])
def test_shifts_are_finite_for_any_counts(counts: list[float]) -> None:
    for objective in (LogitAdjustment(counts), BalancedSoftmax(counts)):
        assert np.isfinite(objective.shifts).all()
        np.testing.assert_allclose(objective.effective_prior().sum(), 1)


@pytest.mark.parametrize("percent", [[60, 12, 20, 5, 2, 1, 0], [30, 20, 20, 10, 5, 15, 0], [50, 0, 20, 30, 0, 0, 0]])
def test_the_prior_is_what_is_learned_without_text(percent: list[int], learned: Callable[..., Array]) -> None:
    for objective in (LogitAdjustment(COUNTS, groups=GROUPS), BalancedSoftmax(COUNTS, groups=GROUPS)):
        np.testing.assert_allclose(learned(objective, percent), objective.effective_prior(percent), atol=1e-3)


def test_balanced_softmax_teaches_a_uniform_prior() -> None:
    np.testing.assert_allclose(BalancedSoftmax(COUNTS).effective_prior(), [1 / 6] * 6 + [0])


def test_marginals_of_a_tag_that_training_never_saw_are_finite() -> None:
    prior = LogitAdjustment(COUNTS, groups=GROUPS).effective_prior([50, 0, 0, 0, 0, 0, 50])
    np.testing.assert_allclose(prior, [0, 0, 0, 0, 0, 0, 1])
