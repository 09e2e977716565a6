"""The self-adjusting Dice: the formula of every token, logs of what is almost 1, and the winner that takes most."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
import torch

from raretag.objectives.self_adjusting_dice import SelfAdjustingDice, SelfAdjustingDiceOptions, log_complement

from .conftest import COUNTS, Array, log_softmax


def formula(
    logits: Array,
    targets: npt.NDArray[np.int64],
    *,
    alpha: float = 0.01,
    smooth: float = 1.0,
    strength: float = 1.0,
    cross_entropy: float = 1.0,
) -> Array:
    losses = []
    for z, gold in zip(logits, targets, strict=True):
        powers = np.exp(z - z.max())
        total = 0.0
        for k in range(len(z)):
            if COUNTS[k] == 0 and k != gold:
                continue
            # 1 − p as the share of all others, which does not cancel
            rest = np.delete(powers, k).sum() / powers.sum()
            q, y = rest**alpha * powers[k] / powers.sum(), float(k == gold)
            total += 1 - (2 * q * y + smooth) / (q + y + smooth)
        losses.append(cross_entropy * -log_softmax(z)[gold] + strength * total)
    return np.array(losses)


@pytest.mark.parametrize(
    "given",
    [{}, {"alpha": 1.0, "cross_entropy": 0.0}, {"alpha": 0.5, "smooth": 0.1, "strength": 2.0}, {"alpha": 0.0}],
)
def test_it_is_its_formula(given: dict[str, float], agrees: Callable[..., None]) -> None:
    options = SelfAdjustingDiceOptions(**given)
    agrees(lambda: SelfAdjustingDice(COUNTS, options=options), lambda z, y: formula(z, y, **given))


@pytest.mark.parametrize("ahead", [0.0, 5.0, 20.0, 60.0, 2e4])
def test_the_log_of_what_is_left_is_precise(ahead: float) -> None:
    """Of the first of four tags, `ahead` before the others: log(3 / (e^ahead + 3)), which rounds to log 0 otherwise."""
    logits = torch.tensor([[ahead, 0, 0, 0]], requires_grad=True)
    logs = log_complement(logits)
    expected = np.log(3) - np.logaddexp(ahead, np.log(3))
    assert logs[0, 0].item() == pytest.approx(expected, rel=1e-6)
    assert logs[0, 1].item() == pytest.approx(np.log1p(-1 / (np.exp(min(ahead, 500)) + 3)), rel=1e-5)
    (gradient,) = torch.autograd.grad(logs.sum(), logits)
    assert torch.isfinite(gradient).all()


def test_with_alpha_one_the_gold_tag_stops_pulling_at_one_half() -> None:
    """q = (1 − p) p is largest there; beyond, its own term would rather have p fall."""
    objective = SelfAdjustingDice([1, 1], options=SelfAdjustingDiceOptions(alpha=1.0, cross_entropy=0.0))

    def own_term(p: float) -> float:
        q = p * (1 - p)
        return objective.token_losses(torch.tensor([[p, 1 - p]]).log(), torch.tensor([0])).item() - q / (q + 1)

    assert own_term(0.5) < own_term(0.4)
    assert own_term(0.5) < own_term(0.6)


@pytest.mark.parametrize("percent", [[60, 12, 20, 5, 2, 1, 0], [30, 20, 20, 10, 5, 15, 0]])
def test_without_text_the_winner_takes_most(percent: list[int], learned: Callable[..., Array]) -> None:
    objective = SelfAdjustingDice(COUNTS, options=SelfAdjustingDiceOptions(alpha=1.0, cross_entropy=0.0))
    prior = objective.effective_prior(percent)
    assert np.isfinite(prior).all()
    assert prior.sum() == pytest.approx(1)
    assert prior[0] > 0.99
    # the corner is approached ever more slowly
    np.testing.assert_allclose(learned(objective, percent, rate=4.0), prior, atol=1e-3)


def test_without_strength_it_is_cross_entropy(is_cross_entropy: Callable[..., None]) -> None:
    is_cross_entropy(SelfAdjustingDice(COUNTS, options=SelfAdjustingDiceOptions(strength=0.0)))


def test_options_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match="smooth"):
        SelfAdjustingDiceOptions(smooth=0.0)
