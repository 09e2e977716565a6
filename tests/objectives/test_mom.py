"""MoM: the two parts of its formula, and the weighted cross-entropy that they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from raretag.objectives.mom import MoM, MoMOptions

from .conftest import COUNTS, GROUPS, Array, by_token, log_softmax

VARIANTS: list[dict[str, Any]] = [{}, {"share": 0.9, "ratio": 12}, {"share": 0.1, "ratio": 0.5}]


def token_loss(logits: Array, target: int, *, share: float = 0.5, ratio: float = 1.0) -> float:
    own = -log_softmax(logits)[target]
    return float(share * own + (1 - share) * ratio * (target == 0) * own)


def build(**options: Any) -> MoM:
    return MoM(COUNTS, groups=GROUPS, options=MoMOptions(**options))


@pytest.mark.parametrize("options", VARIANTS)
def test_loss_gradient_and_prior_are_those_of_the_formula(
    follows: Callable[..., None], options: dict[str, Any]
) -> None:
    follows(lambda: build(**options), by_token(token_loss, **options))


def test_share_one_is_plain_cross_entropy(is_cross_entropy: Callable[..., None]) -> None:
    is_cross_entropy(build(share=1, ratio=5))


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_it_is_the_published_sum_and_a_weighted_cross_entropy(
    batch: tuple[torch.Tensor, torch.Tensor], share: float
) -> None:
    """λ · mean of n tokens + (1 − λ) · sum over O / M, and λ times cross-entropy with 1 + (1 − λ)/λ · n/M for O."""
    logits, targets = (given.detach().numpy() for given in batch)
    kept = targets >= 0
    own = np.array([-log_softmax(z)[y] for z, y in zip(logits[kept], targets[kept], strict=True)])
    n, longest = int(kept.sum()), 4
    published = share * own.sum() / n + (1 - share) * own[targets[kept] == 0].sum() / longest
    weights = np.where(targets[kept] == 0, 1 + (1 - share) / share * n / longest, 1.0)
    mom = MoM(COUNTS, options=MoMOptions(share=share, ratio=n / longest))
    loss = mom.loss(*batch).item()
    assert loss == pytest.approx(published, rel=1e-12)
    assert loss == pytest.approx(share * (weights * own).sum() / n, rel=1e-12)


def test_the_optimum_predicts_more_outside() -> None:
    prior = MoM([50, 30, 20], options=MoMOptions(share=0.5, ratio=2)).effective_prior()
    np.testing.assert_allclose(prior, [0.75, 0.15, 0.1])


@pytest.mark.parametrize("options", [{"share": 0}, {"share": 1.1}, {"ratio": 0}, {"ratio": float("inf")}])
def test_options_out_of_range_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=next(iter(options))):
        MoMOptions(**options)
