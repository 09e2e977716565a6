"""Asymmetric loss: both parts of its formula, and that the negatives act."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from raretag.objectives.asymmetric import Asymmetric, AsymmetricOptions
from raretag.objectives.cross_entropy import CrossEntropy

from .conftest import COUNTS, GROUPS, Array, by_token, log_softmax

VARIANTS: list[dict[str, Any]] = [
    {},
    {"gamma_positive": 1, "gamma_negative": 2},
    {"gamma_positive": 0.5, "gamma_negative": 0.5, "margin": 0},
    {"gamma_negative": 0, "margin": 0},
    {"margin": 0.3},
]


def token_loss(
    logits: Array, target: int, *, gamma_positive: float = 0.0, gamma_negative: float = 4.0, margin: float = 0.05
) -> float:
    log_p = log_softmax(logits)
    loss = 0.0
    for tag, n in enumerate(COUNTS):
        others = np.exp(np.delete(log_p, tag)).sum()
        if tag == target:
            loss += others**gamma_positive * -log_p[tag]
        elif n > 0:
            q = max(np.exp(log_p[tag]) - margin, 0)
            # where nearly nothing is left, in the logarithm of the others, since 1 - q has no digits
            rest = np.logaddexp.reduce(np.delete(log_p, tag))
            loss += q**gamma_negative * (-rest if margin == 0 else -np.log(min(others + margin, 1)))
    return float(loss)


def build(**options: Any) -> Asymmetric:
    return Asymmetric(COUNTS, groups=GROUPS, options=AsymmetricOptions(**options))


@pytest.mark.parametrize("options", VARIANTS)
def test_loss_gradient_and_prior_are_those_of_the_formula(
    follows: Callable[..., None], options: dict[str, Any]
) -> None:
    follows(lambda: build(**options), by_token(token_loss, **options))


def test_leaving_the_negatives_out_is_plain_cross_entropy(is_cross_entropy: Callable[..., None]) -> None:
    is_cross_entropy(build(margin=1))


def test_negatives_act_by_themselves() -> None:
    """Code that applies the loss to one-hot targets without smoothing is cross-entropy; this must not be."""
    asymmetric, plain = Asymmetric([5, 3, 2]), CrossEntropy([5, 3, 2])
    target = torch.tensor([0])
    shares = {"held by one": [0.4, 0.59, 0.01], "shared": [0.4, 0.3, 0.3]}
    ours, theirs = (
        [one.loss(torch.tensor([p]).log(), target).item() for p in shares.values()] for one in (asymmetric, plain)
    )
    assert theirs[0] == pytest.approx(theirs[1])
    assert ours[0] > ours[1] > theirs[1]
    logits = torch.tensor([shares["held by one"]], dtype=torch.float64).log().requires_grad_()
    slopes = [torch.autograd.grad(one.loss(logits, target), logits)[0] for one in (asymmetric, plain)]
    assert (slopes[0] - slopes[1]).abs().max() > 0.01


@pytest.mark.parametrize("margin", [0.0, 0.05])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_surely_wrong_token_is_still_pulled_back(margin: float, dtype: torch.dtype) -> None:
    logits = torch.tensor([[0, 1e4, 0]], dtype=dtype, requires_grad=True)
    loss = Asymmetric([3, 2, 1], options=AsymmetricOptions(margin=margin)).loss(logits, torch.tensor([0]))
    expected = 1e4 + (1e4 - np.log(2) if margin == 0 else 0.95**4 * -np.log(0.05))
    assert loss.item() == pytest.approx(expected)
    (slope,) = torch.autograd.grad(loss, logits)
    assert slope[0, 0] <= -1
    # the negative adds as much again where no margin bounds it
    assert slope[0, 1].item() == pytest.approx(2 if margin == 0 else 1)


def test_what_lies_within_the_margin_costs_nothing() -> None:
    logits = torch.tensor([[0.92, 0.04, 0.04]], dtype=torch.float64).log()
    assert Asymmetric([3, 2, 1]).loss(logits, torch.tensor([0])).item() == pytest.approx(-np.log(0.92))


@pytest.mark.parametrize("options", [{"gamma_positive": -1}, {"gamma_negative": 11}, {"margin": -0.1}, {"margin": 1.1}])
def test_options_out_of_range_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=next(iter(options))):
        AsymmetricOptions(**options)
