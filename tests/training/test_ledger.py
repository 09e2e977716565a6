from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from transformers import BertConfig, BertForTokenClassification, Trainer, TrainerState, TrainingArguments

from raretag.errors import DataError
from raretag.objectives import Objective, objective
from raretag.objectives.base import IGNORE_INDEX
from raretag.training.history import History, read_history
from raretag.training.ledger import Ledger
from raretag.training.ledger_records import read_ledger
from raretag.training.ledger_targets import LayeredTargets, SharedTargets

LABELS = ("Common", "Rare", "Never")
GROUPS = [0, 1, 1, 2, 2, 3, 3]
COUNTS = [600, 200, 100, 5, 2, 0, 0]
TAGS = len(COUNTS)
WIDTH = 6


def batch(seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    hidden = torch.randn(3, 8, WIDTH, generator=generator)
    tags = torch.randint(0, 5, (3, 8), generator=generator)
    tags[:, -2:] = IGNORE_INDEX
    return hidden, tags


def ledger(
    loss: Objective[Any], *, folder: Path, head: torch.nn.Module | None = None, steps: int = 50, **more: Any
) -> Ledger:
    history = History(folder / "history.jsonl", step=0)
    return Ledger(loss, labels=LABELS, head=head or torch.nn.Linear(WIDTH, TAGS), history=history, steps=steps, **more)


def state(step: int) -> TrainerState:
    found = TrainerState()
    found.global_step = step
    return found


def arguments(folder: Path) -> TrainingArguments:
    return TrainingArguments(output_dir=str(folder), use_cpu=True, report_to="none")


def step(book: Ledger, head: torch.nn.Linear, *, seed: int, parts: int = 1) -> None:
    """One optimiser step on a batch, in as many passes as asked for."""
    hidden, tags = batch(seed)
    items = int((tags != IGNORE_INDEX).sum())
    head.zero_grad()
    for windows, gold in zip(hidden.chunk(parts), tags.chunk(parts), strict=True):
        book({"logits": head(windows)}, gold, items).backward()  # type: ignore[no-untyped-call, unused-ignore]
    book.on_pre_optimizer_step(None, state(0), None)  # type: ignore[arg-type]


@pytest.mark.parametrize("items", [None, 40, torch.tensor(40)])
@pytest.mark.parametrize(
    ("name", "options"), [("cross-entropy", {}), ("btl", {"weight": "global"}), ("btl", {"weight": "none"})]
)
def test_loss_and_gradient_are_the_objectives_own_to_the_bit(
    tmp_path: Path, name: str, options: dict[str, Any], items: Any
) -> None:
    loss = objective(name, counts=COUNTS, groups=GROUPS, **options)
    hidden, tags = batch()
    results = []
    for compute in (loss, ledger(loss, folder=tmp_path)):
        logits = hidden.repeat(1, 1, 2)[..., :TAGS].clone().requires_grad_()
        value = compute({"logits": logits}, tags, items)
        value.backward()  # type: ignore[no-untyped-call, unused-ignore]
        results.append((value.detach(), logits.grad))
    assert torch.equal(results[0][0], results[1][0])
    assert results[0][1] is not None
    assert results[1][1] is not None
    assert torch.equal(results[0][1], results[1][1])


def test_a_part_of_a_whole_batch_is_refused(tmp_path: Path) -> None:
    book = ledger(objective("btl", counts=COUNTS, groups=GROUPS, weight="batch"), folder=tmp_path)
    _, tags = batch()
    with pytest.raises(ValueError, match="gradient_accumulation_steps=1"):
        book({"logits": torch.zeros(3, 8, TAGS)}, tags, 99)


def test_no_target_and_no_gradient_are_no_entries(tmp_path: Path) -> None:
    book = ledger(objective("cross-entropy", counts=COUNTS, groups=GROUPS), folder=tmp_path)
    _, tags = batch()
    logits = torch.zeros(3, 8, TAGS, requires_grad=True)
    assert book({"logits": logits}, torch.full_like(tags, IGNORE_INDEX), 0) == 0
    with torch.no_grad():
        book({"logits": torch.zeros(3, 8, TAGS)}, tags)
    book.on_pre_optimizer_step(None, state(1), None)  # type: ignore[arg-type]
    book.on_train_end(None, state(1), None)  # type: ignore[arg-type]
    found = read_ledger(tmp_path / "history.jsonl")
    assert found.targets.sum() == found.loss.sum() == found.pull.sum() == 0
    assert np.isnan(found.loss_share).all()
    assert np.isnan(found.gradient_share).all()


@pytest.mark.parametrize("parts", [1, 3])
def test_the_books_agree_with_numpy(tmp_path: Path, parts: int) -> None:
    torch.manual_seed(0)
    head = torch.nn.Linear(WIDTH, TAGS)
    book = ledger(objective("cross-entropy", counts=COUNTS, groups=GROUPS), folder=tmp_path, head=head)
    step(book, head, seed=1, parts=parts)
    book.on_train_end(None, state(1), None)  # type: ignore[arg-type]
    found = read_ledger(tmp_path / "history.jsonl")
    assert found.labels == ("O", *LABELS)

    hidden, tags = (tensor.numpy() for tensor in batch(1))
    x, y = hidden[tags != IGNORE_INDEX].astype(float), tags[tags != IGNORE_INDEX]
    z = x @ head.weight.detach().numpy().astype(float).T + head.bias.detach().numpy()
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    error = (p - np.eye(TAGS)[y]) / len(y)
    rows = np.column_stack([error.T @ x, error.sum(axis=0)])
    for group in range(4):
        mine = np.isin(y, np.flatnonzero(np.array(GROUPS) == group))
        q = p[:, np.array(GROUPS) == group].sum(axis=1)
        expected = {
            "targets": mine.sum(),
            "loss": -np.log(p[mine, y[mine]]).sum() / len(y),
            "gradient": np.sqrt((rows[np.array(GROUPS) == group] ** 2).sum()),
            "pull": (1 - q[mine]).sum() / len(y),
            "push": q[~mine].sum() / len(y),
        }
        for name, value in expected.items():
            assert getattr(found, name)[0, group] == pytest.approx(value, rel=1e-4), (name, group)
    assert found.loss_share.sum() == pytest.approx(1, abs=1e-5)
    assert found.gradient_share.sum() == pytest.approx(1, abs=1e-5)
    assert found.targets[0, 3] == found.loss_share[0, 3] == 0


def test_a_head_that_keeps_labels_apart(tmp_path: Path) -> None:
    """A slot belongs to its label whatever its tag; there is nothing outside all labels."""
    tags = torch.tensor([[[0, 1, -100], [2, 0, 0]]])
    targets = LayeredTargets()
    assert targets.groups(tags).tolist() == [1, 2, 1, 2, 3]
    gradient = torch.zeros(1, 2, 3, 3)
    gradient[0, 0, 1] = torch.tensor([0.3, -0.5, 0.2])  # begins label 2
    gradient[0, 0, 0] = torch.tensor([-0.4, 0.1, 0.3])  # outside label 1
    gradient[0, 0, 2] = 9.0  # not judged
    pull, push = targets.forces(gradient, tags, number=4)
    torch.testing.assert_close(pull, torch.tensor([0, 0, 0.3, 0]))
    torch.testing.assert_close(push, torch.tensor([0, 0.4, 0, 0]))

    class Apart(Objective[Any]):
        """Cross-entropy over the tags of a slot."""

        def _token_losses(self, logits: Tensor, targets: Tensor) -> Tensor:
            return torch.nn.functional.cross_entropy(logits, targets, reduction="none")

    head = torch.nn.Linear(WIDTH, 9)
    book = ledger(Apart([3, 2, 1]), folder=tmp_path, head=head, row_groups=[1, 1, 1, 2, 2, 2, 3, 3, 3], targets=targets)
    logits = head(torch.ones(1, 2, WIDTH)).view(1, 2, 3, 3)
    book({"logits": logits}, tags).backward()  # type: ignore[no-untyped-call, unused-ignore]
    book.on_pre_optimizer_step(None, state(1), None)  # type: ignore[arg-type]
    book.on_train_end(None, state(1), None)  # type: ignore[arg-type]
    found = read_ledger(tmp_path / "history.jsonl")
    assert found.labels == LABELS
    assert found.targets.tolist() == [[2, 2, 1]]
    assert found.gradient_share.sum() == pytest.approx(1, abs=1e-5)


def test_shared_targets_read_any_shape() -> None:
    tags = torch.tensor([[0, 3, -100], [2, -100, 6]])
    assert SharedTargets(GROUPS).groups(tags).tolist() == [0, 2, 1, 3]


def test_records_come_at_multiples_and_at_the_end(tmp_path: Path) -> None:
    head = torch.nn.Linear(WIDTH, TAGS)
    book = ledger(objective("cross-entropy", counts=COUNTS, groups=GROUPS), folder=tmp_path, head=head, steps=4)
    for number in range(1, 11):
        step(book, head, seed=number)
        book.on_step_end(arguments(tmp_path), state(number), None)  # type: ignore[arg-type]
    book.on_train_end(arguments(tmp_path), state(10), None)  # type: ignore[arg-type]
    found = read_ledger(tmp_path / "history.jsonl")
    assert found.steps.tolist() == [4, 8, 10]
    assert found.lengths.tolist() == [4, 4, 2]


def test_saving_and_interruptions_change_no_record(tmp_path: Path) -> None:
    """To the last bit: an account is kept as it is, and what was counted after the checkpoint is forgotten."""
    found = []
    for name, saved in (("whole", ()), ("saved", (2, 4, 6)), ("resumed", (6,))):
        torch.manual_seed(0)
        folder, head = tmp_path / name, torch.nn.Linear(WIDTH, TAGS)
        folder.mkdir()
        loss = objective("cross-entropy", counts=COUNTS, groups=GROUPS)
        book = ledger(loss, folder=folder, head=head, steps=4)
        for number in range(1, 11):
            step(book, head, seed=number)
            book.on_step_end(arguments(folder), state(number), None)  # type: ignore[arg-type]
            if number in saved:
                (folder / f"checkpoint-{number}").mkdir()
                book.on_save(arguments(folder), state(number), None)  # type: ignore[arg-type]
            if name == "resumed" and number == 6:
                step(book, head, seed=99)
                book = Ledger(
                    loss, labels=LABELS, head=head, history=History(folder / "history.jsonl", step=6), steps=4
                )
                book.on_train_begin(arguments(folder), state(6), None)  # type: ignore[arg-type]
        book.on_train_end(arguments(folder), state(10), None)  # type: ignore[arg-type]
        found.append([record["ledger"] for record in read_history(folder / "history.jsonl")])
    assert found[0] == found[1] == found[2]


def test_figures_are_short_and_undefined_ones_are_null(tmp_path: Path) -> None:
    head = torch.nn.Linear(WIDTH, TAGS)
    book = ledger(objective("cross-entropy", counts=COUNTS, groups=GROUPS), folder=tmp_path, head=head)
    step(book, head, seed=0)
    book.on_train_end(None, state(1), None)  # type: ignore[arg-type]
    (record,) = read_history(tmp_path / "history.jsonl")
    assert {"step", "epoch", "seconds", "ledger"} == record.keys()
    for figures in record["ledger"]["labels"].values():
        assert all(len(f"{value:.15g}".lstrip("-0.").replace(".", "").split("e")[0]) <= 6 for value in figures.values())
    assert "NaN" not in (tmp_path / "history.jsonl").read_text(encoding="utf-8")


@pytest.mark.parametrize("accumulate", [1, 2])
def test_in_a_hugging_face_trainer(tmp_path: Path, accumulate: int) -> None:
    """The books hold the clipped gradient, and their losses add up to the loss that the trainer logs."""
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=20,
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=1,
        intermediate_size=8,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    config.num_labels = TAGS
    model = BertForTokenClassification(config)
    _, tags = batch()
    data: Any = [{"input_ids": list(range(5, 13)), "labels": row.tolist()} for row in tags.repeat(4, 1)]
    history = History(tmp_path / "history.jsonl", step=0)
    loss = objective("cross-entropy", counts=COUNTS, groups=GROUPS)
    book = Ledger(loss, labels=LABELS, head=model.classifier, history=history, steps=3)
    told = TrainingArguments(
        output_dir=str(tmp_path),
        per_device_train_batch_size=2 // accumulate,
        gradient_accumulation_steps=accumulate,
        max_grad_norm=0.01,
        num_train_epochs=1,
        logging_steps=3,
        report_to="none",
        save_strategy="no",
        disable_tqdm=True,
        use_cpu=True,
        dataloader_pin_memory=False,
    )
    Trainer(model=model, args=told, train_dataset=data, compute_loss_func=book, callbacks=[history, book]).train()
    found = read_ledger(tmp_path / "history.jsonl")
    assert found.steps.tolist() == [3, 6]
    logged = [record["loss"] for record in read_history(tmp_path / "history.jsonl") if "loss" in record]
    np.testing.assert_allclose(found.loss.sum(axis=1), logged, rtol=1e-3)
    assert (found.gradient.sum(axis=1) < 0.01 * 4).all()
    assert found.targets.sum() == 72


def test_a_label_may_be_called_o(tmp_path: Path) -> None:
    torch.manual_seed(0)
    head = torch.nn.Linear(WIDTH, TAGS)
    loss = objective("cross-entropy", counts=COUNTS, groups=GROUPS)
    history = History(tmp_path / "history.jsonl", step=0)
    book = Ledger(loss, labels=("O", "b", "c"), head=head, history=history)
    step(book, head, seed=1)
    book.on_train_end(None, state(1), None)  # type: ignore[arg-type]
    found = read_ledger(tmp_path / "history.jsonl")
    assert found.labels == ("O*", "O", "b", "c")
    assert found.targets.sum() == 18


def test_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    loss = objective("cross-entropy", counts=COUNTS, groups=GROUPS)
    with pytest.raises(ValueError, match="1 or more"):
        ledger(loss, folder=tmp_path, steps=0)
    for groups in ([0, 4], [-1, 0], [0.5, 1], [[0]]):
        with pytest.raises(ValueError, match="row groups must be"):
            ledger(loss, folder=tmp_path, row_groups=groups)
    head = torch.nn.Linear(WIDTH, TAGS + 1)
    head.weight.grad = torch.ones_like(head.weight)
    with pytest.raises(ValueError, match="8 rows, but 7 are grouped"):
        ledger(loss, folder=tmp_path, head=head).on_pre_optimizer_step(None, state(0), None)  # type: ignore[arg-type]


def test_a_history_without_a_whole_ledger_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    with pytest.raises(DataError, match="no ledger"):
        read_ledger(path)
    whole = {"targets": 1, "loss": 1, "loss_share": 1, "gradient": 1, "gradient_share": 1, "pull": 1, "push": 1}
    records = [{"step": n, "ledger": {"steps": 1, "labels": {name: whole}}} for n, name in enumerate("ab")]
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    with pytest.raises(DataError, match="damaged"):
        read_ledger(path)
