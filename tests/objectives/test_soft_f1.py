"""Soft macro-F1: a label is the sum of its tags, O is no label, and what that does to a model without text."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
import torch

from raretag.objectives.cross_entropy import CrossEntropy
from raretag.objectives.soft_f1 import SoftMacroF1, SoftMacroF1Options

Array = npt.NDArray[np.float64]

COUNTS = [60, 12, 20, 5, 2, 1, 0]
GROUPS = [0, 1, 1, 2, 2, 3, 3]
LABELS = ([1, 2], [3, 4], [5, 6])


def first_batch(logits: Array, targets: npt.NDArray[np.int64], *, strength: float = 1.0, share: float = 0.1) -> Array:
    """F = 2 TP / (S + G) and its derivatives 2 / D and −N / D², by hand, at S = G = π and TP = π / 2."""
    smooth = share / 3
    losses = []
    for z, y in zip(logits, targets, strict=True):
        log_p = z - z.max() - np.log(np.exp(z - z.max()).sum())
        total = -log_p[y]
        for tags in LABELS:
            prior = sum(COUNTS[tag] for tag in tags) / sum(COUNTS)
            above, below = prior + 2 * smooth, 2 * prior + 2 * smooth
            p = np.exp(log_p[tags]).sum()
            f1 = above / below + (2 / below) * (p * (y in tags) - prior / 2) - above / below**2 * (p - prior)
            total += strength * (1 - f1) / 3
        losses.append(total)
    return np.array(losses)


@pytest.mark.parametrize("given", [{}, {"strength": 3.0, "share": 1.0}])
def test_it_is_its_formula(given: dict[str, float], agrees: Callable[..., None]) -> None:
    options = SoftMacroF1Options(strength=given.get("strength", 1.0), smooth=given.get("share", 0.1))
    agrees(lambda: SoftMacroF1(COUNTS, groups=GROUPS, options=options), lambda z, y: first_batch(z, y, **given))


def test_without_strength_or_labels_it_is_cross_entropy() -> None:
    logits = torch.randn(9, 7, generator=torch.Generator().manual_seed(0), dtype=torch.float64).requires_grad_()
    tags = torch.arange(9) % 6
    without = SoftMacroF1(COUNTS, groups=GROUPS, options=SoftMacroF1Options(strength=0.0))
    only_outside = SoftMacroF1([9, 0, 0, 0, 0, 0, 0], groups=GROUPS)
    expected = CrossEntropy(COUNTS).loss(logits, tags)
    (slope,) = torch.autograd.grad(expected, logits)
    for loss in (without.loss(logits, tags), only_outside.loss(logits, tags)):
        torch.testing.assert_close(loss, expected, rtol=0, atol=1e-15)
        torch.testing.assert_close(torch.autograd.grad(loss, logits)[0], slope, rtol=0, atol=1e-15)


def test_within_a_label_it_makes_no_difference_which_tag() -> None:
    """Moving probability from B- to I- of one label leaves the F1 part alone."""
    alone = SoftMacroF1(COUNTS, groups=GROUPS, options=SoftMacroF1Options(cross_entropy=0.0))
    p = torch.tensor([[0.3, 0.4, 0.1, 0.1, 0.05, 0.03, 0.02], [0.3, 0.1, 0.4, 0.1, 0.05, 0.03, 0.02]])
    losses = alone.token_losses(p.log(), torch.tensor([1, 1]))
    torch.testing.assert_close(losses[0], losses[1])


@pytest.mark.parametrize("percent", [[60, 12, 20, 5, 2, 1, 0], [30, 20, 20, 10, 5, 15, 0]])
def test_the_prior_is_what_is_learned_without_text(percent: list[int], learned: Callable[..., Array]) -> None:
    objective = SoftMacroF1(COUNTS, groups=GROUPS, options=SoftMacroF1Options(strength=2.0, decay=0.9))
    expected = objective.effective_prior(percent)
    np.testing.assert_allclose(learned(objective, percent, rate=0.4), expected, atol=1e-3)
    assert expected[0] < percent[0] / 100


def test_alone_it_gives_outside_nothing_and_labels_their_relative_shares() -> None:
    """Σ 2 p π / (p + π) over labels has equal derivatives where p is proportional to π, and none for O."""
    alone = SoftMacroF1([50, 30, 20], groups=[0, 1, 2], options=SoftMacroF1Options(cross_entropy=0.0, smooth=1e-3))
    np.testing.assert_allclose(alone.effective_prior(), [0, 0.6, 0.4], atol=2e-3)
