"""Vector scaling: scales and shifts by hand, what it becomes without them, and which of its optima is reached."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

from raretag.objectives.base import Objective
from raretag.objectives.cross_entropy import CrossEntropy
from raretag.objectives.logit_adjustment import LogitAdjustment, LogitAdjustmentOptions
from raretag.objectives.vector_scaling import VectorScaling, VectorScalingOptions

Array = npt.NDArray[np.float64]

COUNTS = [60, 12, 20, 5, 2, 1, 0]
GROUPS = [0, 1, 1, 2, 2, 3, 3]
TOGETHER = np.array([60, 32, 32, 7, 7, 1, 1])


def formula(logits: Array, targets: npt.NDArray[np.int64], *, gamma: float = 0.15, tau: float = 0.3) -> Array:
    changed = (TOGETHER / 60) ** gamma * logits + tau * np.log(TOGETHER / 100)
    if tau > 0:
        changed[:, 6] = (1 / 60) ** gamma * logits[:, 6] - 1e4
    top = changed.max(axis=1)
    gold = changed[np.arange(len(targets)), targets]
    return np.asarray(np.log(np.exp(changed - top[:, None]).sum(axis=1)) + top - gold)


@pytest.mark.parametrize("given", [{}, {"gamma": 0.3, "tau": 1.0}, {"gamma": 0.5, "tau": 0.0}])
def test_it_is_its_formula(given: dict[str, float], agrees: Callable[..., None]) -> None:
    options = VectorScalingOptions(**given)
    agrees(lambda: VectorScaling(COUNTS, groups=GROUPS, options=options), lambda z, y: formula(z, y, **given))


@pytest.mark.parametrize("tau", [0.0, 0.4])
def test_without_scales_it_is_logit_adjustment_and_without_both_cross_entropy(tau: float) -> None:
    logits = torch.randn(14, 7, generator=torch.Generator().manual_seed(0), dtype=torch.float64).requires_grad_()
    tags = torch.arange(14) % 7
    scaled = VectorScaling(COUNTS, groups=GROUPS, options=VectorScalingOptions(gamma=0, tau=tau))
    shifted = LogitAdjustment(COUNTS, groups=GROUPS, options=LogitAdjustmentOptions(tau=tau))
    others: list[Objective[Any]] = [shifted, CrossEntropy(COUNTS)] if tau == 0 else [shifted]
    for other in others:
        losses = [each.loss(logits, tags) for each in (scaled, other)]
        torch.testing.assert_close(*losses, rtol=0, atol=1e-14)
        torch.testing.assert_close(*(torch.autograd.grad(loss, logits)[0] for loss in losses), rtol=0, atol=1e-14)


@pytest.mark.parametrize("percent", [[60, 12, 20, 5, 2, 1, 0], [30, 20, 20, 10, 5, 15, 0], [50, 0, 20, 30, 0, 0, 0]])
def test_the_prior_is_what_is_learned_without_text(percent: list[int], learned: Callable[..., Array]) -> None:
    objective = VectorScaling(COUNTS, groups=GROUPS, options=VectorScalingOptions(gamma=0.2))
    learnt = learned(objective, percent, rate=2.0, steps=3000)
    np.testing.assert_allclose(learnt, objective.effective_prior(percent), atol=1e-3)


def test_scales_alone_move_the_prior_away_from_rare_labels() -> None:
    """The model must make up for the scale with larger logits, in both directions; a rare tag's are below the mean."""
    prior = VectorScaling(COUNTS, groups=GROUPS, options=VectorScalingOptions(tau=0)).effective_prior()
    assert prior[5] < 0.01
    assert prior.sum() == pytest.approx(1)
