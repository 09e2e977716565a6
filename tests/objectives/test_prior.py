"""The numeric optimum of a model of biases alone, against closed forms, down to tags of one token in ten million."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.optimize import brentq
from torch import Tensor

from raretag.objectives.prior import bias_only_optimum

LONG_TAIL = np.concatenate([[1e7, 3e6], np.geomspace(1e6, 1, 40), [0]])
SHARES = LONG_TAIL / LONG_TAIL.sum()


def expected(weights: np.ndarray, logits: Tensor) -> Tensor:
    return -(torch.from_numpy(weights) * torch.log_softmax(logits, dim=0)).sum()


def test_cross_entropy_keeps_the_rarest_share() -> None:
    found = bias_only_optimum(lambda logits: expected(SHARES, logits), seen=SHARES > 0)
    np.testing.assert_allclose(found, SHARES, rtol=1e-6)


@pytest.mark.parametrize("epsilon", [-0.5, 1.0, 5.0])
def test_a_loss_that_is_not_proper(epsilon: float) -> None:
    """CE + ε (1 − p_y): the optimum has p_k = π_k / (λ − ε π_k), with λ such that it sums to 1."""

    def loss(logits: Tensor) -> Tensor:
        return expected(SHARES, logits) + epsilon * (torch.from_numpy(SHARES) * (1 - torch.softmax(logits, 0))).sum()

    def excess(multiplier: float) -> float:
        return float((SHARES / (multiplier - epsilon * SHARES)).sum() - 1)

    least = max(epsilon * SHARES.max(), 0.0)
    multiplier = brentq(excess, least + 1e-9, least + 100, xtol=1e-14)
    found = bias_only_optimum(loss, seen=SHARES > 0)
    np.testing.assert_allclose(found, SHARES / (multiplier - epsilon * SHARES), rtol=1e-5)


def test_of_equally_good_optima_it_is_the_one_nearest_on_the_way() -> None:
    """The loss sees b₀ + 2 b₁ alone; descent from 0 moves along (1, 2)."""

    def loss(logits: Tensor) -> Tensor:
        return (logits[0] + 2 * logits[1] - 1) ** 2

    found = bias_only_optimum(loss, seen=np.array([True, True]))
    np.testing.assert_allclose(found, np.exp([0.2, 0.4]) / np.exp([0.2, 0.4]).sum(), rtol=1e-9)


def test_a_single_tag_is_certain() -> None:
    found = bias_only_optimum(lambda logits: logits.sum() * 0, seen=np.array([False, True]))
    assert found.tolist() == [0.0, 1.0]
