"""Weighted cross-entropy: each class with its own weights, and the optimum that they give."""

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

Array = npt.NDArray[np.float64]
Tags = npt.NDArray[np.int64]

# O, and B- and I- of three labels; the third has no I-
COUNTS = [60, 12, 20, 5, 2, 1, 0]
GROUPS = [0, 1, 1, 2, 2, 3, 3]
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


def log_softmax(logits: Array) -> Array:
    shifted = logits - logits.max()
    return np.asarray(shifted - np.log(np.exp(shifted).sum()))


def token_loss(logits: Array, target: int, ratios: list[float]) -> float:
    scale = 100 / sum(n * ratio for n, ratio in zip(COUNTS, ratios, strict=True))
    # a tag that training never saw has no weight
    return float((COUNTS[target] > 0) * scale * ratios[target] * -log_softmax(logits)[target])


def batch() -> tuple[torch.Tensor, torch.Tensor]:
    """Random logits, and targets of seen tags, some of them ignored."""
    rng = np.random.default_rng(0)
    targets = rng.choice([0, 1, 2, 3, 4, 5, IGNORE_INDEX], 12)
    return torch.from_numpy(3 * rng.standard_normal((12, TAGS))).requires_grad_(), torch.from_numpy(targets)


@pytest.mark.parametrize(("family", "options", "ratios"), VARIANTS)
def test_it_agrees_with_numpy(agrees: Callable[..., None], family: Family, options: Any, ratios: list[float]) -> None:
    def reference(logits: Array, targets: Tags) -> Array:
        return np.array([token_loss(z, y, ratios) for z, y in zip(logits, targets, strict=True)])

    agrees(lambda: family(COUNTS, groups=GROUPS, options=options), reference)


@pytest.mark.parametrize("marginals", [None, [1, 1, 2, 3, 5, 8, 0], [[9, 1, 0, 0, 0, 0, 0], [5, 0, 1, 1, 2, 1, 0]]])
@pytest.mark.parametrize(("family", "options", "ratios"), VARIANTS)
def test_the_expected_loss_is_flat_at_the_effective_prior(
    family: Family, options: Any, ratios: list[float], marginals: Any
) -> None:
    """Where all tokens have the same logits, no change of them lowers what targets by `marginals` cost."""
    loss_of = family(COUNTS, groups=GROUPS, options=options)
    mass = np.atleast_2d(COUNTS if marginals is None else marginals).sum(axis=0).tolist()
    with np.errstate(divide="ignore"):
        logits = np.maximum(np.log(loss_of.effective_prior(marginals)), -1e4)

    def expected_loss(z: Array) -> float:
        return float(sum(m * token_loss(z, y, ratios) for y, m in enumerate(mass) if m) / sum(mass))

    steps = 1e-4 * np.eye(TAGS)
    slopes = [(expected_loss(logits + step) - expected_loss(logits - step)) / 2e-4 for step in steps]
    np.testing.assert_allclose(slopes, 0, atol=1e-6)


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
def test_equal_weights_are_plain_cross_entropy(family: Family, options: Any) -> None:
    logits, targets = batch()
    plain, ours = (
        one.loss(logits, targets) for one in (CrossEntropy(COUNTS), family(COUNTS, groups=GROUPS, options=options))
    )
    torch.testing.assert_close(ours, plain, rtol=1e-14, atol=0)
    slopes = [torch.autograd.grad(loss, logits)[0] for loss in (plain, ours)]
    torch.testing.assert_close(slopes[1], slopes[0], rtol=1e-12, atol=1e-15)


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
