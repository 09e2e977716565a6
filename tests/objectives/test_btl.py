"""BTL: the formula, the table of what its variants teach a model without text, and what may not be cut."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
import torch

from raretag.objectives.base import IGNORE_INDEX
from raretag.objectives.btl import BTL, BTLOptions
from raretag.objectives.cross_entropy import CrossEntropy

Array = npt.NDArray[np.float64]

COUNTS = [60, 12, 20, 5, 2, 1, 0]
GROUPS = [0, 1, 1, 2, 2, 3, 3]
TOGETHER = [60, 32, 32, 7, 7, 1, 1]

VARIANTS = [(weight, reduction) for weight in ("none", "batch", "global") for reduction in ("sum", "weighted-mean")]


def options_of(weight: str, reduction: str) -> BTLOptions:
    return BTLOptions.model_validate({"weight": weight, "reduction": reduction})


def formula(logits: Array, targets: npt.NDArray[np.int64], *, weight: str, reduction: str) -> Array:
    tokens = len(targets)
    weights = []
    for y in targets:
        if weight == "batch":
            weights.append(1 - sum(GROUPS[other] == GROUPS[y] for other in targets) / tokens)
        else:
            weights.append(1 - TOGETHER[y] / 100 if weight == "global" else 1.0)
    if sum(weights) == 0:
        weights = [1.0] * tokens
    top = logits.max(axis=1)
    losses = np.log(np.exp(logits - top[:, None]).sum(axis=1)) + top - logits[np.arange(tokens), targets]
    divided = tokens / sum(weights) if reduction == "weighted-mean" else 1.0
    return np.asarray(np.array(weights) * losses * divided)


@pytest.mark.parametrize(("weight", "reduction"), VARIANTS)
def test_it_is_its_formula(weight: str, reduction: str, agrees: Callable[..., None]) -> None:
    agrees(
        lambda: BTL(COUNTS, groups=GROUPS, options=options_of(weight, reduction)),
        lambda z, y: formula(z, y, weight=weight, reduction=reduction),
    )


def test_the_weighted_mean_is_that_of_torch() -> None:
    logits = torch.randn(9, 7, generator=torch.Generator().manual_seed(0))
    tags = torch.arange(9) % 6
    weights = torch.tensor([1 - count / 100 for count in TOGETHER])
    expected = torch.nn.functional.cross_entropy(logits, tags, weight=weights)
    loss = BTL(COUNTS, groups=GROUPS, options=options_of("global", "weighted-mean")).loss(logits, tags)
    torch.testing.assert_close(loss, expected)


def test_without_weights_it_is_cross_entropy() -> None:
    logits = torch.randn(9, 7, generator=torch.Generator().manual_seed(0), requires_grad=True)
    tags = torch.arange(9) % 6
    losses = [
        each.loss(logits, tags) for each in (BTL(COUNTS, options=options_of("none", "sum")), CrossEntropy(COUNTS))
    ]
    assert torch.equal(*losses)
    assert torch.equal(*(torch.autograd.grad(loss, logits)[0] for loss in losses))


# tokens of a hundred: O and four labels of one tag
NATURAL = [60, 25, 10, 4, 1]


def batch_of(label: int, others: str) -> torch.Tensor:
    """A batch about one label, from the natural distribution; tokens of other labels become O or are masked."""
    tags = torch.repeat_interleave(torch.arange(5), torch.tensor(NATURAL))
    return torch.where((tags == 0) | (tags == label), tags, 0 if others == "relabel" else IGNORE_INDEX)


# from a bias-only softmax; what one variant teaches is far from what another does
TABLE = {
    ("relabel", "none", "sum"): [0.900, 0.0625, 0.025, 0.010, 0.0025],
    ("mask", "none", "sum"): [0.871, 0.074, 0.036, 0.016, 0.004],
    ("mask", "batch", "sum"): [0.500, 0.257, 0.151, 0.072, 0.020],
    ("mask", "batch", "weighted-mean"): [0.500, 0.125, 0.125, 0.125, 0.125],
    ("all", "global", "sum"): [0.424, 0.331, 0.159, 0.068, 0.018],
}


def learned_from(batches: list[torch.Tensor], objective: BTL) -> Array:
    """What biases alone learn from such batches, each as often as the others."""
    biases = torch.zeros(5, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([biases], max_iter=500, tolerance_change=0, line_search_fn="strong_wolfe")

    def evaluate() -> torch.Tensor:
        optimiser.zero_grad()
        loss = torch.stack([objective.loss(biases.expand(100, 5), tags) for tags in batches]).mean()
        loss.backward()  # type: ignore[no-untyped-call, unused-ignore]
        return loss

    optimiser.step(evaluate)
    return np.asarray(torch.softmax(biases.detach(), dim=0).numpy())


def shares_of(batches: list[torch.Tensor]) -> Array:
    counts = np.stack([np.bincount(tags[tags >= 0].numpy(), minlength=5) for tags in batches])
    return np.asarray(counts / counts.sum(axis=1, keepdims=True))


@pytest.mark.parametrize(("others", "weight", "reduction"), list(TABLE))
def test_what_each_variant_teaches_a_model_without_text(others: str, weight: str, reduction: str) -> None:
    objective = BTL(NATURAL, options=options_of(weight, reduction))
    everything = torch.repeat_interleave(torch.arange(5), torch.tensor(NATURAL))
    batches = [everything] if others == "all" else [batch_of(label, others) for label in range(1, 5)]
    learned = learned_from(batches, objective)
    np.testing.assert_allclose(learned, TABLE[others, weight, reduction], atol=6e-4)
    np.testing.assert_allclose(objective.effective_prior(shares_of(batches)), learned, atol=1e-6)


@pytest.mark.parametrize(("weight", "reduction"), VARIANTS)
def test_a_masked_prior_is_undone_by_a_factor(weight: str, reduction: str) -> None:
    """What was learned on masked batches, times π / π̃, is the corpus' own again."""
    objective = BTL(NATURAL, options=options_of(weight, reduction))
    batches = [batch_of(label, "mask") for label in range(1, 5)]
    natural = np.array(NATURAL) / 100
    learned = learned_from(batches, objective)
    restored = learned * natural / objective.effective_prior(shares_of(batches))
    np.testing.assert_allclose(restored / restored.sum(), natural, atol=1e-6)
    assert np.abs(learned - natural).max() > 0.05


def test_a_relabelled_prior_is_undone_by_a_division() -> None:
    """With four labels as often each, what was learned of a label is divided by 1/4, and O takes what is left."""
    learned = learned_from(
        [batch_of(label, "relabel") for label in range(1, 5)], BTL(NATURAL, options=options_of("none", "sum"))
    )
    restored = np.array([1 - 4 * learned[1:].sum(), *(4 * learned[1:])])
    np.testing.assert_allclose(restored, np.array(NATURAL) / 100, atol=1e-5)


@pytest.mark.parametrize(("weight", "reduction"), VARIANTS)
def test_what_is_defined_on_a_batch_refuses_a_part(weight: str, reduction: str) -> None:
    objective = BTL(COUNTS, groups=GROUPS, options=options_of(weight, reduction))
    logits, tags = torch.zeros(4, 7), torch.tensor([0, 1, 2, IGNORE_INDEX])
    assert objective.loss(logits, tags, items=3).item() > 0
    if weight == "batch" or reduction == "weighted-mean":
        with pytest.raises(ValueError, match="holds 3 of its 6 targets: set gradient_accumulation_steps=1"):
            objective.loss(logits, tags, items=6)
    else:
        torch.testing.assert_close(2 * objective.loss(logits, tags, items=6), objective.loss(logits, tags))


def test_a_batch_of_one_tag_is_not_lost() -> None:
    objective = BTL(COUNTS, groups=GROUPS, options=options_of("batch", "sum"))
    logits = torch.zeros(3, 7)
    assert objective.loss(logits, torch.zeros(3, dtype=torch.int64)).item() == pytest.approx(np.log(7))
    # B- and I- of one label are one
    assert objective.loss(logits, torch.tensor([1, 2, 2])).item() == pytest.approx(np.log(7))


def test_an_unknown_variant_is_refused() -> None:
    with pytest.raises(ValueError, match="'none', 'batch' or 'global'"):
        options_of("in-batch", "sum")
