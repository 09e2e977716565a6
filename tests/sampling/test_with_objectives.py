"""Objective and sampler together: what a model without text learns from batches that are really drawn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from raretag.objectives import objective
from raretag.objectives.per_label import per_label
from raretag.sampling import Budget, sampler

SAMPLERS: list[tuple[str, dict[str, Any]]] = [
    ("length-bucketed", {}),
    ("per-class", {}),
    ("per-class", {"others": "keep"}),
    ("balanced", {}),
]
LOSSES: list[tuple[str, dict[str, Any]]] = [
    ("cross-entropy", {}),
    ("weighted", {"gamma": 1.0}),
    ("focal", {}),
    ("logit-adjusted", {"tau": 0.5}),
    ("btl", {"weight": "batch"}),
    ("btl", {"weight": "global", "reduction": "weighted-mean"}),
    ("btl", {"weight": "batch", "reduction": "weighted-mean"}),
]


def learned(loss: Any, batches: list[torch.Tensor], shut: torch.Tensor) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The softmax of biases, of the shape of `shut`, that make the mean loss of the batches least."""
    biases = torch.zeros_like(shut, requires_grad=True)
    optimiser = torch.optim.LBFGS([biases], max_iter=40, tolerance_change=0, line_search_fn="strong_wolfe")

    def evaluate() -> torch.Tensor:
        optimiser.zero_grad()
        losses = [loss.loss((biases + shut).expand(len(tags), *shut.shape), tags) for tags in batches]
        total = torch.stack(losses).mean()
        total.backward()  # type: ignore[no-untyped-call, unused-ignore]
        return total

    optimiser.step(evaluate)
    return np.asarray(torch.softmax((biases + shut).detach(), dim=-1).numpy())


def drawn(built: Any, tags: Any) -> list[torch.Tensor]:
    """The targets of the batches that marginals are measured on."""
    batches = [batch for epoch in range(8) for batch in built.epoch_batches(epoch)]
    found = [torch.from_numpy(np.concatenate([built.targets(tags[one], one) for one in batch])) for batch in batches]
    return [one for one in found if bool((one >= 0).any())]


@pytest.mark.parametrize(("name", "sampling"), SAMPLERS)
@pytest.mark.parametrize(("loss", "options"), LOSSES)
def test_the_told_prior_is_the_learned_one(
    name: str, sampling: dict[str, Any], loss: str, options: dict[str, Any], corpus: Any
) -> None:
    windows = corpus.windows
    built = sampler(name, windows=windows, budget=Budget(tokens=256, seed=5), **sampling)
    counts = windows.counts.sum(axis=0)
    loss_of = objective(loss, counts=counts, groups=windows.groups, **options)
    told = loss_of.effective_prior(built.marginals())
    # a tag that no batch happened to hold is learned to be impossible, but told its expected share
    shut = torch.where(torch.from_numpy(counts) == 0, -1e4, 0.0).double()
    found = learned(loss_of, drawn(built, corpus.tags), shut)
    assert 0.5 * np.abs(told - found).sum() < 0.004
    often = found > 0.005
    np.testing.assert_allclose(told[often], found[often], rtol=0.03)


@pytest.mark.parametrize("name", ["length-bucketed", "per-class"])
@pytest.mark.parametrize(("loss", "options"), [LOSSES[4], LOSSES[6]])
def test_and_for_each_label_of_its_own(name: str, loss: str, options: dict[str, Any], corpus: Any) -> None:
    built = sampler(name, windows=corpus.windows, budget=Budget(tokens=256, seed=5))
    batches = drawn(built, corpus.by_label)
    counts = np.stack([np.bincount(column[column >= 0], minlength=3) for column in np.concatenate(corpus.by_label).T])
    loss_of = per_label(loss, counts=counts, **options)
    told = loss_of.effective_prior(built.label_marginals())
    shut = torch.where(torch.from_numpy(counts) == 0, -1e4, 0.0).double()
    found = learned(loss_of, batches, shut)
    assert (0.5 * np.abs(told - found).sum(axis=1) < 0.01).all()
