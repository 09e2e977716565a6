"""Objectives made of others: sums are sums, a takeover happens when it is due, and both can be saved."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

from raretag.objectives.base import Objective
from raretag.objectives.btl import BTL, BTLOptions
from raretag.objectives.combined import Combined, Deferred
from raretag.objectives.cross_entropy import CrossEntropy
from raretag.objectives.dice import Dice, DiceOptions
from raretag.objectives.ldam import LDAM
from raretag.objectives.logit_adjustment import LogitAdjustment
from raretag.objectives.regularisers import ConfidencePenalty, LabelProportion, PriorKL, PriorKLOptions

Array = npt.NDArray[np.float64]

COUNTS = [60, 12, 20, 5, 2, 1, 0]


def batch() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(3, 8, 7, generator=generator, dtype=torch.float64)
    tags = torch.randint(0, 6, (3, 8), generator=generator)
    tags[0, 3:5] = -100
    return logits.requires_grad_(), tags


def combined() -> Combined:
    return Combined(Dice(COUNTS), [PriorKL(COUNTS), LabelProportion(COUNTS)])


def test_a_sum_has_the_values_and_gradients_of_its_parts() -> None:
    logits, tags = batch()
    whole = combined()
    parts: list[Objective[Any]] = [Dice(COUNTS), PriorKL(COUNTS), LabelProportion(COUNTS)]
    # the second time running statistics are those of the first
    for _ in range(2):
        losses = [part.loss(logits, tags) for part in parts]
        loss = whole.loss(logits, tags)
        torch.testing.assert_close(loss, torch.stack(losses).sum())
        expected = sum(torch.autograd.grad(each, logits)[0] for each in losses)
        torch.testing.assert_close(torch.autograd.grad(loss, logits)[0], expected)


def test_a_sum_needs_what_its_parts_need() -> None:
    assert combined().sequential
    assert not combined().whole_batch
    whole = Combined(BTL(COUNTS, options=BTLOptions(weight="batch")), [ConfidencePenalty(COUNTS)])
    assert whole.whole_batch
    assert not whole.sequential
    logits, tags = batch()
    with pytest.raises(ValueError, match="defined on a whole batch"):
        whole.loss(logits, tags, items=100)


@pytest.mark.parametrize("kind", ["sum", "takeover"])
def test_statistics_are_saved_by_part(kind: str) -> None:
    def make() -> Combined | Deferred:
        first = combined()
        made = first if kind == "sum" else Deferred(CrossEntropy(COUNTS), first, start=0.5)
        made.advance(0.0)
        return made

    logits, tags = batch()
    one, other = make(), make()
    for _ in range(3):
        one.loss(logits, tags)
    # in the middle of a batch
    one.loss(logits, tags, items=100)
    other.load_state_dict(one.state_dict())
    for each in (one, other):
        each.advance(0.7)
    for _ in range(4):
        assert one.loss(logits, tags, items=30).item() == other.loss(logits, tags, items=30).item()
    fresh = make()
    fresh.advance(0.7)
    assert fresh.loss(logits, tags).item() != pytest.approx(other.loss(logits, tags).item(), abs=1e-6)


def test_a_takeover_happens_when_it_is_due() -> None:
    logits, tags = batch()
    deferred = Deferred(CrossEntropy(COUNTS), LDAM(COUNTS), start=0.8)
    before, after = CrossEntropy(COUNTS).loss(logits, tags), LDAM(COUNTS).loss(logits, tags)
    with pytest.raises(ValueError, match="ObjectiveState"):
        deferred.loss(logits, tags)
    for progress, expected in ((0.0, before), (0.79, before), (0.8, after), (1.0, after), (0.5, before)):
        (slope,) = torch.autograd.grad(expected, logits, retain_graph=True)
        deferred.advance(progress)
        loss = deferred.loss(logits, tags)
        assert loss.item() == expected.item()
        assert torch.equal(torch.autograd.grad(loss, logits)[0], slope)


def test_a_takeover_from_the_start_needs_no_telling() -> None:
    logits, tags = batch()
    deferred = Deferred(CrossEntropy(COUNTS), LDAM(COUNTS), start=0.0)
    assert deferred.loss(logits, tags).item() == LDAM(COUNTS).loss(logits, tags).item()


def test_progress_reaches_the_parts_of_parts() -> None:
    logits, tags = batch()
    nested = Combined(Deferred(CrossEntropy(COUNTS), LDAM(COUNTS), start=0.5), [ConfidencePenalty(COUNTS)])
    nested.advance(0.0)
    early = nested.loss(logits, tags)
    nested.advance(0.6)
    late = LDAM(COUNTS).loss(logits, tags) + ConfidencePenalty(COUNTS).loss(logits, tags)
    torch.testing.assert_close(nested.loss(logits, tags), late)
    assert early.item() < late.item()


def test_statistics_are_ready_when_their_objective_takes_over() -> None:
    logits, tags = batch()
    deferred = Deferred(CrossEntropy(COUNTS), Dice(COUNTS, options=DiceOptions(decay=0.5)), start=0.5)
    alone = Dice(COUNTS, options=DiceOptions(decay=0.5))
    deferred.advance(0.0)
    for _ in range(3):
        deferred.loss(logits, tags)
        alone.loss(logits, tags)
    deferred.advance(0.5)
    assert deferred.loss(logits, tags).item() == alone.loss(logits, tags).item()


def test_the_prior_of_a_takeover_is_that_of_what_comes_after() -> None:
    for after in (LogitAdjustment(COUNTS), Dice(COUNTS)):
        deferred = Deferred(CrossEntropy(COUNTS), after, start=0.8)
        for marginals in (None, [30, 20, 20, 10, 5, 15, 0]):
            np.testing.assert_array_equal(deferred.effective_prior(marginals), after.effective_prior(marginals))


@pytest.mark.parametrize("percent", [[60, 12, 20, 5, 2, 1, 0], [30, 20, 20, 10, 5, 15, 0]])
def test_the_prior_of_a_sum_is_what_is_learned_without_text(percent: list[int], learned: Callable[..., Array]) -> None:
    added: list[Objective[Any]] = [
        PriorKL(COUNTS, options=PriorKLOptions(strength=0.5, decay=0.5)),
        ConfidencePenalty(COUNTS),
    ]
    whole = Combined(LogitAdjustment(COUNTS), added)
    np.testing.assert_allclose(learned(whole, percent), whole.effective_prior(percent), atol=1e-3)
