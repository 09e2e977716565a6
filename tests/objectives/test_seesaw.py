"""Seesaw among labels: both factors by hand, O exempt both ways, and a gradient with the compensation held."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
import torch

from raretag.objectives.combined import Combined
from raretag.objectives.cross_entropy import CrossEntropy
from raretag.objectives.regularisers import PriorKL, PriorKLOptions
from raretag.objectives.seesaw import Seesaw, SeesawOptions

Array = npt.NDArray[np.float64]

COUNTS = [60, 12, 20, 5, 2, 1, 0]
GROUPS = [0, 1, 1, 2, 2, 3, 3]
TOGETHER = [60, 32, 32, 7, 7, 1, 1]


def formula(
    logits: Array, targets: npt.NDArray[np.int64], *, p: float = 0.8, q: float = 2.0, held: Array | None = None
) -> Array:
    """held: the logits that compensation goes by."""
    losses = []
    for z, source, i in zip(logits, logits if held is None else held, targets, strict=True):
        exponents = []
        for j in range(len(z)):
            factor = 0.0
            if GROUPS[i] and GROUPS[j] and GROUPS[i] != GROUPS[j]:
                factor += min(0.0, p * np.log(TOGETHER[j] / TOGETHER[i]))
                factor += max(0.0, q * (source[j] - source[i]))
            exponents.append(z[j] + factor)
        top = max(exponents)
        losses.append(np.log(np.exp(np.array(exponents) - top).sum()) + top - z[i])
    return np.array(losses)


@pytest.mark.parametrize("given", [{}, {"p": 0.3, "q": 0.5}, {"p": 0.0}, {"q": 0.0}])
def test_it_is_its_formula(given: dict[str, float], agrees: Callable[..., None]) -> None:
    options = SeesawOptions(**given)
    agrees(
        lambda: Seesaw(COUNTS, groups=GROUPS, options=options),
        lambda z, y: formula(z, y, p=options.p, q=options.q),
        held=True,
    )


def test_the_gradient_holds_the_compensation() -> None:
    logits = np.random.default_rng(0).standard_normal((14, 7))
    targets = np.arange(14) % 7
    given = torch.from_numpy(logits).requires_grad_()
    (gradient,) = torch.autograd.grad(Seesaw(COUNTS, groups=GROUPS).loss(given, torch.from_numpy(targets)), given)
    for place in np.ndindex(*logits.shape):
        step = np.zeros_like(logits)
        step[place] = 1e-5
        above, below = (formula(each, targets, held=logits).mean() for each in (logits + step, logits - step))
        assert gradient[place].item() == pytest.approx((above - below) / 2e-5, abs=1e-6)


def test_without_factors_it_is_cross_entropy() -> None:
    logits = torch.randn(14, 7, generator=torch.Generator().manual_seed(0)).requires_grad_()
    tags = torch.arange(14) % 7
    losses = [
        each.loss(logits, tags)
        for each in (Seesaw(COUNTS, groups=GROUPS, options=SeesawOptions(p=0, q=0)), CrossEntropy(COUNTS))
    ]
    torch.testing.assert_close(*losses, rtol=0, atol=0)
    torch.testing.assert_close(*(torch.autograd.grad(loss, logits)[0] for loss in losses), rtol=0, atol=0)


def loss_of(tag: int, logits: list[float], *, p: float, q: float) -> float:
    options = SeesawOptions(p=p, q=q)
    return Seesaw(COUNTS, groups=GROUPS, options=options).loss(torch.tensor([logits]), torch.tensor([tag])).item()


@pytest.mark.parametrize("p", [0.0, 0.8])
def test_compensation_is_there(p: float) -> None:
    """A published re-implementation lacks it. A rare label's token is taken for a frequent label."""
    mistaken = [0.0, 2.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    assert loss_of(5, mistaken, p=p, q=2.0) > loss_of(5, mistaken, p=p, q=0.0) + 1


def test_a_frequent_label_pushes_a_rare_one_less_and_not_the_other_way_round() -> None:
    flat = [0.0] * 7
    assert loss_of(1, flat, p=0.8, q=0.0) < loss_of(1, flat, p=0.0, q=0.0) - 0.1
    # as every other label is more frequent, or it is its own I-
    assert loss_of(5, flat, p=0.8, q=0.0) == loss_of(5, flat, p=0.0, q=0.0)


def test_outside_and_the_other_tag_of_a_label_are_exempt() -> None:
    for tag, other in ((0, 1), (0, 5), (1, 0), (5, 0), (1, 2), (2, 1), (3, 4)):
        mistaken = [-50.0] * 7
        mistaken[tag], mistaken[other] = 0.0, 3.0
        assert loss_of(tag, mistaken, p=0.8, q=2.0) == pytest.approx(np.log1p(np.exp(3)))


@pytest.mark.parametrize("given", [{}, {"q": 0.0}, {"p": 2.0, "q": 4.0}])
@pytest.mark.parametrize("percent", [[60, 12, 20, 5, 2, 1, 0], [30, 20, 20, 10, 5, 15, 0], [50, 0, 20, 30, 0, 0, 0]])
def test_the_prior_is_what_is_learned_without_text(
    percent: list[int], given: dict[str, float], learned: Callable[..., Array]
) -> None:
    objective = Seesaw(COUNTS, groups=GROUPS, options=SeesawOptions(**given))
    expected = objective.effective_prior(percent)
    np.testing.assert_allclose(learned(objective, percent), expected, atol=1e-3)
    assert np.abs(expected - np.array(percent) / 100).max() > 1e-3


def test_beside_a_regulariser_the_prior_is_near() -> None:
    """An approximation, as compensation is held; with no strength it is exact."""
    seesaw = Seesaw(COUNTS, groups=GROUPS)
    without = Combined(seesaw, [PriorKL(COUNTS, options=PriorKLOptions(strength=0))])
    np.testing.assert_allclose(without.effective_prior(), seesaw.effective_prior(), atol=1e-6)
