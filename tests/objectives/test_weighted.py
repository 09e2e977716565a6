"""Weighted cross-entropy: each class with its own weights, and the optimum that they give."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from raretag.objectives.weighted import (
    CappedOptions,
    EffectiveNumber,
    EffectiveNumberOptions,
    InverseCount,
    InverseSqrt,
    OneMinusShare,
    PowerOptions,
    PowerWeighted,
    TiedOptions,
    Weighted,
    WeLT,
)

from .conftest import COUNTS, GROUPS, Array, by_token, log_softmax

TAGS = len(COUNTS)
# tokens of each tag's label
TIED = [60, 32, 32, 7, 7, 1, 1]
Family = type[Weighted[Any]]
VARIANTS: list[tuple[Family, Any, list[float]]] = [
    (PowerWeighted, PowerOptions(), [n**-0.5 for n in TIED]),
    (PowerWeighted, PowerOptions(gamma=2, cap=3), [min((60 / n) ** 2, 3) for n in TIED]),
    (PowerWeighted, PowerOptions(gamma=0.25, tie=False), [n**-0.25 if n else 0 for n in COUNTS]),
    (InverseCount, CappedOptions(), [min(60 / n, 10) for n in TIED]),
    (InverseCount, CappedOptions(cap=100, tie=False), [1 / n if n else 0 for n in COUNTS]),
    (InverseSqrt, CappedOptions(), [n**-0.5 for n in TIED]),
    (InverseSqrt, CappedOptions(cap=2, tie=False), [min((60 / n) ** 0.5, 2) if n else 0 for n in COUNTS]),
    (EffectiveNumber, EffectiveNumberOptions(cap=1e9), [0.001 / (1 - 0.999**n) for n in TIED]),
    (EffectiveNumber, EffectiveNumberOptions(beta=0.9, tie=False), [0.1 / (1 - 0.9**n) if n else 0 for n in COUNTS]),
    (WeLT, TiedOptions(), [np.exp(1 - n / 100) for n in TIED]),
    (WeLT, TiedOptions(tie=False), [np.exp(1 - n / 100) for n in COUNTS]),
    (OneMinusShare, TiedOptions(), [1 - n / 100 for n in TIED]),
    (OneMinusShare, TiedOptions(tie=False), [1 - n / 100 for n in COUNTS]),
]


def token_loss(logits: Array, target: int, ratios: list[float]) -> float:
    scale = 100 / sum(n * ratio for n, ratio in zip(COUNTS, ratios, strict=True))
    # a tag that training never saw has no weight
    return float((COUNTS[target] > 0) * scale * ratios[target] * -log_softmax(logits)[target])


@pytest.mark.parametrize(("family", "options", "ratios"), VARIANTS)
def test_loss_gradient_and_prior_are_those_of_the_formula(
    follows: Callable[..., None], family: Family, options: Any, ratios: list[float]
) -> None:
    follows(lambda: family(COUNTS, groups=GROUPS, options=options), by_token(token_loss, ratios))


@pytest.mark.parametrize(
    ("family", "options"),
    [
        (PowerWeighted, PowerOptions(gamma=0)),
        (PowerWeighted, PowerOptions(cap=1)),
        (InverseCount, CappedOptions(cap=1)),
        (InverseSqrt, CappedOptions(cap=1)),
        (EffectiveNumber, EffectiveNumberOptions(beta=0)),
    ],
)
def test_equal_weights_are_plain_cross_entropy(
    is_cross_entropy: Callable[..., None], family: Family, options: Any
) -> None:
    is_cross_entropy(family(COUNTS, groups=GROUPS, options=options))


@pytest.mark.parametrize(("family", "options", "ratios"), VARIANTS)
def test_the_optimum_under_random_labels_has_weighted_marginals(
    family: Family, options: Any, ratios: list[float]
) -> None:
    weighted = family(COUNTS, groups=GROUPS, options=options)
    mass = np.array(COUNTS) * ratios
    np.testing.assert_allclose(weighted.effective_prior(), mass / mass.sum())
    # a training token weighs 1 on average
    assert (weighted.weights * COUNTS).sum() == pytest.approx(100)
    others = np.array([[1, 2, 3, 4, 5, 6, 0], [7, 0, 0, 0, 0, 0, 0]])
    mass = others.sum(axis=0) * ratios
    np.testing.assert_allclose(weighted.effective_prior(others), mass / mass.sum())


def test_a_tag_that_training_never_saw_has_no_weight() -> None:
    logits = torch.zeros(2, TAGS, dtype=torch.float64)
    assert WeLT(COUNTS, groups=GROUPS).loss(logits, torch.tensor([6, 6])).item() == 0


@pytest.mark.parametrize(
    ("options", "given"),
    [
        (PowerOptions, {"gamma": -0.1}),
        (PowerOptions, {"gamma": 2.1}),
        (PowerOptions, {"cap": 0.9}),
        (CappedOptions, {"cap": float("inf")}),
        (EffectiveNumberOptions, {"beta": 1}),
        (EffectiveNumberOptions, {"beta": -0.1}),
        (TiedOptions, {"tie": "perhaps"}),
        (TiedOptions, {"cap": 3}),
    ],
)
def test_options_out_of_range_are_refused(options: type[TiedOptions], given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=next(iter(given))):
        options(**given)
