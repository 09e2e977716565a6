"""Dice and Tversky: the values of the formula, the prior they teach, and the trap of the published multi-class Dice."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
import torch

from raretag.objectives.dice import Dice, DiceOptions, Tversky, TverskyOptions
from raretag.objectives.overlap import GAP

from .conftest import COUNTS, GROUPS, Array, log_softmax


def first_batch(
    logits: Array,
    targets: npt.NDArray[np.int64],
    *,
    alpha: float = 0.5,
    beta: float = 0.5,
    exponent: float = 1.0,
    share: float = 0.1,
    strength: float = 1.0,
    cross_entropy: float = 1.0,
) -> Array:
    """The formula at the first counts, S = G = π and TP = π / 2, with derivatives by differences."""
    prior = np.array(COUNTS) / sum(COUNTS)
    classes = [tag for tag in range(len(COUNTS)) if COUNTS[tag]]
    smooth = share / len(classes)

    def loss(found: float, predicted: float, gold: float) -> float:
        below = found + alpha * (predicted - found) + beta * (gold - found) + smooth
        gap = 1 - (found + smooth) / below
        offset = GAP if exponent < 1 else 0.0
        return float((gap + offset) ** exponent - offset**exponent) / len(classes)

    losses = []
    for z, y in zip(logits, targets, strict=True):
        log_p = log_softmax(z)
        total = cross_entropy * -log_p[y]
        for c in classes:
            found, predicted, gold = prior[c] / 2, prior[c], prior[c]
            step = 1e-6
            by_found = (loss(found + step, predicted, gold) - loss(found - step, predicted, gold)) / (2 * step)
            by_predicted = (loss(found, predicted + step, gold) - loss(found, predicted - step, gold)) / (2 * step)
            p = np.exp(log_p[c])
            total += strength * (
                loss(found, predicted, gold) + by_found * (p * (y == c) - found) + by_predicted * (p - predicted)
            )
        losses.append(total)
    return np.array(losses)


@pytest.mark.parametrize(
    "given", [{}, {"strength": 0.3, "share": 2.0}, {"cross_entropy": 0.0}, {"share": 0.01, "strength": 5.0}]
)
def test_dice_is_its_formula(given: dict[str, float], agrees: Callable[..., None]) -> None:
    options = DiceOptions(**{"smooth" if name == "share" else name: value for name, value in given.items()})
    # derivatives by differences are good to some nine digits
    agrees(lambda: Dice(COUNTS, groups=GROUPS, options=options), lambda z, y: first_batch(z, y, **given), precise=1e-6)


@pytest.mark.parametrize("given", [{}, {"exponent": 0.75}, {"alpha": 1.0, "beta": 0.2, "exponent": 2.0}])
def test_tversky_is_its_formula(given: dict[str, float], agrees: Callable[..., None]) -> None:
    weights = {"alpha": 0.3, "beta": 0.7, **given}
    agrees(
        lambda: Tversky(COUNTS, groups=GROUPS, options=TverskyOptions(**given)),
        lambda z, y: first_batch(z, y, **weights),
        precise=1e-6,
    )


def test_tversky_with_equal_weights_is_dice(batch: tuple[torch.Tensor, torch.Tensor]) -> None:
    tversky = Tversky(COUNTS, options=TverskyOptions(alpha=0.5, beta=0.5))
    torch.testing.assert_close(tversky.loss(*batch), Dice(COUNTS).loss(*batch))


def test_without_strength_it_is_cross_entropy(is_cross_entropy: Callable[..., None]) -> None:
    is_cross_entropy(Dice(COUNTS, options=DiceOptions(strength=0.0)))
    is_cross_entropy(Tversky(COUNTS, options=TverskyOptions(strength=0.0)))


@pytest.mark.parametrize("percent", [[60, 12, 20, 5, 2, 1, 0], [30, 20, 20, 10, 5, 15, 0], [50, 20, 0, 30, 0, 0, 0]])
@pytest.mark.parametrize("tversky", [False, True])
def test_the_prior_is_what_is_learned_without_text(
    percent: list[int], tversky: bool, learned: Callable[..., Array]
) -> None:
    objective = (
        Tversky(COUNTS, options=TverskyOptions(exponent=0.75, decay=0.9))
        if tversky
        else Dice(COUNTS, options=DiceOptions(strength=2.0, smooth=0.05, decay=0.9))
    )
    expected = objective.effective_prior(percent)
    np.testing.assert_allclose(learned(objective, percent, rate=0.5), expected, atol=1e-3)
    assert np.abs(expected - np.array(percent) / 100).max() > 1e-3


def test_but_for_smoothing_dice_alone_keeps_the_prior() -> None:
    """Of a constant predictor: the sum of 2 p π / (p + π) over all tags is largest at p = π."""
    counts = [60, 25, 15]
    alone = Dice(counts, options=DiceOptions(cross_entropy=0.0, smooth=1e-3))
    np.testing.assert_allclose(alone.effective_prior(), np.array(counts) / 100, atol=2e-3)


def test_smoothing_costs_tags_that_text_does_not_explain() -> None:
    """What the page on overlap says: below √(s) or so a tag is worth more to the index if it is never predicted."""
    smooth = Dice(COUNTS, options=DiceOptions(smooth=0.5)).effective_prior()
    sharp = Dice(COUNTS, options=DiceOptions(smooth=1e-3)).effective_prior()
    assert smooth[4] < sharp[4] < 0.02


def test_published_multi_class_dice_is_all_but_constant_and_ours_is_not() -> None:
    """The released code has token-wise products above and sums of the batch below, so that nothing can be learned.

    With p right and sure, and with p uniform: true Dice goes from far to near; theirs hardly moves.
    """
    generator = np.random.default_rng(0)
    gold = np.eye(5)[generator.choice(5, size=500, p=[0.6, 0.2, 0.1, 0.07, 0.03])]
    far, near = np.full_like(gold, 0.2), 0.9 * gold + 0.02

    def theirs(p: Array) -> float:
        return float((1 - 2 * (p * gold).mean(axis=0) / (p.sum(axis=0) + gold.sum(axis=0))).mean())

    def true(p: Array) -> float:
        return float((1 - 2 * (p * gold).sum(axis=0) / (p.sum(axis=0) + gold.sum(axis=0))).mean())

    def ours(p: Array) -> float:
        dice = Dice(gold.sum(axis=0), options=DiceOptions(decay=0.0, cross_entropy=0.0, smooth=1e-3))
        logits = torch.from_numpy(np.log(p)).requires_grad_()
        tags = torch.from_numpy(gold.argmax(axis=1))
        dice.loss(logits, tags)
        return dice.loss(logits, tags).item()

    assert theirs(far) > 0.997
    assert theirs(far) - theirs(near) < 0.002
    assert true(far) - true(near) > 0.5
    for p in (far, near):
        assert ours(p) == pytest.approx(true(p), abs=0.01)


@pytest.mark.parametrize("wrong", [{"strength": -1}, {"smooth": 0}, {"decay": 1.0}, {"cross_entropy": 2}])
def test_options_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        DiceOptions.model_validate(wrong)
