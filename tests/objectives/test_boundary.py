"""Boundary smoothing: the targets it gives, against a loop over tokens, and what exchanging mass keeps."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from pydantic import ValidationError
from torch import Tensor

from raretag.objectives.base import IGNORE_INDEX
from raretag.objectives.boundary import BoundarySmoothing, BoundarySmoothingOptions
from raretag.objectives.cross_entropy import CrossEntropy

Array = npt.NDArray[np.float64]
Tags = npt.NDArray[np.int64]

COUNTS = [50, 10, 20, 5, 5]
BIO = [0, 1, 1, 2, 2]
IO = [0, 1, 2, 3, 4]
TAGS = len(COUNTS)
OUT, B_X, I_X, B_Y, I_Y = range(TAGS)

ROWS = arrays(
    np.int64,
    array_shapes(min_dims=1, max_dims=3, max_side=9),
    # every third is outside: boundaries and runs alike
    elements=st.sampled_from([OUT, OUT, B_X, I_X, I_X, B_Y, I_Y, IGNORE_INDEX]),
)
CHOICES = {"epsilon": st.floats(0, 1), "size": st.sampled_from([1, 2])}


def smoothing(*, groups: list[int] = BIO, **options: Any) -> BoundarySmoothing:
    return BoundarySmoothing(COUNTS, groups=groups, options=BoundarySmoothingOptions(**options))


def smoothed_targets(row: list[int], *, groups: list[int], epsilon: float, size: int) -> Array:
    """Targets (tokens, tags) of one row; zeros where a token has none."""
    mentions: list[int | None] = []
    for place, tag in enumerate(row):
        before = row[place - 1] if place else IGNORE_INDEX
        if tag in (OUT, IGNORE_INDEX):
            mentions.append(None)
        elif before in (OUT, IGNORE_INDEX) or groups[before] != groups[tag] or (groups == BIO and tag in (B_X, B_Y)):
            mentions.append(place)
        else:
            mentions.append(mentions[-1])
    targets = np.array([[float(tag == one) for one in range(TAGS)] for tag in row])
    for t in range(len(row) - 1):
        if mentions[t] == mentions[t + 1]:
            continue
        for d in range(1, size + 1):
            first, last = t - d + 1, t + d
            if first < 0 or last >= len(row) or IGNORE_INDEX in row[first : last + 1]:
                continue
            for giver, other in ((first, last), (last, first)):
                targets[giver, row[giver]] -= epsilon / (4 * size)
                targets[giver, row[other]] += epsilon / (4 * size)
    return targets


def random_logits(shape: tuple[int, ...], *, seed: int = 0) -> Tensor:
    return torch.from_numpy(3 * np.random.default_rng(seed).standard_normal((*shape, TAGS))).requires_grad_()


def learned_targets(objective: BoundarySmoothing, tags: Tags) -> Array:
    """What the gradient says the targets are, (..., tags): p − ∂ℓ/∂z."""
    logits = random_logits(tags.shape)
    judged = torch.from_numpy(tags != IGNORE_INDEX)
    (slope,) = torch.autograd.grad(objective.loss(logits, torch.from_numpy(tags), items=1), logits)
    return np.asarray((judged[..., None] * torch.softmax(logits.detach(), dim=-1) - slope).numpy())


@given(tags=ROWS, groups=st.sampled_from([BIO, IO]), **CHOICES)
@settings(deadline=None, derandomize=True)
def test_values_and_targets_agree_with_a_loop(tags: Tags, groups: list[int], epsilon: float, size: int) -> None:
    objective = smoothing(groups=groups, epsilon=epsilon, size=size)
    rows = tags.reshape(-1, tags.shape[-1])
    targets = np.stack(
        [smoothed_targets(row.tolist(), groups=groups, epsilon=epsilon, size=size) for row in rows]
    ).reshape(*tags.shape, TAGS)
    assert (targets >= -1e-12).all()
    logits = random_logits(tags.shape)
    z = logits.detach().numpy()
    log_p = z - z.max(axis=-1, keepdims=True)
    log_p = log_p - np.log(np.exp(log_p).sum(axis=-1, keepdims=True))
    expected = -(targets * log_p).sum() / max((tags != IGNORE_INDEX).sum(), 1)
    assert objective.loss(logits, torch.from_numpy(tags)).item() == pytest.approx(expected, rel=1e-9, abs=1e-12)
    np.testing.assert_allclose(learned_targets(objective, tags), targets, atol=1e-12)


@given(tags=ROWS, **CHOICES)
@settings(deadline=None, derandomize=True)
def test_the_marginals_are_kept_in_every_row(tags: Tags, epsilon: float, size: int) -> None:
    targets = learned_targets(smoothing(epsilon=epsilon, size=size), tags)
    counts = (tags[..., None] == np.arange(TAGS)).sum(axis=-2)
    np.testing.assert_allclose(targets.sum(axis=-2), counts, atol=1e-12)


def test_a_mention_among_others_by_hand() -> None:
    row = np.array([OUT, B_X, I_X, OUT, OUT])
    # a quarter of 0.2 across (0, 1) and (2, 3)
    expected = np.eye(TAGS)[row]
    expected[0, [OUT, B_X]] = expected[1, [B_X, OUT]] = expected[2, [I_X, OUT]] = expected[3, [OUT, I_X]] = 0.95, 0.05
    np.testing.assert_allclose(learned_targets(smoothing(epsilon=0.2), row), expected, atol=1e-12)


def test_a_token_between_two_boundaries_gives_twice() -> None:
    row = np.array([OUT, B_X, B_Y, OUT])
    targets = learned_targets(smoothing(epsilon=1), row)
    np.testing.assert_allclose(targets[1], [0.25, 0.5, 0, 0.25, 0], atol=1e-12)
    np.testing.assert_allclose(targets[2], [0.25, 0.25, 0, 0.5, 0], atol=1e-12)


def test_two_tokens_on_either_side() -> None:
    targets = learned_targets(smoothing(epsilon=0.8, size=2), np.array([OUT, OUT, B_X, I_X, I_X, I_X]))
    # token 0 with token 3, token 1 with token 2; the end of the row is no boundary
    np.testing.assert_allclose(targets[:4, OUT], [0.9, 0.9, 0.1, 0.1], atol=1e-12)
    np.testing.assert_allclose(targets[[0, 1], [I_X, B_X]], 0.1, atol=1e-12)
    np.testing.assert_allclose(targets[4:, I_X], 1, atol=1e-12)


@pytest.mark.parametrize("size", [1, 2])
@pytest.mark.parametrize(
    "row",
    [
        [OUT, OUT, OUT, OUT],
        [B_X, I_X, I_X, I_X],
        [OUT, IGNORE_INDEX, B_X, I_X],
        [IGNORE_INDEX, B_X, IGNORE_INDEX, OUT],
        [B_X],
    ],
)
def test_without_a_boundary_it_is_plain_cross_entropy(row: list[int], size: int) -> None:
    tags = torch.tensor(row)
    logits = random_logits((len(row),))
    expected = CrossEntropy(COUNTS).loss(logits, tags)
    torch.testing.assert_close(smoothing(epsilon=1, size=size).loss(logits, tags), expected)


@pytest.mark.parametrize("size", [1, 2])
def test_epsilon_zero_is_plain_cross_entropy(size: int) -> None:
    tags = torch.tensor([[OUT, B_X, I_X, B_Y, OUT], [B_X, B_X, OUT, IGNORE_INDEX, OUT]])
    logits = random_logits((2, 5))
    plain, ours = (one.loss(logits, tags) for one in (CrossEntropy(COUNTS), smoothing(epsilon=0, size=size)))
    torch.testing.assert_close(ours, plain, rtol=1e-14, atol=0)
    slopes = [torch.autograd.grad(loss, logits)[0] for loss in (plain, ours)]
    torch.testing.assert_close(slopes[1], slopes[0], rtol=1e-12, atol=1e-15)


def windows(rows: int = 6, tokens: int = 8) -> tuple[Tensor, Tensor]:
    tags = np.random.default_rng(1).choice([OUT, OUT, B_X, I_X, B_Y, IGNORE_INDEX], (rows, tokens))
    return random_logits((rows, tokens)), torch.from_numpy(tags)


@pytest.mark.parametrize("size", [1, 2])
def test_windows_do_not_influence_each_other(size: int) -> None:
    objective = smoothing(epsilon=1, size=size)
    logits, tags = windows()
    together = objective.token_losses(logits, tags)
    alone = torch.cat([objective.token_losses(z, y) for z, y in zip(logits, tags, strict=True)])
    torch.testing.assert_close(together, alone)
    order = torch.randperm(len(tags), generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(objective.loss(logits[order], tags[order]), objective.loss(logits, tags))
    padded = torch.nn.functional.pad(tags, (2, 3), value=IGNORE_INDEX)
    longer = torch.nn.functional.pad(logits, (0, 0, 2, 3), value=torch.inf)
    torch.testing.assert_close(objective.token_losses(longer, padded), together)


def test_what_an_ignored_token_says_has_no_part() -> None:
    logits, tags = windows()
    kept = tags != IGNORE_INDEX
    noisy = torch.where(kept[..., None], logits.detach(), torch.nan).requires_grad_()
    loss = smoothing(epsilon=1).loss(noisy, tags)
    torch.testing.assert_close(loss, smoothing(epsilon=1).loss(logits, tags))
    slope = torch.autograd.grad(loss, noisy)[0]
    assert (slope[~kept] == 0).all()
    assert torch.isfinite(slope).all()


def test_gradients_are_those_of_the_value() -> None:
    logits, tags = windows(rows=2)
    assert torch.autograd.gradcheck(lambda z: smoothing(epsilon=0.7, size=2).loss(z, tags), logits)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
@pytest.mark.parametrize("extreme", [False, True])
def test_lower_precision_is_lost_in_the_logits_alone(dtype: torch.dtype, extreme: bool) -> None:
    logits, tags = windows()
    rounded = (1e4 * logits.sign() if extreme else logits).detach().to(dtype).requires_grad_()
    loss = smoothing(epsilon=0.5, size=2).loss(rounded, tags)
    assert loss.dtype == torch.float32
    exact = smoothing(epsilon=0.5, size=2).loss(rounded.detach().double(), tags)
    assert loss.item() == pytest.approx(exact.item(), rel=1e-6)
    assert torch.isfinite(torch.autograd.grad(loss, rounded)[0]).all()


def test_all_ignored_is_zero() -> None:
    logits, tags = windows()
    loss = smoothing().loss(logits, torch.full_like(tags, IGNORE_INDEX))
    assert loss.item() == 0
    assert (torch.autograd.grad(loss, logits)[0] == 0).all()


def test_a_model_without_text_learns_the_marginals() -> None:
    _, tags = windows(rows=40)
    marginals = torch.bincount(tags[tags >= 0], minlength=TAGS).double()
    objective = smoothing(epsilon=1, size=2)
    prior = objective.effective_prior(marginals.numpy())
    np.testing.assert_allclose(prior, (marginals / marginals.sum()).numpy())
    biases = torch.from_numpy(np.maximum(np.log(np.maximum(prior, 1e-300)), -1e4)).requires_grad_()
    (slope,) = torch.autograd.grad(objective.loss(biases.expand(*tags.shape, TAGS), tags), biases)
    np.testing.assert_allclose(slope.numpy(), 0, atol=1e-12)
    assert objective.sequential


@pytest.mark.parametrize("options", [{"epsilon": -0.1}, {"epsilon": 1.1}, {"size": 0}, {"size": 3}])
def test_options_out_of_range_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=next(iter(options))):
        BoundarySmoothingOptions(**options)
