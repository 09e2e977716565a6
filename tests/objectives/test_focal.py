"""Focal loss: its formula, its p, and the flatter optimum that it has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from raretag.objectives.focal import Focal, FocalOptions

from .conftest import COUNTS, GROUPS, Array, by_token, log_softmax

VARIANTS: list[dict[str, Any]] = [
    {},
    {"gamma": 0.5},
    {"gamma": 10},
    {"gamma": 1, "alpha": 0.5},
    {"gamma": 0, "alpha": 1},
]


def token_loss(logits: Array, target: int, *, gamma: float = 2.0, alpha: float = 0.0) -> float:
    # tokens of the label, both tags together
    n = np.array([60, 32, 32, 7, 7, 1, 1.0])
    weights = np.minimum((n / 60) ** -alpha, 10)
    weights = weights * (np.array(COUNTS) > 0) * 100 / (weights * COUNTS).sum()
    log_p = log_softmax(logits)
    others = np.exp(np.delete(log_p, target)).sum()
    return float(weights[target] * others**gamma * -log_p[target])


def build(**options: Any) -> Focal:
    return Focal(COUNTS, groups=GROUPS, options=FocalOptions(**options))


@pytest.mark.parametrize("options", VARIANTS)
def test_loss_gradient_and_prior_are_those_of_the_formula(
    follows: Callable[..., None], options: dict[str, Any]
) -> None:
    follows(lambda: build(**options), by_token(token_loss, **options))


def test_gamma_zero_is_plain_cross_entropy(is_cross_entropy: Callable[..., None]) -> None:
    is_cross_entropy(build(gamma=0))


def test_weights_do_not_enter_the_probability() -> None:
    """exp(−w · CE), as in code that takes p from the weighted loss, is not p where w is not 1."""
    focal = Focal([90, 10], options=FocalOptions(gamma=2, alpha=1))
    logits, target = torch.tensor([[0.3, -0.4]], dtype=torch.float64), torch.tensor([1])
    weight = focal.weights[1]
    assert weight > 2
    log_p = log_softmax(logits[0].numpy())[1]
    wrong = (1 - np.exp(weight * log_p)) ** 2 * weight * -log_p
    right = weight * (1 - np.exp(log_p)) ** 2 * -log_p
    assert focal.loss(logits, target).item() == pytest.approx(right)
    assert abs(wrong - right) > 0.1 * right


@pytest.mark.parametrize("gamma", [0.01, 0.5, 1.0, 2.0])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_sure_token_has_no_gradient_and_no_nan(gamma: float, dtype: torch.dtype) -> None:
    logits = torch.tensor([[1e4, 0, 0]], dtype=dtype, requires_grad=True)
    loss = Focal([3, 2, 1], options=FocalOptions(gamma=gamma)).loss(logits, torch.tensor([0]))
    assert loss.item() == 0
    assert (torch.autograd.grad(loss, logits)[0] == 0).all()


def test_the_optimum_is_flatter_with_gamma() -> None:
    rare = [Focal(COUNTS, options=FocalOptions(gamma=gamma)).effective_prior()[5] for gamma in (0, 0.5, 2, 5)]
    assert rare[0] == pytest.approx(0.01, rel=1e-3)
    assert (np.diff(rare) > 0).all()


@pytest.mark.parametrize("options", [{"gamma": -0.1}, {"gamma": 11}, {"alpha": -1}, {"alpha": 2.1}, {"beta": 1}])
def test_options_out_of_range_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=next(iter(options))):
        FocalOptions(**options)
