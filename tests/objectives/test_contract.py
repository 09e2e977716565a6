"""What every registered objective and regulariser must hold; a new one is covered by being registered."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor

from raretag.errors import UsageError
from raretag.objectives import IGNORE_INDEX, OBJECTIVES, REGULARISERS, Objective, objective

# O, and B- and I- of three labels; the third has no I-
COUNTS = [60, 12, 20, 5, 2, 1, 0]
GROUPS = [0, 1, 1, 2, 2, 3, 3]
TAGS = len(COUNTS)


class Case(NamedTuple):
    """An objective with options; what is not told is left at its default."""

    name: str
    options: Mapping[str, Any] = {}
    regularisers: Mapping[str, Mapping[str, Any]] = {}
    start: float = 0.0

    def build(self, counts: npt.ArrayLike, groups: npt.ArrayLike | None = None) -> Objective[Any]:
        built = objective(
            self.name,
            counts=counts,
            groups=groups,
            regularisers=self.regularisers,
            start=self.start,
            **self.options,
        )
        built.advance(0.0)
        return built


def shown(case: Case) -> str:
    parts = [case.name, *(f"{key}={value}" for key, value in case.options.items()), *case.regularisers]
    return "+".join([*parts, *([f"start={case.start}"] if case.start else [])])


CASES = [
    *(Case(name) for name in OBJECTIVES),
    *(Case("cross-entropy", regularisers={name: {}}) for name in REGULARISERS),
    *(Case("btl", {"weight": weight}) for weight in ("none", "batch")),
    Case("btl", {"weight": "batch", "reduction": "weighted-mean"}),
    Case("weighted", {"gamma": 1.0, "cap": 1000.0, "tie": False}),
    Case("focal", {"gamma": 0.5}),
    Case("label-smoothing", {"towards": "prior", "entities_only": True}),
    Case("boundary-smoothing", {"size": 2}),
    Case("logit-adjusted", {"tau": 0.4}),
    Case("weighted", regularisers={"prior-kl": {}, "confidence-penalty": {}}),
    Case("weighted", start=0.8),
]


@pytest.fixture(params=CASES, ids=shown)
def case(request: pytest.FixtureRequest) -> Case:
    found = request.param
    assert isinstance(found, Case)
    return found


@pytest.fixture
def loss_of(case: Case) -> Objective[Any]:
    return case.build(COUNTS, GROUPS)


def batch(
    seed: int = 0, *, rows: int = 4, tokens: int = 9, dtype: torch.dtype = torch.float64
) -> tuple[Tensor, Tensor]:
    """Random logits, and targets of seen tags of which every third is ignored."""
    generator = torch.Generator().manual_seed(seed)
    logits = (3 * torch.randn(rows, tokens, TAGS, generator=generator, dtype=torch.float64)).to(dtype)
    tags = torch.randint(0, TAGS - 1, (rows, tokens), generator=generator)
    tags.view(-1)[::3] = IGNORE_INDEX
    return logits.requires_grad_(), tags


def seasoned(loss_of: Objective[Any]) -> Objective[Any]:
    """The same after a batch, so that running statistics are no longer those of the start."""
    logits, tags = batch(seed=99)
    loss_of.loss(logits, tags)
    return loss_of


def loss_and_gradient(loss_of: Objective[Any], logits: Tensor, tags: Tensor, **more: Any) -> tuple[Tensor, Tensor]:
    """Of a copy: running statistics stay as they are."""
    loss = copy.deepcopy(loss_of).loss(logits, tags, **more)
    (slope,) = torch.autograd.grad(loss, logits)
    return loss.detach(), slope


def test_the_order_of_tokens_does_not_matter(loss_of: Objective[Any]) -> None:
    """Of tokens; of windows for objectives that look at neighbours."""
    logits, tags = batch()
    expected, slope = loss_and_gradient(seasoned(loss_of), logits, tags)
    if loss_of.sequential:
        order = torch.tensor([2, 0, 3, 1])
        got, moved = loss_and_gradient(loss_of, logits[order], tags[order])
        torch.testing.assert_close(moved, slope[order])
    else:
        order = torch.randperm(tags.numel(), generator=torch.Generator().manual_seed(1))
        got, moved = loss_and_gradient(loss_of, logits.reshape(-1, TAGS)[order], tags.flatten()[order])
    torch.testing.assert_close(got, expected)
    assert expected.shape == ()
    assert torch.isfinite(expected)


def test_ignored_tokens_have_no_part(loss_of: Objective[Any]) -> None:
    logits, tags = batch()
    kept = tags != IGNORE_INDEX
    loss, slope = loss_and_gradient(seasoned(loss_of), logits, tags)
    assert (slope[~kept] == 0).all()
    assert (slope[kept] != 0).any(dim=-1).all()
    noisy = torch.where(kept[..., None], logits, torch.inf)
    torch.testing.assert_close(loss_and_gradient(loss_of, noisy, tags)[0], loss)
    if not loss_of.sequential:
        torch.testing.assert_close(copy.deepcopy(loss_of).loss(logits[kept], tags[kept]).detach(), loss)


@pytest.mark.parametrize("fill", [0.0, 1e4, -1e4, -torch.inf, torch.finfo(torch.float32).min])
def test_with_every_token_ignored_it_is_zero(loss_of: Objective[Any], fill: float) -> None:
    logits = torch.full((2, 3, TAGS), fill, requires_grad=True)
    loss, slope = loss_and_gradient(seasoned(loss_of), logits, torch.full((2, 3), IGNORE_INDEX))
    assert loss.item() == 0
    assert (slope == 0).all()


@pytest.mark.parametrize("shape", [(0, 5), (3, 0), (0,)])
def test_a_batch_of_length_zero_is_zero(loss_of: Objective[Any], shape: tuple[int, ...]) -> None:
    logits = torch.zeros(*shape, TAGS, requires_grad=True)
    loss, slope = loss_and_gradient(seasoned(loss_of), logits, torch.zeros(shape, dtype=torch.int64), items=0)
    assert loss.item() == 0
    assert slope.shape == logits.shape


def test_one_class_leaves_nothing_to_learn(case: Case) -> None:
    only = case.build([7], [0])
    logits = torch.randn(2, 3, 1, dtype=torch.float64, requires_grad=True)
    for _ in range(2):
        loss, slope = loss_and_gradient(only, logits, torch.zeros(2, 3, dtype=torch.int64))
        assert torch.isfinite(loss)
        torch.testing.assert_close(slope, torch.zeros_like(logits))
        only.loss(logits, torch.zeros(2, 3, dtype=torch.int64))
    assert only.effective_prior().tolist() == [1.0]


@pytest.mark.parametrize("tag", range(TAGS))
def test_classes_absent_from_the_batch_do_no_harm(loss_of: Objective[Any], tag: int) -> None:
    """One tag alone, among them the one that training never saw."""
    logits, tags = batch()
    for _ in range(3):
        loss, slope = loss_and_gradient(loss_of, logits, torch.full_like(tags, tag))
        assert torch.isfinite(loss)
        assert torch.isfinite(slope).all()
        loss_of.loss(logits, torch.full_like(tags, tag))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_number_formats(loss_of: Objective[Any], dtype: torch.dtype) -> None:
    logits, tags = batch(dtype=dtype)
    loss, slope = loss_and_gradient(seasoned(loss_of), logits, tags)
    assert loss.dtype == (torch.float64 if dtype == torch.float64 else torch.float32)
    assert slope.dtype == dtype
    # what half precision loses is lost in the logits, not in the sum
    reference = copy.deepcopy(loss_of).loss(logits.detach().double(), tags)
    assert loss.item() == pytest.approx(reference.item(), rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_extreme_logits_are_finite(loss_of: Objective[Any], dtype: torch.dtype) -> None:
    signs = torch.randint(0, 2, (50, TAGS), generator=torch.Generator().manual_seed(0)) * 2 - 1
    logits = (1e4 * signs).to(dtype).requires_grad_()
    tags = torch.arange(50) % (TAGS - 1)
    for _ in range(3):
        loss, slope = loss_and_gradient(loss_of, logits, tags)
        assert torch.isfinite(loss)
        assert torch.isfinite(slope).all()
        loss_of.loss(logits, tags)


def in_parts(loss_of: Objective[Any], logits: Tensor, tags: Tensor, *, items: Tensor | int) -> Tensor:
    """The loss of five rows in two passes."""
    part = copy.deepcopy(loss_of)
    return part.loss(logits[:1], tags[:1], items=items) + part.loss(logits[1:], tags[1:], items=items)


def test_gradients_add_up_over_accumulation(loss_of: Objective[Any]) -> None:
    """Or the objective says that it cannot be had in parts."""
    logits, tags = batch(rows=5)
    items = int((tags != IGNORE_INDEX).sum())
    expected, slope = loss_and_gradient(seasoned(loss_of), logits, tags)
    for divided in (items, torch.tensor(items)):
        if loss_of.whole_batch:
            with pytest.raises(ValueError, match="whole batch"):
                in_parts(loss_of, logits, tags, items=divided)
            torch.testing.assert_close(loss_and_gradient(loss_of, logits, tags, items=divided), (expected, slope))
            continue
        parts = in_parts(loss_of, logits, tags, items=divided)
        torch.testing.assert_close(parts.detach(), expected)
        torch.testing.assert_close(torch.autograd.grad(parts, logits)[0], slope)


def test_what_is_remembered_does_not_depend_on_accumulation(loss_of: Objective[Any]) -> None:
    if loss_of.whole_batch:
        return
    logits, tags = batch(rows=5)
    items = int((tags != IGNORE_INDEX).sum())
    whole, parts = seasoned(loss_of), copy.deepcopy(loss_of)
    whole.loss(logits, tags)
    for rows in (slice(0, 1), slice(1, 5)):
        parts.loss(logits[rows], tags[rows], items=items)
    following = batch(seed=5)
    torch.testing.assert_close(loss_and_gradient(parts, *following), loss_and_gradient(whole, *following))


@pytest.mark.parametrize("ranks", [1, 2, 5])
def test_gradients_do_not_depend_on_the_number_of_processes(loss_of: Objective[Any], ranks: int) -> None:
    """As in a Trainer: each process scales its loss by their number, and gradients are averaged."""
    logits, tags = batch(rows=5)
    items = int((tags != IGNORE_INDEX).sum())
    _, expected = loss_and_gradient(seasoned(loss_of), logits, tags)
    if loss_of.whole_batch and ranks > 1:
        return
    losses = [copy.deepcopy(loss_of).loss(logits[r::ranks], tags[r::ranks], items=items) * ranks for r in range(ranks)]
    (slope,) = torch.autograd.grad(torch.stack(losses).mean(), logits)
    torch.testing.assert_close(slope, expected)


def test_judging_leaves_no_trace(loss_of: Objective[Any]) -> None:
    """Without gradients nothing is learned, so nothing is remembered."""
    before = {key: value.clone() for key, value in seasoned(loss_of).state_dict().items()}
    logits, tags = batch(seed=7)
    with torch.no_grad():
        loss_of.loss(logits.detach(), tags)
    torch.testing.assert_close(dict(loss_of.state_dict()), before)


def test_save_and_load(case: Case, loss_of: Objective[Any], tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    seasoned(loss_of)
    save_file(dict(loss_of.state_dict()), tmp_path / "state")
    again = case.build(COUNTS, GROUPS)
    again.load_state_dict(load_file(tmp_path / "state"))
    for share in (0.0, 0.9):
        for one in (loss_of, again):
            one.advance(share)
        for seed in range(3):
            logits, tags = batch(seed)
            torch.testing.assert_close(again.loss(logits, tags), loss_of.loss(logits, tags), rtol=0, atol=0)


MARGINALS = [None, [30, 30, 20, 5, 10, 5, 0]]


@pytest.mark.parametrize("marginals", MARGINALS, ids=["training", "sampled"])
def test_the_effective_prior_is_a_distribution_over_seen_tags(
    loss_of: Objective[Any], marginals: list[float] | None
) -> None:
    prior = loss_of.effective_prior(marginals)
    assert prior.dtype == np.float64
    assert prior.shape == (TAGS,)
    assert prior.sum() == pytest.approx(1)
    assert (prior >= 0).all()
    assert prior[-1] == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("marginals", MARGINALS, ids=["training", "sampled"])
def test_the_effective_prior_is_what_a_model_without_text_learns(
    case: Case, loss_of: Objective[Any], marginals: list[int] | None
) -> None:
    """Biases alone see targets that no text explains; gradient descent ends at the marginals that are promised.

    Objectives with running statistics are followed step by step, as in training; so is seesaw, whose factors count as
    constants: its gradient is that of no function. The others go by L-BFGS.
    """
    counts = torch.tensor(COUNTS if marginals is None else marginals)
    # tags in an order in which windows begin and end mentions, for objectives that look at neighbours
    targets = torch.repeat_interleave(torch.arange(TAGS), counts)
    targets = targets[torch.randperm(len(targets), generator=torch.Generator().manual_seed(0))]
    loss_of.advance(1.0)
    biases = torch.zeros(TAGS, dtype=torch.float64, requires_grad=True)
    unseen = torch.where(counts == 0, -1e4, 0.0)

    def evaluate() -> Tensor:
        optimiser.zero_grad()
        loss = loss_of.loss((biases + unseen).expand(len(targets), TAGS), targets)
        loss.backward()
        return loss

    optimiser: torch.optim.Optimizer
    if loss_of.state_dict() or case.name == "seesaw":
        optimiser = torch.optim.Adam([biases], lr=0.05)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, 1500)
        for _ in range(1500):
            evaluate()
            optimiser.step()
            schedule.step()
    else:
        optimiser = torch.optim.LBFGS([biases], max_iter=500, tolerance_grad=1e-12, line_search_fn="strong_wolfe")
        optimiser.step(evaluate)
    learned = torch.softmax((biases + unseen).detach(), dim=0).numpy()
    told = loss_of.effective_prior(marginals)
    np.testing.assert_allclose(learned, told, atol=2e-3)
    if isinstance(optimiser, torch.optim.LBFGS) and case.name != "self-adjusting-dice":
        # rare tags are what it is about
        np.testing.assert_allclose(learned, told, rtol=0.02, atol=1e-9)


def test_the_call_that_a_trainer_makes(loss_of: Objective[Any]) -> None:
    logits, tags = batch()
    outputs = type("Output", (), {"logits": logits})()
    items = torch.tensor(int((tags != IGNORE_INDEX).sum()))
    expected, _ = loss_and_gradient(seasoned(loss_of), logits, tags)
    for given in (outputs, {"logits": logits}):
        torch.testing.assert_close(copy.deepcopy(loss_of)(given, tags).detach(), expected)
        torch.testing.assert_close(copy.deepcopy(loss_of)(given, tags, num_items_in_batch=items).detach(), expected)


def trained_by_hugging_face(loss_of: Objective[Any], *, encoder: Path, out: Path, rows: int) -> Tensor:
    """The classifier's weights after three optimiser steps of four windows, `rows` in a pass."""
    from transformers import AutoModelForTokenClassification, Trainer, TrainingArguments

    torch.manual_seed(0)
    model = AutoModelForTokenClassification.from_pretrained(
        encoder, num_labels=TAGS, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0
    )
    _, tags = batch(rows=4)
    tags[0, 1:] = IGNORE_INDEX
    data: Any = [{"input_ids": list(range(5, 14)), "labels": row.tolist()} for row in tags]
    arguments = TrainingArguments(
        output_dir=str(out),
        per_device_train_batch_size=rows,
        gradient_accumulation_steps=4 // rows,
        max_steps=3,
        max_grad_norm=0,
        learning_rate=0.5,
        lr_scheduler_type="constant",
        optim="sgd",
        report_to="none",
        save_strategy="no",
        disable_tqdm=True,
        use_cpu=True,
        dataloader_pin_memory=False,
    )
    Trainer(model=model, args=arguments, train_dataset=data, compute_loss_func=loss_of).train()
    weights: Tensor = model.classifier.weight
    return weights.detach().clone()


def test_a_hugging_face_trainer_accumulates_to_the_same_steps(case: Case, tiny_encoder: Path, tmp_path: Path) -> None:
    whole = trained_by_hugging_face(case.build(COUNTS, GROUPS), encoder=tiny_encoder, out=tmp_path, rows=4)
    divided = case.build(COUNTS, GROUPS)
    if divided.whole_batch:
        with pytest.raises(ValueError, match="whole batch"):
            trained_by_hugging_face(divided, encoder=tiny_encoder, out=tmp_path, rows=1)
    else:
        parts = trained_by_hugging_face(divided, encoder=tiny_encoder, out=tmp_path, rows=1)
        torch.testing.assert_close(parts, whole)


def test_what_does_not_fit_is_refused(loss_of: Objective[Any]) -> None:
    logits, tags = batch()
    for wrong_logits, wrong_tags in ((logits[:1], tags), (logits[..., 1:], tags), (logits, tags[:, 1:])):
        with pytest.raises(ValueError, match="do not fit"):
            loss_of.loss(wrong_logits, wrong_tags)
    for target in (-1, TAGS):
        with pytest.raises(ValueError, match="tag ids from 0 to 6"):
            loss_of.loss(logits, torch.full_like(tags, target))
    for marginals in ([1, 2], [0] * TAGS, [-1] + [1] * (TAGS - 1), [float("nan")] * TAGS):
        with pytest.raises(ValueError, match="marginals must hold 7 numbers"):
            loss_of.effective_prior(marginals)


@pytest.mark.parametrize("counts", [[], [0, 0], [1, -1], [1, float("nan")], [1, float("inf")], [[1, 2]], 3])
def test_counts_that_are_none_are_refused(case: Case, counts: Any) -> None:
    with pytest.raises(UsageError, match="one number >= 0 for each tag"):
        case.build(counts)


@pytest.mark.parametrize("groups", [[0], [0.5] * TAGS, [[0] * TAGS], "abc"])
def test_groups_that_do_not_fit_are_refused(case: Case, groups: Any) -> None:
    with pytest.raises(UsageError, match="one whole number for each of the 7 tags"):
        case.build(COUNTS, groups)


@pytest.mark.parametrize(
    "groups", [[1, 1, 2, 2, 3, 3, 0], [0, 0, 1, 1, 2, 2, 3], [0, 1, 1, 3, 3, 4, 4], [-1, 0, 1, 2, 3, 4, 5]]
)
def test_groups_begin_with_outside_and_have_no_gap(case: Case, groups: list[int]) -> None:
    with pytest.raises(UsageError, match="0 for tag 0, which is O"):
        case.build(COUNTS, groups)


def test_one_process_with_several_devices_is_refused(loss_of: Objective[Any]) -> None:
    """Hugging Face then hands over the number of items once a device."""
    logits, tags = batch()
    with pytest.raises(ValueError, match="torchrun"):
        loss_of.loss(logits, tags, items=torch.tensor([[20], [20]]))


def test_a_tag_that_is_shut_off_has_no_part(loss_of: Objective[Any]) -> None:
    """Some mask tags that training never saw with −∞."""
    logits, tags = batch()
    with torch.no_grad():
        logits[..., -1] = -torch.inf
    loss, slope = loss_and_gradient(seasoned(loss_of), logits, tags)
    assert torch.isfinite(loss)
    assert torch.isfinite(slope).all()
    assert (slope[..., -1] == 0).all()


def test_a_pass_that_was_broken_off_leaves_nothing(loss_of: Objective[Any]) -> None:
    logits, tags = batch(rows=5)
    items = int((tags != IGNORE_INDEX).sum())
    if loss_of.whole_batch:
        return
    clean = copy.deepcopy(seasoned(loss_of))
    loss_of.loss(logits[:2], tags[:2], items=items)
    for one in (loss_of, clean):
        one.advance(0.0)
        one.loss(logits, tags, items=items)
    torch.testing.assert_close(dict(loss_of.state_dict()), dict(clean.state_dict()))
