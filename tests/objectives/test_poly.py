"""Poly-1: its formula, its gradient, and the steeper optimum that it has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from pydantic import ValidationError

from raretag.objectives.base import IGNORE_INDEX
from raretag.objectives.cross_entropy import CrossEntropy
from raretag.objectives.poly import Poly1, Poly1Options

Array = npt.NDArray[np.float64]
Tags = npt.NDArray[np.int64]

# O, and B- and I- of three labels; the third has no I-
COUNTS = [60, 12, 20, 5, 2, 1, 0]
GROUPS = [0, 1, 1, 2, 2, 3, 3]
TAGS = len(COUNTS)
VARIANTS: list[dict[str, Any]] = [{}, {"epsilon": -1}, {"epsilon": -0.5}, {"epsilon": 10}]


def log_softmax(logits: Array) -> Array:
    shifted = logits - logits.max()
    return np.asarray(shifted - np.log(np.exp(shifted).sum()))


def token_loss(logits: Array, target: int, *, epsilon: float = 1.0) -> float:
    log_p = log_softmax(logits)
    return float(-log_p[target] + epsilon * np.exp(np.delete(log_p, target)).sum())


def batch() -> tuple[torch.Tensor, torch.Tensor]:
    """Random logits, and targets of seen tags, some of them ignored."""
    rng = np.random.default_rng(0)
    targets = rng.choice([0, 1, 2, 3, 4, 5, IGNORE_INDEX], 12)
    return torch.from_numpy(3 * rng.standard_normal((12, TAGS))).requires_grad_(), torch.from_numpy(targets)


@pytest.mark.parametrize("options", VARIANTS)
def test_it_agrees_with_numpy(agrees: Callable[..., None], options: dict[str, Any]) -> None:
    def reference(logits: Array, targets: Tags) -> Array:
        return np.array([token_loss(z, y, **options) for z, y in zip(logits, targets, strict=True)])

    agrees(lambda: Poly1(COUNTS, groups=GROUPS, options=Poly1Options(**options)), reference)


@pytest.mark.parametrize("marginals", [None, [1, 1, 2, 3, 5, 8, 0], [[9, 1, 0, 0, 0, 0, 0], [5, 0, 1, 1, 2, 1, 0]]])
@pytest.mark.parametrize("options", VARIANTS)
def test_the_expected_loss_is_flat_at_the_effective_prior(options: dict[str, Any], marginals: Any) -> None:
    """Where all tokens have the same logits, no change of them lowers what targets by `marginals` cost."""
    loss_of = Poly1(COUNTS, groups=GROUPS, options=Poly1Options(**options))
    mass = np.atleast_2d(COUNTS if marginals is None else marginals).sum(axis=0).tolist()
    with np.errstate(divide="ignore"):
        logits = np.maximum(np.log(loss_of.effective_prior(marginals)), -1e4)

    def expected_loss(z: Array) -> float:
        return float(sum(m * token_loss(z, y, **options) for y, m in enumerate(mass) if m) / sum(mass))

    steps = 1e-4 * np.eye(TAGS)
    slopes = [(expected_loss(logits + step) - expected_loss(logits - step)) / 2e-4 for step in steps]
    np.testing.assert_allclose(slopes, 0, atol=1e-6)


def test_epsilon_zero_is_plain_cross_entropy() -> None:
    logits, targets = batch()
    plain, ours = (
        one.loss(logits, targets)
        for one in (CrossEntropy(COUNTS), Poly1(COUNTS, groups=GROUPS, options=Poly1Options(epsilon=0)))
    )
    torch.testing.assert_close(ours, plain, rtol=1e-14, atol=0)
    slopes = [torch.autograd.grad(loss, logits)[0] for loss in (plain, ours)]
    torch.testing.assert_close(slopes[1], slopes[0], rtol=1e-12, atol=1e-15)


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
