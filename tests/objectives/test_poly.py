"""Poly-1: its formula, its gradient, and the steeper optimum that it has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from raretag.objectives.poly import Poly1, Poly1Options

from .conftest import COUNTS, GROUPS, Array, by_token, log_softmax

VARIANTS: list[dict[str, Any]] = [{}, {"epsilon": -1}, {"epsilon": -0.5}, {"epsilon": 10}]


def token_loss(logits: Array, target: int, *, epsilon: float = 1.0) -> float:
    log_p = log_softmax(logits)
    return float(-log_p[target] + epsilon * np.exp(np.delete(log_p, target)).sum())


def build(**options: Any) -> Poly1:
    return Poly1(COUNTS, groups=GROUPS, options=Poly1Options(**options))


@pytest.mark.parametrize("options", VARIANTS)
def test_loss_gradient_and_prior_are_those_of_the_formula(
    follows: Callable[..., None], options: dict[str, Any]
) -> None:
    follows(lambda: build(**options), by_token(token_loss, **options))


def test_epsilon_zero_is_plain_cross_entropy(is_cross_entropy: Callable[..., None]) -> None:
    is_cross_entropy(build(epsilon=0))


@pytest.mark.parametrize("epsilon", [-1.0, 0.5, 10.0])
def test_a_gradient_is_cross_entropys_times_one_plus_epsilon_p(epsilon: float) -> None:
    logits = torch.tensor([[0.2, 0.5, 0.3]], dtype=torch.float64).log().requires_grad_()
    loss = Poly1([3, 2, 1], options=Poly1Options(epsilon=epsilon)).loss(logits, torch.tensor([1]))
    expected = (1 + epsilon * 0.5) * np.array([[0.2, -0.5, 0.3]])
    np.testing.assert_allclose(torch.autograd.grad(loss, logits)[0].numpy(), expected)


def test_the_optimum_solves_its_equation() -> None:
    """p_k (λ − ε m_k) = m_k for one λ; rare tags get less than their share for ε > 0, and more below."""
    m = np.array(COUNTS) / 100
    for epsilon in (-1.0, 1.0, 10.0):
        p = Poly1(COUNTS, options=Poly1Options(epsilon=epsilon)).effective_prior()
        multipliers = (m / np.maximum(p, 1e-300) + epsilon * m)[:-1]
        np.testing.assert_allclose(multipliers, multipliers[0], rtol=1e-5)
        assert (p[5] < 0.01) == (epsilon > 0)


@pytest.mark.parametrize("options", [{"epsilon": -1.1}, {"epsilon": 10.1}, {"epsilon": float("nan")}])
def test_options_out_of_range_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=next(iter(options))):
        Poly1Options(**options)
