"""What every registered objective must hold, with its default options; a new one is covered by being registered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from raretag.objectives import IGNORE_INDEX, OBJECTIVES, Objective, objective

# O, and B- and I- of three labels; the third has no I-
COUNTS = [60, 12, 20, 5, 2, 1, 0]
GROUPS = [0, 1, 1, 2, 2, 3, 3]
TAGS = len(COUNTS)


@pytest.fixture(params=list(OBJECTIVES))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def loss_of(name: str) -> Objective:
    return objective(name, counts=COUNTS, groups=GROUPS)


def batch(
    seed: int = 0, *, rows: int = 4, tokens: int = 9, dtype: torch.dtype = torch.float64
) -> tuple[Tensor, Tensor]:
    """Random logits, and targets of seen tags of which every third is ignored."""
    generator = torch.Generator().manual_seed(seed)
    logits = (3 * torch.randn(rows, tokens, TAGS, generator=generator, dtype=torch.float64)).to(dtype)
    tags = torch.randint(0, TAGS - 1, (rows, tokens), generator=generator)
    tags.view(-1)[::3] = IGNORE_INDEX
    return logits.requires_grad_(), tags


def gradient(loss: Tensor, logits: Tensor) -> Tensor:
    (found,) = torch.autograd.grad(loss, logits)
    return found


def test_the_order_of_tokens_does_not_matter(loss_of: Objective) -> None:
    logits, tags = batch()
    order = torch.randperm(tags.numel(), generator=torch.Generator().manual_seed(1))
    flat = logits.reshape(-1, TAGS)
    expected = loss_of.loss(logits, tags)
    torch.testing.assert_close(loss_of.loss(flat[order], tags.flatten()[order]), expected)
    assert expected.shape == ()
    assert expected.item() > 0


def test_ignored_tokens_have_no_part(loss_of: Objective) -> None:
    logits, tags = batch()
    kept = tags != IGNORE_INDEX
    loss = loss_of.loss(logits, tags)
    torch.testing.assert_close(loss, loss_of.loss(logits[kept], tags[kept]))
    slope = gradient(loss, logits)
    assert (slope[~kept] == 0).all()
    assert (slope[kept] != 0).any(dim=-1).all()
    noisy = torch.where(kept[..., None], logits, torch.inf)
    torch.testing.assert_close(loss_of.loss(noisy, tags), loss)


@pytest.mark.parametrize("fill", [0.0, 1e4, -1e4, -torch.inf, torch.finfo(torch.float32).min])
def test_with_every_token_ignored_it_is_zero(loss_of: Objective, fill: float) -> None:
    logits = torch.full((2, 3, TAGS), fill, requires_grad=True)
    loss = loss_of.loss(logits, torch.full((2, 3), IGNORE_INDEX))
    assert loss.item() == 0
    assert (gradient(loss, logits) == 0).all()


@pytest.mark.parametrize("shape", [(0, 5), (3, 0), (0,)])
def test_a_batch_of_length_zero_is_zero(loss_of: Objective, shape: tuple[int, ...]) -> None:
    logits = torch.zeros(*shape, TAGS, requires_grad=True)
    loss = loss_of.loss(logits, torch.zeros(shape, dtype=torch.int64), items=0)
    assert loss.item() == 0
    assert gradient(loss, logits).shape == logits.shape


def test_one_class_leaves_nothing_to_learn(name: str) -> None:
    only = objective(name, counts=[7], groups=[0])
    logits = torch.randn(2, 3, 1, dtype=torch.float64, requires_grad=True)
    loss = only.loss(logits, torch.zeros(2, 3, dtype=torch.int64))
    assert loss.item() == pytest.approx(0)
    torch.testing.assert_close(gradient(loss, logits), torch.zeros_like(logits))
    assert only.effective_prior().tolist() == [1.0]


@pytest.mark.parametrize("tag", range(TAGS))
def test_classes_absent_from_the_batch_do_no_harm(loss_of: Objective, tag: int) -> None:
    """One tag alone, among them the one that training never saw."""
    logits, tags = batch()
    loss = loss_of.loss(logits, torch.full_like(tags, tag))
    assert torch.isfinite(loss)
    assert loss.item() >= 0
    assert torch.isfinite(gradient(loss, logits)).all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_number_formats(loss_of: Objective, dtype: torch.dtype) -> None:
    logits, tags = batch(dtype=dtype)
    loss = loss_of.loss(logits, tags)
    assert loss.dtype == (torch.float64 if dtype == torch.float64 else torch.float32)
    assert gradient(loss, logits).dtype == dtype
    # what half precision loses is lost in the logits, not in the sum
    reference = loss_of.loss(logits.detach().double(), tags)
    assert loss.item() == pytest.approx(reference.item(), rel=1e-5)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_extreme_logits_are_finite(loss_of: Objective, dtype: torch.dtype) -> None:
    signs = torch.randint(0, 2, (50, TAGS), generator=torch.Generator().manual_seed(0)) * 2 - 1
    logits = (1e4 * signs).to(dtype).requires_grad_()
    loss = loss_of.loss(logits, torch.arange(50) % (TAGS - 1))
    assert torch.isfinite(loss)
    assert torch.isfinite(gradient(loss, logits)).all()


def test_gradients_add_up_over_accumulation(loss_of: Objective) -> None:
    logits, tags = batch(rows=5)
    items = int((tags != IGNORE_INDEX).sum())
    whole = loss_of.loss(logits, tags)
    expected = gradient(whole, logits)
    for divided in (items, torch.tensor(items)):
        parts = [loss_of.loss(logits[rows], tags[rows], items=divided) for rows in (slice(0, 1), slice(1, 5))]
        torch.testing.assert_close(parts[0] + parts[1], whole)
        torch.testing.assert_close(gradient(parts[0] + parts[1], logits), expected)


@pytest.mark.parametrize("ranks", [1, 2, 5])
def test_gradients_do_not_depend_on_the_number_of_processes(loss_of: Objective, ranks: int) -> None:
    """As in a Trainer: each process scales its loss by their number, and gradients are averaged."""
    logits, tags = batch(rows=5)
    items = int((tags != IGNORE_INDEX).sum())
    expected = gradient(loss_of.loss(logits, tags), logits)
    losses = [loss_of.loss(logits[r::ranks], tags[r::ranks], items=items) * ranks for r in range(ranks)]
    torch.testing.assert_close(gradient(torch.stack(losses).mean(), logits), expected)


def test_the_effective_prior_is_a_distribution_over_seen_tags(loss_of: Objective) -> None:
    prior = loss_of.effective_prior()
    assert prior.dtype == np.float64
    assert prior.shape == (TAGS,)
    assert prior.sum() == pytest.approx(1)
    assert ((prior > 0) == (np.array(COUNTS) > 0)).all()


def test_the_effective_prior_is_what_a_model_without_text_learns(loss_of: Objective) -> None:
    """Biases alone see targets that no text explains; their optimum is the marginals that an objective promises."""
    targets = torch.repeat_interleave(torch.arange(TAGS), torch.tensor(COUNTS))
    biases = torch.zeros(TAGS, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([biases], max_iter=500, tolerance_grad=1e-12, line_search_fn="strong_wolfe")

    def evaluate() -> Tensor:
        optimiser.zero_grad()
        loss = loss_of.loss(biases.expand(len(targets), TAGS), targets)
        loss.backward()
        return loss

    optimiser.step(evaluate)
    learned = torch.softmax(biases.detach(), dim=0).numpy()
    np.testing.assert_allclose(learned, loss_of.effective_prior(), atol=1e-5)


def test_the_call_that_a_trainer_makes(loss_of: Objective) -> None:
    logits, tags = batch()
    outputs = type("Output", (), {"logits": logits})()
    expected = loss_of.loss(logits, tags)
    torch.testing.assert_close(loss_of(outputs, tags), expected)
    torch.testing.assert_close(loss_of({"logits": logits}, tags), expected)
    doubled = loss_of(outputs, tags, num_items_in_batch=torch.tensor(2 * int((tags != IGNORE_INDEX).sum())))
    torch.testing.assert_close(2 * doubled, expected)


def trained_by_hugging_face(loss_of: Objective, *, encoder: Path, out: Path, rows: int, accumulate: int) -> Tensor:
    """The classifier's weights after one optimiser step on four windows."""
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
        gradient_accumulation_steps=accumulate,
        max_steps=1,
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


def test_a_hugging_face_trainer_accumulates_to_the_same_step(
    loss_of: Objective, tiny_encoder: Path, tmp_path: Path
) -> None:
    steps = [
        trained_by_hugging_face(loss_of, encoder=tiny_encoder, out=tmp_path, rows=rows, accumulate=4 // rows)
        for rows in (4, 1)
    ]
    torch.testing.assert_close(steps[0], steps[1])


def test_what_does_not_fit_is_refused(loss_of: Objective) -> None:
    logits, tags = batch()
    for wrong_logits, wrong_tags in ((logits[:1], tags), (logits[..., 1:], tags), (logits, tags[:, 1:])):
        with pytest.raises(ValueError, match="do not fit"):
            loss_of.loss(wrong_logits, wrong_tags)
    for target in (-1, TAGS):
        with pytest.raises(ValueError, match="tag ids from 0 to 6"):
            loss_of.loss(logits, torch.full_like(tags, target))


@pytest.mark.parametrize("counts", [[], [0, 0], [1, -1], [1, float("nan")], [1, float("inf")], [[1, 2]], 3])
def test_counts_that_are_none_are_refused(name: str, counts: Any) -> None:
    with pytest.raises(ValueError, match="one number >= 0 for each tag"):
        objective(name, counts=counts)
