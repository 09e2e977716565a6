"""Focal loss: its formula, its p, and the flatter optimum that it has."""

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
from raretag.objectives.focal import Focal, FocalOptions

Array = npt.NDArray[np.float64]
Tags = npt.NDArray[np.int64]

# O, and B- and I- of three labels; the third has no I-
COUNTS = [60, 12, 20, 5, 2, 1, 0]
GROUPS = [0, 1, 1, 2, 2, 3, 3]
TAGS = len(COUNTS)
VARIANTS: list[dict[str, Any]] = [
    {},
    {"gamma": 0.5},
    {"gamma": 10},
    {"gamma": 1, "alpha": 0.5},
    {"gamma": 0, "alpha": 1},
]


def log_softmax(logits: Array) -> Array:
    shifted = logits - logits.max()
    return np.asarray(shifted - np.log(np.exp(shifted).sum()))


def token_loss(logits: Array, target: int, *, gamma: float = 2.0, alpha: float = 0.0) -> float:
    # tokens of the label, both tags together
    n = np.array([60, 32, 32, 7, 7, 1, 1.0])
    weights = np.minimum((n / 60) ** -alpha, 10)
    weights = weights * (np.array(COUNTS) > 0) * 100 / (weights * COUNTS).sum()
    log_p = log_softmax(logits)
    others = np.exp(np.delete(log_p, target)).sum()
    return float(weights[target] * others**gamma * -log_p[target])


def batch() -> tuple[torch.Tensor, torch.Tensor]:
    """Random logits, and targets of seen tags, some of them ignored."""
    rng = np.random.default_rng(0)
    targets = rng.choice([0, 1, 2, 3, 4, 5, IGNORE_INDEX], 12)
    return torch.from_numpy(3 * rng.standard_normal((12, TAGS))).requires_grad_(), torch.from_numpy(targets)


@pytest.mark.parametrize("options", VARIANTS)
def test_it_agrees_with_numpy(agrees: Callable[..., None], options: dict[str, Any]) -> None:
    def reference(logits: Array, targets: Tags) -> Array:
        return np.array([token_loss(z, y, **options) for z, y in zip(logits, targets, strict=True)])

    agrees(lambda: Focal(COUNTS, groups=GROUPS, options=FocalOptions(**options)), reference)


@pytest.mark.parametrize("marginals", [None, [1, 1, 2, 3, 5, 8, 0], [[9, 1, 0, 0, 0, 0, 0], [5, 0, 1, 1, 2, 1, 0]]])
@pytest.mark.parametrize("options", VARIANTS)
def test_the_expected_loss_is_flat_at_the_effective_prior(options: dict[str, Any], marginals: Any) -> None:
    """Where all tokens have the same logits, no change of them lowers what targets by `marginals` cost."""
    loss_of = Focal(COUNTS, groups=GROUPS, options=FocalOptions(**options))
    mass = np.atleast_2d(COUNTS if marginals is None else marginals).sum(axis=0).tolist()
    with np.errstate(divide="ignore"):
        logits = np.maximum(np.log(loss_of.effective_prior(marginals)), -1e4)

    def expected_loss(z: Array) -> float:
        return float(sum(m * token_loss(z, y, **options) for y, m in enumerate(mass) if m) / sum(mass))

    steps = 1e-4 * np.eye(TAGS)
    slopes = [(expected_loss(logits + step) - expected_loss(logits - step)) / 2e-4 for step in steps]
    np.testing.assert_allclose(slopes, 0, atol=1e-6)


def test_gamma_zero_is_plain_cross_entropy() -> None:
    logits, targets = batch()
    plain, ours = (
        one.loss(logits, targets)
        for one in (CrossEntropy(COUNTS), Focal(COUNTS, groups=GROUPS, options=FocalOptions(gamma=0)))
    )
    torch.testing.assert_close(ours, plain, rtol=1e-14, atol=0)
    slopes = [torch.autograd.grad(loss, logits)[0] for loss in (plain, ours)]
    torch.testing.assert_close(slopes[1], slopes[0], rtol=1e-12, atol=1e-15)


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
