"""MoM: the two parts of its formula, and the weighted cross-entropy that they are."""

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
from raretag.objectives.mom import MoM, MoMOptions

Array = npt.NDArray[np.float64]
Tags = npt.NDArray[np.int64]

# O, and B- and I- of three labels; the third has no I-
COUNTS = [60, 12, 20, 5, 2, 1, 0]
GROUPS = [0, 1, 1, 2, 2, 3, 3]
TAGS = len(COUNTS)
VARIANTS: list[dict[str, Any]] = [{}, {"share": 0.9, "ratio": 12}, {"share": 0.1, "ratio": 0.5}]


def log_softmax(logits: Array) -> Array:
    shifted = logits - logits.max()
    return np.asarray(shifted - np.log(np.exp(shifted).sum()))


def token_loss(logits: Array, target: int, *, share: float = 0.5, ratio: float = 1.0) -> float:
    own = -log_softmax(logits)[target]
    return float(share * own + (1 - share) * ratio * (target == 0) * own)


def batch() -> tuple[torch.Tensor, torch.Tensor]:
    """Random logits, and targets of seen tags, some of them ignored."""
    rng = np.random.default_rng(0)
    targets = rng.choice([0, 1, 2, 3, 4, 5, IGNORE_INDEX], 12)
    return torch.from_numpy(3 * rng.standard_normal((12, TAGS))).requires_grad_(), torch.from_numpy(targets)


@pytest.mark.parametrize("options", VARIANTS)
def test_it_agrees_with_numpy(agrees: Callable[..., None], options: dict[str, Any]) -> None:
    def reference(logits: Array, targets: Tags) -> Array:
        return np.array([token_loss(z, y, **options) for z, y in zip(logits, targets, strict=True)])

    agrees(lambda: MoM(COUNTS, groups=GROUPS, options=MoMOptions(**options)), reference)


@pytest.mark.parametrize("marginals", [None, [1, 1, 2, 3, 5, 8, 0], [[9, 1, 0, 0, 0, 0, 0], [5, 0, 1, 1, 2, 1, 0]]])
@pytest.mark.parametrize("options", VARIANTS)
def test_the_expected_loss_is_flat_at_the_effective_prior(options: dict[str, Any], marginals: Any) -> None:
    """Where all tokens have the same logits, no change of them lowers what targets by `marginals` cost."""
    loss_of = MoM(COUNTS, groups=GROUPS, options=MoMOptions(**options))
    mass = np.atleast_2d(COUNTS if marginals is None else marginals).sum(axis=0).tolist()
    with np.errstate(divide="ignore"):
        logits = np.maximum(np.log(loss_of.effective_prior(marginals)), -1e4)

    def expected_loss(z: Array) -> float:
        return float(sum(m * token_loss(z, y, **options) for y, m in enumerate(mass) if m) / sum(mass))

    steps = 1e-4 * np.eye(TAGS)
    slopes = [(expected_loss(logits + step) - expected_loss(logits - step)) / 2e-4 for step in steps]
    np.testing.assert_allclose(slopes, 0, atol=1e-6)


def test_share_one_is_plain_cross_entropy() -> None:
    logits, targets = batch()
    plain, ours = (
        one.loss(logits, targets)
        for one in (CrossEntropy(COUNTS), MoM(COUNTS, groups=GROUPS, options=MoMOptions(share=1, ratio=5)))
    )
    torch.testing.assert_close(ours, plain, rtol=1e-14, atol=0)
    slopes = [torch.autograd.grad(loss, logits)[0] for loss in (plain, ours)]
    torch.testing.assert_close(slopes[1], slopes[0], rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_it_is_the_published_sum_and_a_weighted_cross_entropy(share: float) -> None:
    """λ · mean of n tokens + (1 − λ) · sum over O / M, and λ times cross-entropy with 1 + (1 − λ)/λ · n/M for O."""
    logits, targets = (given.detach().numpy() for given in batch())
    kept = targets >= 0
    own = np.array([-log_softmax(z)[y] for z, y in zip(logits[kept], targets[kept], strict=True)])
    n, longest = int(kept.sum()), 4
    published = share * own.sum() / n + (1 - share) * own[targets[kept] == 0].sum() / longest
    weights = np.where(targets[kept] == 0, 1 + (1 - share) / share * n / longest, 1.0)
    mom = MoM(COUNTS, options=MoMOptions(share=share, ratio=n / longest))
    loss = mom.loss(*batch()).item()
    assert loss == pytest.approx(published, rel=1e-12)
    assert loss == pytest.approx(share * (weights * own).sum() / n, rel=1e-12)


def test_the_optimum_predicts_more_outside() -> None:
    prior = MoM([50, 30, 20], options=MoMOptions(share=0.5, ratio=2)).effective_prior()
    np.testing.assert_allclose(prior, [0.75, 0.15, 0.1])


@pytest.mark.parametrize("options", [{"share": 0}, {"share": 1.1}, {"ratio": 0}, {"ratio": float("inf")}])
def test_options_out_of_range_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=next(iter(options))):
        MoMOptions(**options)
