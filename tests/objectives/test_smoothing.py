"""Label smoothing: its targets, and which of its forms keep the marginals."""

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
from raretag.objectives.smoothing import LabelSmoothing, LabelSmoothingOptions

Array = npt.NDArray[np.float64]
Tags = npt.NDArray[np.int64]

# O, and B- and I- of three labels; the third has no I-
COUNTS = [60, 12, 20, 5, 2, 1, 0]
GROUPS = [0, 1, 1, 2, 2, 3, 3]
TAGS = len(COUNTS)
VARIANTS: list[dict[str, Any]] = [
    {"epsilon": epsilon, "towards": towards, "entities_only": entities_only}
    for epsilon in (0.1, 0.9)
    for towards in ("uniform", "prior")
    for entities_only in (False, True)
]


def log_softmax(logits: Array) -> Array:
    shifted = logits - logits.max()
    return np.asarray(shifted - np.log(np.exp(shifted).sum()))


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


def batch() -> tuple[torch.Tensor, torch.Tensor]:
    """Random logits, and targets of seen tags, some of them ignored."""
    rng = np.random.default_rng(0)
    targets = rng.choice([0, 1, 2, 3, 4, 5, IGNORE_INDEX], 12)
    return torch.from_numpy(3 * rng.standard_normal((12, TAGS))).requires_grad_(), torch.from_numpy(targets)


@pytest.mark.parametrize("options", VARIANTS)
def test_it_agrees_with_numpy(agrees: Callable[..., None], options: dict[str, Any]) -> None:
    def reference(logits: Array, targets: Tags) -> Array:
        return np.array([token_loss(z, y, **options) for z, y in zip(logits, targets, strict=True)])

    agrees(lambda: LabelSmoothing(COUNTS, groups=GROUPS, options=LabelSmoothingOptions(**options)), reference)


@pytest.mark.parametrize("marginals", [None, [1, 1, 2, 3, 5, 8, 0], [[9, 1, 0, 0, 0, 0, 0], [5, 0, 1, 1, 2, 1, 0]]])
@pytest.mark.parametrize("options", VARIANTS)
def test_the_expected_loss_is_flat_at_the_effective_prior(options: dict[str, Any], marginals: Any) -> None:
    """Where all tokens have the same logits, no change of them lowers what targets by `marginals` cost."""
    loss_of = LabelSmoothing(COUNTS, groups=GROUPS, options=LabelSmoothingOptions(**options))
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
        for one in (
            CrossEntropy(COUNTS),
            LabelSmoothing(COUNTS, groups=GROUPS, options=LabelSmoothingOptions(epsilon=0)),
        )
    )
    torch.testing.assert_close(ours, plain, rtol=1e-14, atol=0)
    slopes = [torch.autograd.grad(loss, logits)[0] for loss in (plain, ours)]
    torch.testing.assert_close(slopes[1], slopes[0], rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("options", VARIANTS)
def test_the_effective_prior_is_the_mean_of_the_targets(options: dict[str, Any]) -> None:
    mean = sum(n * smoothed_target(tag, **options) for tag, n in enumerate(COUNTS)) / 100
    smoothing = LabelSmoothing(COUNTS, groups=GROUPS, options=LabelSmoothingOptions(**options))
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
