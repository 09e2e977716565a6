"""Asymmetric loss: both parts of its formula, and that the negatives act."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from pydantic import ValidationError

from raretag.objectives.asymmetric import Asymmetric, AsymmetricOptions
from raretag.objectives.base import IGNORE_INDEX
from raretag.objectives.cross_entropy import CrossEntropy

Array = npt.NDArray[np.float64]
Tags = npt.NDArray[np.int64]

# O, and B- and I- of three labels; the third has no I-
COUNTS = [60, 12, 20, 5, 2, 1, 0]
GROUPS = [0, 1, 1, 2, 2, 3, 3]
TAGS = len(COUNTS)
VARIANTS: list[dict[str, Any]] = [
    {},
    {"gamma_positive": 1, "gamma_negative": 2},
    {"gamma_positive": 0.5, "gamma_negative": 0.5, "margin": 0},
    {"gamma_negative": 0, "margin": 0},
    {"margin": 0.3},
]


def log_softmax(logits: Array) -> Array:
    shifted = logits - logits.max()
    return np.asarray(shifted - np.log(np.exp(shifted).sum()))


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


def batch() -> tuple[torch.Tensor, torch.Tensor]:
    """Random logits, and targets of seen tags, some of them ignored."""
    rng = np.random.default_rng(0)
    targets = rng.choice([0, 1, 2, 3, 4, 5, IGNORE_INDEX], 12)
    return torch.from_numpy(3 * rng.standard_normal((12, TAGS))).requires_grad_(), torch.from_numpy(targets)


@pytest.mark.parametrize("options", VARIANTS)
def test_it_agrees_with_numpy(agrees: Callable[..., None], options: dict[str, Any]) -> None:
    def reference(logits: Array, targets: Tags) -> Array:
        return np.array([token_loss(z, y, **options) for z, y in zip(logits, targets, strict=True)])

    agrees(lambda: Asymmetric(COUNTS, groups=GROUPS, options=AsymmetricOptions(**options)), reference)


@pytest.mark.parametrize("marginals", [None, [1, 1, 2, 3, 5, 8, 0], [[9, 1, 0, 0, 0, 0, 0], [5, 0, 1, 1, 2, 1, 0]]])
@pytest.mark.parametrize("options", VARIANTS)
def test_the_expected_loss_is_flat_at_the_effective_prior(options: dict[str, Any], marginals: Any) -> None:
    """Where all tokens have the same logits, no change of them lowers what targets by `marginals` cost."""
    loss_of = Asymmetric(COUNTS, groups=GROUPS, options=AsymmetricOptions(**options))
    mass = np.atleast_2d(COUNTS if marginals is None else marginals).sum(axis=0).tolist()
    with np.errstate(divide="ignore"):
        logits = np.maximum(np.log(loss_of.effective_prior(marginals)), -1e4)

    def expected_loss(z: Array) -> float:
        return float(sum(m * token_loss(z, y, **options) for y, m in enumerate(mass) if m) / sum(mass))

    steps = 1e-4 * np.eye(TAGS)
    slopes = [(expected_loss(logits + step) - expected_loss(logits - step)) / 2e-4 for step in steps]
    np.testing.assert_allclose(slopes, 0, atol=1e-6)


def test_leaving_the_negatives_out_is_plain_cross_entropy() -> None:
    logits, targets = batch()
    plain, ours = (
        one.loss(logits, targets)
        for one in (CrossEntropy(COUNTS), Asymmetric(COUNTS, groups=GROUPS, options=AsymmetricOptions(margin=1)))
    )
    torch.testing.assert_close(ours, plain, rtol=1e-14, atol=0)
    slopes = [torch.autograd.grad(loss, logits)[0] for loss in (plain, ours)]
    torch.testing.assert_close(slopes[1], slopes[0], rtol=1e-12, atol=1e-15)


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
