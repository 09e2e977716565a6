"""Losses of a whole set, linearised: the slopes are those of the set, and running counts are what batches make them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from raretag.objectives.dice import Dice, DiceOptions
from raretag.objectives.overlap import GAP, Index

COUNTS = [60, 12, 20, 5, 3]


def counts_of(seed: int, *, classes: int = 4) -> torch.Tensor:
    """Possible counts: none is found that is not predicted and gold."""
    generator = np.random.default_rng(seed)
    predicted, gold = generator.random((2, classes)) + 0.01
    return torch.tensor(np.stack([generator.random(classes) * np.minimum(predicted, gold), predicted, gold]))


@pytest.mark.parametrize("index", [Index(0.5, 0.5, 0.01), Index(0.3, 0.7, 0.1, 0.75), Index(1.0, 2.0, 0.5, 2.0)])
def test_slopes_are_the_derivatives_of_the_loss(index: Index) -> None:
    counts = counts_of(0).requires_grad_()
    (expected,) = torch.autograd.grad(index.loss(counts), counts)
    by_found, by_predicted = index.slopes(counts.detach())
    torch.testing.assert_close(by_found, expected[0])
    torch.testing.assert_close(by_predicted, expected[1])


def test_the_index_of_known_counts() -> None:
    """TP 2, FP 1, FN 3: Dice 4 / 8; Tversky 2 / (2 + .3 + 2.1)."""
    counts = torch.tensor([[2.0], [3.0], [5.0]])
    assert Index(0.5, 0.5, 0.0).loss(counts).item() == pytest.approx(1 - 4 / 8)
    assert Index(0.3, 0.7, 0.0).loss(counts).item() == pytest.approx(1 - 2 / 4.4)
    focal = Index(0.3, 0.7, 0.0, 0.75).loss(counts).item()
    assert focal == pytest.approx((1 - 2 / 4.4 + GAP) ** 0.75 - GAP**0.75)


def test_a_perfect_class_has_finite_slopes() -> None:
    perfect = torch.tensor([[0.2], [0.2], [0.2]], requires_grad=True)
    index = Index(0.5, 0.5, 0.01, 0.25)
    assert index.loss(perfect).item() == pytest.approx(0, abs=1e-7)
    assert all(torch.isfinite(slope).all() for slope in index.slopes(perfect.detach()))


def test_without_classes_there_is_no_loss() -> None:
    assert Index(0.5, 0.5, 0.1).loss(torch.zeros(3, 0)).item() == 0


def test_the_pull_of_a_token_is_bounded() -> None:
    """Of a tag with one token in a million, a slope of at most 1 / smooth."""
    dice = Dice([1e6, 1e3, 1], options=DiceOptions(smooth=0.1, cross_entropy=0.0))
    logits = torch.zeros(1, 3, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(dice.loss(logits, torch.tensor([2])), logits)
    assert gradient.abs().max() <= 1 / 0.1
    assert gradient[0, 2] < 0


def test_after_a_batch_the_loss_is_taken_at_its_counts() -> None:
    """With decay 0 the running counts are those of the last batch: the mean loss of that batch is that of the set."""
    dice = Dice(COUNTS, options=DiceOptions(decay=0.0, cross_entropy=0.0, smooth=0.5))
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(30, 5, generator=generator, dtype=torch.float64, requires_grad=True)
    tags = torch.randint(0, 5, (30,), generator=generator)
    before = dice.loss(logits, tags)
    p, y = torch.softmax(logits.detach(), dim=-1), torch.nn.functional.one_hot(tags, 5)
    counts = torch.stack([(p * y).mean(dim=0), p.mean(dim=0), y.double().mean(dim=0)])
    index = (2 * counts[0] + 0.2) / (counts[1] + counts[2] + 0.2)
    after = dice.loss(logits.detach(), tags)
    assert after.item() == pytest.approx(1 - index.mean().item())
    assert before.item() != pytest.approx(after.item(), abs=1e-3)


def test_looking_without_gradients_leaves_the_counts_alone() -> None:
    dice = Dice(COUNTS)
    before = dice.state_dict()
    logits = torch.randn(9, 5, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        dice.loss(logits, torch.arange(9) % 5)
    assert all(torch.equal(before[key], value) for key, value in dice.state_dict().items())


def test_saved_counts_go_on() -> None:
    logits = torch.randn(9, 5, generator=torch.Generator().manual_seed(0), requires_grad=True)
    tags = torch.arange(9) % 5
    dice, restored = Dice(COUNTS), Dice(COUNTS)
    for _ in range(3):
        dice.loss(logits, tags)
    restored.load_state_dict(dice.state_dict())
    assert restored.loss(logits, tags).item() == dice.loss(logits, tags).item()
    assert Dice(COUNTS).loss(logits, tags).item() != pytest.approx(dice.loss(logits, tags).item(), abs=1e-5)


@pytest.mark.parametrize("parts", [1, 2, 4])
def test_many_steps_do_not_depend_on_how_batches_are_cut(parts: int) -> None:
    generator = torch.Generator().manual_seed(0)
    weights = {count: torch.zeros(5, 5, dtype=torch.float64, requires_grad=True) for count in (1, parts)}
    batches = [(torch.randn(8, 5, generator=generator).double(), torch.arange(8) % 5) for _ in range(5)]
    for count, weight in weights.items():
        dice = Dice(COUNTS, options=DiceOptions(decay=0.5))
        for features, tags in batches:
            total = torch.zeros_like(weight)
            for one, some in zip(features.chunk(count), tags.chunk(count), strict=True):
                total += torch.autograd.grad(dice.loss(one @ weight, some, items=len(tags)), weight)[0]
            with torch.no_grad():
                weight -= total
    torch.testing.assert_close(weights[1], weights[parts])
