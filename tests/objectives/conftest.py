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
from raretag.objectives.cross_entropy import CrossEntropy

Array = npt.NDArray[np.float64]
# the losses of tokens, (tokens,), from logits float64 (tokens, tags) and int64 targets (tokens,)
Reference = Callable[[Array, npt.NDArray[np.int64]], Array]

# O, and B- and I- of three labels; the third has no I-
COUNTS = [60, 12, 20, 5, 2, 1, 0]
GROUPS = [0, 1, 1, 2, 2, 3, 3]

# of training, of other tokens, and of two kinds of batches
MARGINALS: list[Any] = [None, [1, 1, 2, 3, 5, 8, 0], [[9, 1, 0, 0, 0, 0, 0], [5, 0, 1, 1, 2, 1, 0]]]

# how the logits of a case are drawn
SCALES = {"ordinary": 2.0, "flat": 0.0, "far": 30.0}


def log_softmax(logits: Array) -> Array:
    """Of each row, or of one."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)))


def by_token(token_loss: Callable[..., float], *args: Any, **options: Any) -> Reference:
    """The reference of a loss that is told for one token: `token_loss(logits, target, ...)`."""

    def reference(logits: Array, targets: npt.NDArray[np.int64]) -> Array:
        return np.array([token_loss(z, y, *args, **options) for z, y in zip(logits, targets, strict=True)])

    return reference


@pytest.fixture
def batch() -> tuple[Tensor, Tensor]:
    """Random logits, and targets of seen tags, some of them ignored."""
    rng = np.random.default_rng(0)
    targets = rng.choice([0, 1, 2, 3, 4, 5, IGNORE_INDEX], 12)
    return torch.from_numpy(3 * rng.standard_normal((12, len(COUNTS)))).requires_grad_(), torch.from_numpy(targets)


@pytest.fixture
def is_cross_entropy(batch: tuple[Tensor, Tensor]) -> Callable[[Objective[Any]], None]:
    """Whether an objective of COUNTS has the value and the gradient of plain cross-entropy."""

    def check(objective: Objective[Any]) -> None:
        logits, targets = batch
        plain, ours = (one.loss(logits, targets) for one in (CrossEntropy(COUNTS), objective))
        torch.testing.assert_close(ours, plain, rtol=1e-14, atol=0)
        slopes = [torch.autograd.grad(loss, logits)[0] for loss in (plain, ours)]
        torch.testing.assert_close(slopes[1], slopes[0], rtol=1e-12, atol=1e-15)

    return check


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
def follows(agrees: Callable[..., None]) -> Callable[[Callable[[], Objective[Any]], Reference], None]:
    """Whether `make()`, of COUNTS, agrees with a reference, and its effective prior is where the reference is flat."""

    def check(make: Callable[[], Objective[Any]], reference: Reference) -> None:
        agrees(make, reference)
        for marginals in MARGINALS:
            check_flat(make(), reference, marginals)

    return check


def check_flat(objective: Objective[Any], reference: Reference, marginals: Any) -> None:
    """Where all tokens have the same logits, no change of them lowers what targets by `marginals` cost."""
    mass = np.atleast_2d(COUNTS if marginals is None else marginals).sum(axis=0)
    tags = np.flatnonzero(mass)
    with np.errstate(divide="ignore"):
        logits = np.maximum(np.log(objective.effective_prior(marginals)), -1e4)

    def expected_loss(z: Array) -> float:
        return float(np.average(reference(np.tile(z, (len(tags), 1)), tags), weights=mass[tags]))

    steps = 1e-4 * np.eye(len(mass))
    slopes = [(expected_loss(logits + step) - expected_loss(logits - step)) / 2e-4 for step in steps]
    np.testing.assert_allclose(slopes, 0, atol=1e-6, err_msg=f"marginals {marginals}")


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
