"""What every registered sampler must hold, with its default and with other options; a new one is covered by its name.

Tolerances: batches of several windows hold at most a quarter more than the budget (`per-class`: no more at all;
`random`: no bound by the budget, see there); tokens of an epoch are within 10 % of a plain epoch's; marginals are
within 15 % of what other epochs bring, and within 0.004 where a tag is rare.
"""

from __future__ import annotations

import json
import math
import os
import pickle
import subprocess
import sys
from collections.abc import Mapping
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch.utils.data import DataLoader, Dataset

from raretag.objectives.prior import UNSEEN_LOGIT
from raretag.sampling import SAMPLERS, Budget, Deferred, Draw, Windows, WindowSampler, sampler

TOKENS = 256
EPOCHS = 6
OPTIONS: list[tuple[str, dict[str, Any]]] = [
    *((name, {}) for name in SAMPLERS),
    ("repeat-factor", {"threshold": 0.6}),
    ("scr", {"sharpness": 4}),
    ("nscrd", {"sharpness": 0}),
    ("outside-thinning", {"keep": 0.1}),
    ("outside-thinning", {"keep": 1}),
    ("per-class", {"others": "relabel"}),
    ("per-class", {"others": "keep"}),
    ("per-class", {"order": "uniform", "without": 0.6}),
    ("per-class", {"order": "proportional", "others": "relabel", "without": None}),
    ("per-class", {"order": "round-robin", "without": 0}),
    ("balanced", {"start": 0.5}),
    ("per-class", {"start": 0.45, "others": "relabel"}),
    ("outside-thinning", {"start": 0.9}),
]


class Case:
    """A sampler's name and options, and how to build it."""

    def __init__(self, name: str, options: Mapping[str, Any], *, windows: Windows) -> None:
        self.name = name
        self.options = options
        self.windows = windows

    def build(self, *, seed: int = 5, rank: int = 0, processes: int = 1, epochs: int = EPOCHS) -> WindowSampler[Any]:
        budget = Budget(tokens=TOKENS, seed=seed, epochs=epochs, rank=rank, processes=processes)
        return sampler(self.name, windows=self.windows, budget=budget, **self.options)


@pytest.fixture(params=OPTIONS, ids=lambda one: "-".join([one[0], *map(str, one[1].values())]))
def case(request: pytest.FixtureRequest, corpus: Any) -> Case:
    name, options = request.param
    return Case(name, options, windows=corpus.windows)


def numbers(batches: Any) -> list[list[int]]:
    return [list(map(int, batch)) for batch in batches]


def attributes(batches: Any) -> list[list[tuple[int, ...]]]:
    draws = [[Draw.of(one) for one in batch] for batch in batches]
    return [[(int(one), one.focus, one.visit, one.stage) for one in batch] for batch in draws]


def test_each_epoch_has_as_many_batches_as_a_plain_one(case: Case) -> None:
    plain = sampler("length-bucketed", windows=case.windows, budget=Budget(tokens=TOKENS, seed=0))
    built = case.build()
    for epoch in range(EPOCHS + 2):
        built.set_epoch(epoch)
        assert len(list(built)) == len(built) == len(plain) == built.batches_in_epoch


def test_batches_keep_to_the_budget(case: Case) -> None:
    built = case.build()
    lengths = case.windows.lengths
    bound = 1.25 * TOKENS
    if case.name == "per-class" and case.options.get("without", 0) is not None and "start" not in case.options:
        bound = TOKENS
    if case.name == "random":
        bound = 1.01 * math.ceil(len(lengths) / built.batches_in_epoch) * lengths.max() + 1
    for epoch in range(EPOCHS):
        for batch in built.epoch_batches(epoch):
            assert batch
            assert all(0 <= one < len(lengths) for one in batch)
            assert len(batch) == 1 or len(batch) * lengths[numbers([batch])[0]].max() <= bound


def test_an_epoch_depends_on_seed_and_epoch_alone(case: Case) -> None:
    first, second = case.build(), case.build()
    second.epoch_batches(4)
    torch.rand(3)
    np.random.default_rng().random()
    for epoch in (0, 3, EPOCHS + 1):
        assert attributes(first.epoch_batches(epoch)) == attributes(second.epoch_batches(epoch))
    assert numbers(first.epoch_batches(0)) != numbers(first.epoch_batches(1))
    assert numbers(first.epoch_batches(0)) != numbers(case.build(seed=6).epoch_batches(0))


@pytest.mark.parametrize("processes", [2, 3, 5])
def test_processes_share_an_epoch(case: Case, processes: int) -> None:
    shares = []
    for rank in range(processes):
        built = case.build(rank=rank, processes=processes)
        built.set_epoch(2)
        shares.append(attributes(built))
    assert {len(share) for share in shares} == {math.ceil(len(case.build()) / processes)} == {len(built)}
    dealt = list(chain.from_iterable(zip(*shares, strict=True)))
    assert dealt == attributes(built.epoch_batches(2))


def test_no_window_is_lost_for_ever(case: Case) -> None:
    built = case.build()
    visited = {one for epoch in range(60) for batch in built.epoch_batches(epoch) for one in numbers([batch])[0]}
    reachable: Any = case.windows.lengths > 0
    if case.options.get("without") == 0 and case.name == "per-class":
        # batches of windows with their label only cannot hold a window without any
        reachable = (case.windows.label_counts > 0).any(axis=1)
        assert not reachable.all()
    assert visited == set(np.flatnonzero(reachable).tolist())


def test_an_epoch_costs_what_a_plain_one_costs(case: Case) -> None:
    """Not so for `per-class`, where a rare label's batch holds no more than its windows."""
    built = case.build()
    plain = int(case.windows.lengths.sum())
    for epoch in range(EPOCHS):
        found = sum(int(case.windows.lengths[batch].sum()) for batch in numbers(built.epoch_batches(epoch)))
        assert found <= 1.1 * plain
        if case.name != "per-class":
            assert found >= 0.9 * plain


def test_targets_are_tags_or_less(case: Case, corpus: Any) -> None:
    built = case.build()
    allowed = {-100, 0} if case.options.get("others") == "relabel" else {-100}
    for one in chain.from_iterable([*built.epoch_batches(0)[:6], *built.epoch_batches(EPOCHS - 1)[-6:]]):
        for tags, new in ((corpus.tags[one], allowed), (corpus.by_label[one], {-100})):
            found = built.targets(tags.copy(), one)
            assert found.dtype == np.int64
            assert found.shape == tags.shape
            assert set(found[found != tags].tolist()) <= new
            assert (found[tags == -100] == -100).all()
            # the same draw brings the same targets, in whichever process it is asked for
            np.testing.assert_array_equal(found, built.targets(tags.copy(), pickle.loads(pickle.dumps(one))))


def target_shares(built: WindowSampler[Any], tags: Any, epochs: range) -> list[npt.NDArray[np.float64]]:
    """Of each batch, the share of each tag among its targets; of (tokens, labels) each label's tags among all."""
    found = []
    for batch in chain.from_iterable(built.epoch_batches(epoch) for epoch in epochs):
        targets = np.concatenate([built.targets(tags[one], one) for one in batch])
        number = 3 if targets.ndim == 2 else 11
        counts = np.stack([(targets == tag).sum(axis=0) for tag in range(number)], axis=-1).astype(np.float64)
        found.append(counts / counts.sum())
    return found


def held(windows: Windows) -> npt.NDArray[np.bool_]:
    return np.asarray(windows.counts.sum(axis=0) > 0)


def test_the_effective_prior_is_a_distribution_over_tags_that_windows_hold(case: Case) -> None:
    built = case.build()
    prior = built.effective_prior()
    assert prior.dtype == np.float64
    assert prior.sum() == pytest.approx(1)
    assert ((prior > 0) == held(case.windows)).all()
    rows = built.marginals()
    assert (rows >= 0).all()
    np.testing.assert_allclose(rows.sum(axis=1), 1 / len(rows))
    np.testing.assert_allclose(rows.sum(axis=0), prior)
    by_label = shares_by_label(built)
    assert by_label.shape == (5, 3)
    np.testing.assert_allclose(by_label.sum(axis=1), 1)
    assert ((by_label[:, 1:] > 0).ravel() == held(case.windows)[1:]).all()
    assert (by_label[:, 0] > 0).all()


def shares_by_label(built: WindowSampler[Any]) -> npt.NDArray[np.float64]:
    """Of each label's own tags over all steps, (labels, tags of a label)."""
    totals = built.label_marginals().sum(axis=0)
    return np.asarray(totals / totals.sum(axis=1, keepdims=True))


def test_the_effective_prior_is_what_the_batches_it_is_measured_on_hold(case: Case, corpus: Any) -> None:
    """Exactly, where `targets` leaves nothing to luck; the last epochs, up to 1,024 batches and 8 epochs."""
    built = case.build()
    prior, by_label = built.effective_prior(), shares_by_label(built)[:4]
    if isinstance(built, Deferred):
        built = built.after
    number = min(8, math.ceil(1024 / built.batches_in_epoch))
    epochs = range(EPOCHS - 1, EPOCHS - 1 + number)
    tolerance = 0.02 if case.name == "outside-thinning" else 1e-12
    found = np.mean(target_shares(built, corpus.tags, epochs), axis=0)
    drawn = prior * (found > 0)
    # tags that no batch happened to hold have their small expected share
    assert drawn.sum() > 0.999
    np.testing.assert_allclose(drawn / drawn.sum(), found, atol=tolerance)
    labels = np.sum(target_shares(built, corpus.by_label, epochs), axis=0)[:4]
    drawn = by_label * (labels > 0)
    assert (drawn.sum(axis=1) > 0.998).all()
    np.testing.assert_allclose(
        drawn / drawn.sum(axis=1, keepdims=True),
        labels / labels.sum(axis=1, keepdims=True),
        atol=tolerance + 1e-4,
    )


def test_the_effective_prior_is_what_a_model_without_text_learns(case: Case, corpus: Any) -> None:
    """With the prior's logarithms as its biases, cross-entropy over other batches has a gradient of about 0."""
    prior = case.build().effective_prior()
    logits = np.where(prior > 0, np.log(np.maximum(prior, 1e-30)), UNSEEN_LOGIT)
    biases = torch.tensor(logits, requires_grad=True)
    other = case.build(seed=77)
    losses = []
    for batch in chain.from_iterable(other.epoch_batches(EPOCHS + epoch) for epoch in range(16)):
        targets = torch.from_numpy(np.concatenate([other.targets(corpus.tags[one], one) for one in batch]))
        losses.append(torch.nn.functional.cross_entropy(biases.expand(len(targets), -1), targets))
    torch.stack(losses).mean().backward()  # type: ignore[no-untyped-call, unused-ignore]
    assert biases.grad is not None
    # the gradient is the prior less what was learned
    assert (np.abs(biases.grad.numpy()) <= np.maximum(0.15 * prior, 0.004)).all(), biases.grad / prior


def test_label_marginals_are_what_a_model_without_text_learns(case: Case, corpus: Any) -> None:
    found = np.sum(target_shares(case.build(seed=77), corpus.by_label, range(EPOCHS, EPOCHS + 16)), axis=0)
    learned = found / np.maximum(found.sum(axis=1, keepdims=True), 1e-30)
    promised = shares_by_label(case.build())
    assert (np.abs(promised - learned)[:4] <= np.maximum(0.15 * promised[:4], 0.004)).all()
    assert promised[4].tolist() == [1, 0, 0]


class Numbers(Dataset[tuple[int, int, int]]):
    """What each draw carries, as the dataset is asked for it."""

    def __getitem__(self, index: int) -> tuple[int, int, int]:
        draw = Draw.of(index)
        return int(draw), draw.focus, draw.visit


def as_lists(rows: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    return rows


@pytest.mark.parametrize("name", ["length-bucketed", "per-class", "outside-thinning"])
def test_draws_reach_the_workers_of_a_data_loader(name: str, corpus: Any) -> None:
    built = Case(name, {}, windows=corpus.windows).build()
    built.set_epoch(3)
    loader = DataLoader(
        Numbers(), batch_sampler=built, num_workers=1, collate_fn=as_lists, multiprocessing_context="fork"
    )
    expected = [[(int(one), Draw.of(one).focus, Draw.of(one).visit) for one in batch] for batch in built]
    assert list(loader) == expected
    assert len(loader) == len(expected)


PROGRAM = """
import json, pickle, sys
from raretag.sampling import Budget, sampler

windows = pickle.load(sys.stdin.buffer)
found = []
for name in ("length-bucketed", "repeat-factor", "per-class"):
    built = sampler(name, windows=windows, budget=Budget(tokens=256, seed=5, epochs=6, rank=1, processes=2))
    built.set_epoch(2)
    found.append(list(built))
print(json.dumps(found))
"""


def test_a_process_of_its_own_takes_the_share_that_others_leave(corpus: Any) -> None:
    """Rank 1 runs in another interpreter, with other hashes; rank 0 here."""
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        input=pickle.dumps(corpus.windows),
        stdout=subprocess.PIPE,
        check=True,
        env={**os.environ, "PYTHONHASHSEED": "123", "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    for name, second in zip(("length-bucketed", "repeat-factor", "per-class"), json.loads(run.stdout), strict=True):
        built = Case(name, {}, windows=corpus.windows).build(rank=0, processes=2)
        built.set_epoch(2)
        assert list(chain.from_iterable(zip(numbers(built), second, strict=True))) == numbers(built.epoch_batches(2))


def test_an_epoch_reaches_the_sampler_through_accelerate(corpus: Any) -> None:
    """Which wraps it to share batches out among processes."""
    from accelerate import data_loader

    built = Case("length-bucketed", {}, windows=corpus.windows).build()
    whole = [list(map(list, built.epoch_batches(epoch))) for epoch in range(2)]
    for rank in range(2):
        loader = data_loader.prepare_data_loader(
            DataLoader(Numbers(), batch_sampler=built, collate_fn=as_lists),
            num_processes=2,
            process_index=rank,
            put_on_device=False,
        )
        for epoch in range(2):
            loader.set_epoch(epoch)
            drawn = [[one for one, _, _ in batch] for batch in loader]
            assert drawn[: len(whole[epoch]) // 2] == whole[epoch][rank::2][: len(whole[epoch]) // 2]


def test_marginals_are_those_of_the_batches_that_a_step_joins(corpus: Any) -> None:
    """The loss of a step is a mean over the targets of all processes."""
    budget = Budget(tokens=256, seed=5, epochs=1, processes=2)
    built = sampler("per-class", windows=corpus.windows, budget=budget)
    rows = []
    for batches in (built.epoch_batches(epoch) for epoch in range(8)):
        for first, second in zip(batches[::2], batches[1::2], strict=True):
            joined = np.concatenate([built.targets(corpus.tags[one], one) for one in (*first, *second)])
            rows.append(np.bincount(joined[joined >= 0], minlength=len(corpus.windows.groups)) / (joined >= 0).sum())
    told = built.marginals()
    drawn = told.sum(axis=0) * (np.sum(rows, axis=0) > 0)
    np.testing.assert_allclose(drawn / drawn.sum(), np.mean(rows, axis=0), atol=1e-9)
