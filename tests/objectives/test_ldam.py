"""Margins: the formula on cosine logits, tied within a label, and the trap of logits without a bound."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
import torch

from raretag.objectives.cross_entropy import CrossEntropy
from raretag.objectives.ldam import LDAM, LDAMOptions

Array = npt.NDArray[np.float64]

COUNTS = [625, 10, 6, 80, 1, 1, 0]
GROUPS = [0, 1, 1, 2, 2, 3, 3]
# 625, 16, 16, 81, 81, 1, 1 tokens of the label: fourth roots 5, 2, 2, 3, 3, 1, 1
MARGINS = np.array([1 / 5, 1 / 2, 1 / 2, 1 / 3, 1 / 3, 1, 1])


def formula(logits: Array, targets: npt.NDArray[np.int64], *, scale: float = 16.0, largest: float = 0.5) -> Array:
    losses = []
    for z, y in zip(logits, targets, strict=True):
        lowered = z.copy()
        lowered[y] -= scale * largest * MARGINS[y]
        losses.append(np.log(np.exp(lowered - lowered.max()).sum()) + lowered.max() - lowered[y])
    return np.array(losses)


@pytest.mark.parametrize("given", [{}, {"scale": 30.0, "largest": 0.2}])
def test_it_is_its_formula(given: dict[str, float], agrees: Callable[..., None]) -> None:
    options = LDAMOptions(scale=given.get("scale", 16.0), max_margin=given.get("largest", 0.5))
    agrees(lambda: LDAM(COUNTS, groups=GROUPS, options=options), lambda z, y: formula(z, y, **given))


def test_margins_go_by_the_fourth_root_of_the_label() -> None:
    np.testing.assert_allclose(LDAM(COUNTS, groups=GROUPS).margins, 8 * MARGINS)


def test_without_margin_it_is_cross_entropy() -> None:
    logits = torch.randn(9, 7, generator=torch.Generator().manual_seed(0)).requires_grad_()
    tags = torch.arange(9) % 6
    none, plain = LDAM(COUNTS, groups=GROUPS, options=LDAMOptions(max_margin=0.0)), CrossEntropy(COUNTS)
    assert torch.equal(none.loss(logits, tags), plain.loss(logits, tags))
    slopes = [torch.autograd.grad(each.loss(logits, tags), logits)[0] for each in (none, plain)]
    assert torch.equal(*slopes)


def test_margins_last_on_cosine_logits_and_fade_on_others() -> None:
    """Once logits may grow, a margin costs nothing: why the objective is made for the cosine head."""
    tags = torch.tensor([5])
    extra = []
    for size in (16.0, 160.0):
        logits = torch.zeros(1, 7)
        logits[0, 5] = size
        extra.append((LDAM(COUNTS, groups=GROUPS).loss(logits, tags) - CrossEntropy(COUNTS).loss(logits, tags)).item())
    assert extra[0] > 1e-3
    assert extra[1] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("percent", [[60, 12, 20, 5, 2, 1, 0], [30, 20, 20, 10, 5, 15, 0]])
def test_the_prior_is_what_is_learned_without_text(percent: list[int], learned: Callable[..., Array]) -> None:
    objective = LDAM(COUNTS, groups=GROUPS, options=LDAMOptions(max_margin=0.1))
    expected = objective.effective_prior(percent)
    np.testing.assert_allclose(learned(objective, percent), expected, atol=1e-3)
    assert np.abs(expected - np.array(percent) / 100).max() > 3e-3
