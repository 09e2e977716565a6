"""Checks that the tests of several objectives share: against a plain reference, and of a model without text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor

from raretag.objectives.base import IGNORE_INDEX, Objective

Array = npt.NDArray[np.float64]
# the losses of tokens, (tokens,), from logits float64 (tokens, tags) and int64 targets (tokens,)
Reference = Callable[[Array, npt.NDArray[np.int64]], Array]

# how the logits of a case are drawn
SCALES = {"ordinary": 2.0, "flat": 0.0, "far": 30.0}


@pytest.fixture
def agrees() -> Callable[..., None]:
    """Whether `make()`, a new objective each time, has the values and gradients of a reference."""

    def check(
        make: Callable[[], Objective[Any]], reference: Reference, *, precise: float = 1e-9, held: bool = False
    ) -> None:
        """precise: to how much a float64 loss is that of the reference.

        held: a part of the loss is a constant for its gradient, so that differences are taken elsewhere.
        """
        tags = len(make().counts)
        generator = np.random.default_rng(0)
        for scale in SCALES.values():
            logits = scale * generator.standard_normal((12, tags))
            # every tag, also one that training never saw
            targets = np.arange(12) % tags
            check_values(make, reference, logits, targets, precise=precise)
        check_values(make, reference, logits[:1], targets[:1], precise=precise)
        check_values(make, reference, np.where(generator.random((12, tags)) < 0.5, -1e4, 1e4), targets, precise=precise)
        check_values(make, reference, logits, np.zeros(12, dtype=np.int64), precise=precise)
        check_half_precision(make, reference)
        if not held:
            check_gradients(make, reference)

    return check


def check_values(
    make: Callable[[], Objective[Any]],
    reference: Reference,
    logits: Array,
    targets: npt.NDArray[np.int64],
    *,
    precise: float,
) -> None:
    expected = reference(logits, targets)
    known = torch.from_numpy(targets)
    # a float32 logit of 10⁴ is a multiple of 0.001
    rounded = 2e-5 + 2e-7 * np.abs(logits).max()
    for dtype, precision in ((torch.float64, precise), (torch.float32, rounded)):
        given = torch.from_numpy(logits).to(dtype).requires_grad_()
        losses = make().token_losses(given, known)
        np.testing.assert_allclose(losses.detach().numpy(), expected, rtol=precision, atol=precision)
        loss = make().loss(given, known)
        np.testing.assert_allclose(loss.item(), expected.mean(), rtol=precision, atol=precision)
        (gradient,) = torch.autograd.grad(loss, given)
        assert torch.isfinite(gradient).all()
    # ignored tokens, whatever they hold, and another shape
    wide = torch.cat([torch.from_numpy(logits), torch.full((len(logits), logits.shape[1]), torch.nan)])
    mixed = torch.cat([known, torch.full_like(known, IGNORE_INDEX)])
    np.testing.assert_allclose(make().loss(wide, mixed).item(), expected.mean(), rtol=precise, atol=precise)
    assert make().loss(wide, torch.full_like(mixed, IGNORE_INDEX)).item() == 0


def check_half_precision(make: Callable[[], Objective[Any]], reference: Reference) -> None:
    tags = len(make().counts)
    for dtype in (torch.float16, torch.bfloat16):
        rounded = torch.randn(6, tags, generator=torch.Generator().manual_seed(1)).to(dtype)
        targets = np.arange(6) % tags
        loss = make().loss(rounded, torch.from_numpy(targets))
        assert loss.dtype == torch.float32
        expected = reference(rounded.double().numpy(), targets).mean()
        np.testing.assert_allclose(loss.item(), expected, rtol=2e-5, atol=2e-6)


def check_gradients(make: Callable[[], Objective[Any]], reference: Reference) -> None:
    tags = len(make().counts)
    logits = np.random.default_rng(2).standard_normal((5, tags))
    targets = np.arange(5) % tags
    given = torch.from_numpy(logits).requires_grad_()
    (gradient,) = torch.autograd.grad(make().loss(given, torch.from_numpy(targets)), given)
    np.testing.assert_allclose(gradient.numpy(), slopes(reference, logits, targets), rtol=1e-6, atol=1e-6)

    def loss(values: Tensor) -> Tensor:
        return make().loss(values, torch.from_numpy(targets))

    assert torch.autograd.gradcheck(loss, (given,))


def slopes(reference: Reference, logits: Array, targets: npt.NDArray[np.int64], *, by: float = 1e-5) -> Array:
    """Central differences of the mean loss, of the shape of the logits."""
    found = np.zeros_like(logits)
    for place in np.ndindex(*logits.shape):
        step = np.zeros_like(logits)
        step[place] = by
        found[place] = (reference(logits + step, targets) - reference(logits - step, targets)).mean() / (2 * by)
    return found


@pytest.fixture
def learned() -> Callable[..., Array]:
    """What biases alone learn by gradient descent from 0, where every token's tag is drawn from marginals."""

    def train(
        objective: Objective[Any], percent: list[int], *, steps: int = 400, rate: float = 1.0, tokens: int = 100
    ) -> Array:
        """percent: how many of `tokens` tokens have each tag; a tag with none keeps a logit of −10⁴."""
        targets = torch.repeat_interleave(torch.arange(len(percent)), torch.tensor(percent))
        assert len(targets) == tokens
        present = torch.tensor(percent) > 0
        biases = torch.where(present, 0.0, -1e4).double().requires_grad_()
        for _ in range(steps):
            (gradient,) = torch.autograd.grad(objective.loss(biases.expand(tokens, -1), targets), biases)
            with torch.no_grad():
                biases -= rate * torch.where(present, gradient, 0.0)
        return np.asarray(torch.softmax(biases.detach(), dim=0).numpy())

    return train
