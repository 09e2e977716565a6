"""One objective for each label: the same figures as label by label, with a plain numpy reference for cross-entropy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from raretag.errors import UsageError
from raretag.objectives import IGNORE_INDEX, OBJECTIVES, objective
from raretag.objectives.per_label import PerLabel, per_label

# outside, begin, inside of four labels; the third is never continued, the last never seen
COUNTS = np.array([[900, 30, 70], [990, 4, 6], [999, 1, 0], [1000, 0, 0]])
SHAPE = COUNTS.shape


@pytest.fixture(params=[name for name, entry in OBJECTIVES.items() if entry.fits("per-label")])
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def batch(seed: int = 0, *, rows: int = 3, tokens: int = 8) -> tuple[Tensor, Tensor]:
    """Random logits with unseen tags shut, and targets of seen tags; a few slots and a whole token are ignored."""
    rng = np.random.default_rng(seed)
    logits = np.where(COUNTS > 0, 2 * rng.standard_normal((rows, tokens, *SHAPE)), -1e4)
    seen = [np.flatnonzero(row) for row in COUNTS]
    tags = np.stack([rng.choice(one, (rows, tokens)) for one in seen], axis=-1)
    tags[:, 0] = IGNORE_INDEX
    tags[0, 2, 1] = tags[1, 3, 0] = tags[1, 4, 3] = IGNORE_INDEX
    return torch.from_numpy(logits).requires_grad_(), torch.from_numpy(tags)


def gradient(loss: Tensor, logits: Tensor) -> Tensor:
    (found,) = torch.autograd.grad(loss, logits)
    return found


def reference(logits: Tensor, tags: Tensor) -> tuple[list[float], np.ndarray[Any, Any]]:
    """Cross-entropy of each slot in the order of `tags`, and the gradient of their mean, by loops."""
    z, y = logits.detach().numpy(), tags.numpy()
    losses, slope = [], np.zeros_like(z)
    for place in np.ndindex(y.shape):
        if y[place] != IGNORE_INDEX:
            p = np.exp(z[place] - z[place].max())
            p /= p.sum()
            losses.append(-np.log(p[y[place]]))
            slope[place] = p - np.eye(SHAPE[1])[y[place]]
    return losses, slope / len(losses)


def test_cross_entropy_agrees_with_the_reference() -> None:
    logits, tags = batch()
    loss_of = per_label("cross-entropy", counts=COUNTS)
    losses, slope = reference(logits, tags)
    np.testing.assert_allclose(loss_of.token_losses(logits, tags).detach().numpy(), losses, atol=1e-12)
    loss = loss_of.loss(logits, tags)
    assert loss.dtype == torch.float64
    assert loss.item() == pytest.approx(np.mean(losses))
    np.testing.assert_allclose(gradient(loss, logits).numpy(), slope, atol=1e-12)
    assert torch.autograd.gradcheck(lambda z: loss_of.loss(z, tags), [logits.detach().clamp(min=-20).requires_grad_()])


def test_it_is_the_same_as_label_by_label(name: str) -> None:
    logits, tags = batch()
    loss_of = per_label(name, counts=COUNTS)
    total, slope = torch.zeros((), dtype=torch.float64), torch.zeros_like(logits)
    for label, counts in enumerate(COUNTS[:3]):
        alone = objective(name, counts=counts, groups=[0, 1, 1])
        column = logits[..., label, :].detach().requires_grad_()
        loss = alone.token_losses(column, tags[..., label]).sum()
        slope[..., label, :] = gradient(loss, column)
        total = total + loss.detach()
    slots = int((tags != IGNORE_INDEX).sum())
    loss = loss_of.loss(logits, tags)
    torch.testing.assert_close(loss.detach(), total / slots)
    torch.testing.assert_close(gradient(loss, logits), slope / slots)


def test_what_is_ignored_or_never_seen_has_no_part(name: str) -> None:
    logits, tags = batch()
    loss_of = per_label(name, counts=COUNTS)
    kept = tags != IGNORE_INDEX
    losses = loss_of.token_losses(logits, tags)
    assert losses.shape == (int(kept.sum()),)
    never = kept.nonzero()[:, -1] == 3
    assert (losses[never] == 0).all()
    slope = gradient(loss_of.loss(logits, tags), logits)
    assert slope.isfinite().all()
    assert (slope[~kept] == 0).all()
    assert (slope[..., 3, :] == 0).all()
    assert (slope[..., 2, 2] == 0).all()


@pytest.mark.parametrize("shape", [(2, 3), (0, 5), (0,)])
def test_without_a_target_it_is_zero(name: str, shape: tuple[int, ...]) -> None:
    logits = torch.full((*shape, *SHAPE), -torch.inf, requires_grad=True)
    loss = per_label(name, counts=COUNTS).loss(logits, torch.full((*shape, 4), IGNORE_INDEX))
    assert loss.item() == 0
    assert (gradient(loss, logits) == 0).all()


def test_targets_of_a_label_never_seen_alone_are_zero_too(name: str) -> None:
    logits, tags = batch()
    tags[..., :3] = IGNORE_INDEX
    loss = per_label(name, counts=COUNTS).loss(logits, tags)
    assert loss.item() == 0
    assert (gradient(loss, logits) == 0).all()


def test_gradients_add_up_over_accumulation(name: str) -> None:
    logits, tags = batch()
    loss_of, parts_of = per_label(name, counts=COUNTS), per_label(name, counts=COUNTS)
    items = torch.tensor(int((tags != IGNORE_INDEX).sum()))
    whole = loss_of.loss(logits, tags, items=items)
    if loss_of.whole_batch:
        with pytest.raises(ValueError, match="whole batch"):
            loss_of.loss(logits[:1], tags[:1], items=items)
        return
    parts = [parts_of.loss(logits[rows], tags[rows], items=items) for rows in (slice(0, 1), slice(1, 3))]
    torch.testing.assert_close(parts[0] + parts[1], whole)
    torch.testing.assert_close(gradient(parts[0] + parts[1], logits), gradient(whole, logits))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_number_formats(name: str, dtype: torch.dtype) -> None:
    logits, tags = batch()
    low = logits.detach().to(dtype).requires_grad_()
    loss = per_label(name, counts=COUNTS).loss(low, tags)
    assert loss.dtype == torch.float32
    assert gradient(loss, low).dtype == dtype
    again = per_label(name, counts=COUNTS).loss(low.detach().double(), tags)
    assert loss.item() == pytest.approx(again.item(), rel=1e-4)


@pytest.mark.parametrize("name", ["cross-entropy", "weighted", "focal", "logit-adjusted", "btl"])
def test_the_prior_of_each_label(name: str) -> None:
    loss_of = per_label(name, counts=COUNTS)
    prior = loss_of.effective_prior()
    assert prior.shape == SHAPE
    np.testing.assert_allclose(prior.sum(axis=1), 1)
    assert ((prior > 0) == (COUNTS > 0)).all()
    np.testing.assert_allclose(loss_of.effective_prior(COUNTS / 1000), prior, atol=1e-6)
    one = objective(name, counts=COUNTS[0], groups=[0, 1, 1])
    np.testing.assert_allclose(prior[0], one.effective_prior(), atol=1e-9)
    # a sampler that never shows a label
    marginals = COUNTS / 1000
    marginals[1] = [1, 0, 0]
    np.testing.assert_allclose(loss_of.effective_prior(marginals).sum(axis=1), 1)
    np.testing.assert_allclose(loss_of.effective_prior(marginals)[0], prior[0], atol=1e-6)
    with pytest.raises(ValueError, match="do not fit"):
        loss_of.effective_prior(COUNTS[:2])


def test_what_is_gathered_can_be_kept_and_brought_back(name: str) -> None:
    first, second = per_label(name, counts=COUNTS), per_label(name, counts=COUNTS)
    for seed in range(3):
        first.advance(seed / 4)
        first.loss(*batch(seed))
    second.advance(0.5)
    second.load_state_dict(first.state_dict())
    logits, tags = batch(9)
    assert torch.equal(first.loss(logits, tags), second.loss(logits, tags))
    assert all(key.split(".")[0] in {"0", "1", "2"} for key in first.state_dict())


def test_regularisers_deferral_and_options_reach_every_label() -> None:
    logits, tags = batch()
    late = per_label("btl", counts=COUNTS, start=0.5, weight="none")
    plain = per_label("cross-entropy", counts=COUNTS).loss(logits, tags)
    weighted = per_label("btl", counts=COUNTS, start=0.5)
    weighted.advance(0.0)
    assert torch.equal(weighted.loss(logits, tags), plain)
    weighted.advance(0.5)
    assert weighted.loss(logits, tags) < plain
    late.advance(0.5)
    torch.testing.assert_close(late.loss(logits, tags), plain)
    assert per_label("btl", counts=COUNTS, weight="batch").whole_batch
    with pytest.raises(UsageError, match="nonsense"):
        per_label("btl", counts=COUNTS, nonsense=1)


def test_the_call_that_a_trainer_makes() -> None:
    logits, tags = batch()
    loss_of = per_label("cross-entropy", counts=COUNTS)
    expected = loss_of.loss(logits, tags)
    outputs = type("Output", (), {"logits": logits})()
    assert torch.equal(loss_of(outputs, tags), expected)
    assert torch.equal(loss_of({"logits": logits}, tags), expected)
    slots = int((tags != IGNORE_INDEX).sum())
    torch.testing.assert_close(2 * loss_of(outputs, tags, num_items_in_batch=2 * slots), expected)


def test_what_does_not_fit_is_refused() -> None:
    logits, tags = batch()
    loss_of = per_label("cross-entropy", counts=COUNTS)
    for wrong_logits, wrong_tags in ((logits[:1], tags), (logits[..., 1:], tags), (logits[..., 1:, :], tags[..., 1:])):
        with pytest.raises(ValueError, match="do not fit"):
            loss_of.loss(wrong_logits, wrong_tags)
    with pytest.raises(ValueError, match="tag ids from 0 to 2"):
        loss_of.loss(logits, torch.full_like(tags, 3))
    with pytest.raises(ValueError, match="table"):
        per_label("cross-entropy", counts=[9, 1, 1])
    with pytest.raises(ValueError, match="at least one label"):
        per_label("cross-entropy", counts=[[9, 0, 0]])
    with pytest.raises(ValueError, match="over 2 tags"):
        PerLabel([objective("cross-entropy", counts=[9, 1, 1])], tags=2)
