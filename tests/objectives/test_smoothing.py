"""Label smoothing: its targets, and which of its forms keep the marginals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from raretag.objectives.cross_entropy import CrossEntropy
from raretag.objectives.smoothing import LabelSmoothing, LabelSmoothingOptions

from .conftest import COUNTS, GROUPS, Array, by_token, log_softmax

TAGS = len(COUNTS)
VARIANTS: list[dict[str, Any]] = [
    {"epsilon": epsilon, "towards": towards, "entities_only": entities_only}
    for epsilon in (0.1, 0.9)
    for towards in ("uniform", "prior")
    for entities_only in (False, True)
]


def smoothed_target(target: int, *, epsilon: float, towards: str, entities_only: bool) -> Array:
    smoothed = np.zeros(TAGS)
    if entities_only and target == 0:
        smoothed[0] = 1
        return smoothed
    for tag, n in enumerate(COUNTS):
        if towards == "uniform":
            smoothed[tag] = epsilon / 6 if n else 0
        elif not entities_only:
            smoothed[tag] = epsilon * n / 100
        elif tag > 0:
            smoothed[tag] = epsilon * n / 40
    smoothed[target] += 1 - epsilon
    return smoothed


def token_loss(logits: Array, target: int, **options: Any) -> float:
    return float(-(smoothed_target(target, **options) * log_softmax(logits)).sum())


def build(**options: Any) -> LabelSmoothing:
    return LabelSmoothing(COUNTS, groups=GROUPS, options=LabelSmoothingOptions(**options))


@pytest.mark.parametrize("options", VARIANTS)
def test_loss_gradient_and_prior_are_those_of_the_formula(
    follows: Callable[..., None], options: dict[str, Any]
) -> None:
    follows(lambda: build(**options), by_token(token_loss, **options))


def test_epsilon_zero_is_plain_cross_entropy(is_cross_entropy: Callable[..., None]) -> None:
    is_cross_entropy(build(epsilon=0))


@pytest.mark.parametrize("options", VARIANTS)
def test_the_effective_prior_is_the_mean_of_the_targets(options: dict[str, Any]) -> None:
    mean = sum(n * smoothed_target(tag, **options) for tag, n in enumerate(COUNTS)) / 100
    smoothing = build(**options)
    np.testing.assert_allclose(smoothing.effective_prior(), mean, rtol=1e-12)
    # what is taken by shares is given back by shares
    assert (options["towards"] == "prior") == np.allclose(smoothing.effective_prior(), smoothing.prior)


def test_an_unseen_tag_may_have_no_probability_at_all() -> None:
    logits = torch.tensor([[0.5, 0.2, -torch.inf]], requires_grad=True)
    loss = LabelSmoothing([5, 3, 0]).loss(logits, torch.tensor([1]))
    assert torch.isfinite(loss)
    assert torch.isfinite(torch.autograd.grad(loss, logits)[0]).all()


def test_without_an_entity_there_is_nothing_to_smooth() -> None:
    chosen = LabelSmoothingOptions(towards="prior", entities_only=True)
    smoothing = LabelSmoothing([5, 0], options=chosen)
    logits = torch.tensor([[0.5, 0.2]], dtype=torch.float64)
    plain = CrossEntropy([5, 0]).loss(logits, torch.tensor([0]))
    torch.testing.assert_close(smoothing.loss(logits, torch.tensor([0])), plain)
    assert torch.isfinite(smoothing.loss(logits, torch.tensor([1])))
    assert smoothing.effective_prior().tolist() == [1, 0]


@pytest.mark.parametrize("options", [{"epsilon": 1}, {"epsilon": -0.1}, {"towards": "others"}])
def test_options_out_of_range_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=next(iter(options))):
        LabelSmoothingOptions(**options)
