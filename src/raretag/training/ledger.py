"""The ledger: what share of the loss and of the head's gradient each label gets, window of steps by window of steps."""

# ruff: noqa: ARG002
# the signatures are Hugging Face's

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, final

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from raretag.objectives import Objective
from raretag.objectives.base import processes
from raretag.objectives.tag_loss import TagLoss
from raretag.training.checkpoints import checkpoint_folder
from raretag.training.history import History
from raretag.training.ledger_records import FIGURES, figures_by_label, outside_name
from raretag.training.ledger_targets import SharedTargets, Targets
from raretag.training.processes import summed

_FILE = "ledger.safetensors"


@final
class Ledger(TrainerCallback):  # type: ignore[misc, unused-ignore]
    """An objective that keeps books: give it to a `Trainer` both as `compute_loss_func` and as a callback.

    It returns what the objective returns, to the bit. On the way it adds up, for each label and for `O`:
    the number of targets; the loss mass Σ ℓ / N; pull and push (`Targets.forces`); and at each optimiser step the
    L2 norm of the head's gradient in the rows of that label, weights and biases together, as the optimiser sees it,
    clipping included. Every `steps` optimiser steps and at the end of training it writes a record, means over the steps
    since the last one, into the history. What is not written yet lies with each checkpoint, so that neither saving nor
    an interruption changes a record. With several processes it is the account of all of them together.
    """

    def __init__(
        self,
        objective: TagLoss,
        *,
        labels: Sequence[str],
        head: torch.nn.Module,
        history: History,
        steps: int = 50,
        row_groups: npt.ArrayLike | None = None,
        targets: Targets | None = None,
    ) -> None:
        """labels: names, in the order of the schema. head: the layer whose parameters all have a row an output.

        row_groups: int (rows,), 0 for `O`, 1 + k for the rows of label k; None: a row a tag, the objective's groups.
        targets: how the labels tensor is read; None: one tag a token, the objective's groups.
        An objective for labels kept apart has no such groups: both must be given.
        Raises ValueError where groups and labels do not fit, or `steps` is below 1.
        """
        tags = objective.groups if isinstance(objective, Objective) else None
        row_groups, targets = _layout(tags, row_groups, targets)
        rows = np.asarray(row_groups)
        if steps < 1:
            raise ValueError(f"a ledger is written every {steps} steps: give 1 or more")
        if rows.ndim != 1 or not np.issubdtype(rows.dtype, np.integer) or not set(rows) <= set(range(len(labels) + 1)):
            raise ValueError(
                f"row groups must be whole numbers from 0 (outside) to {len(labels)}, that of the last label"
            )
        self._objective = objective
        self._names = (outside_name(labels), *labels)
        self._head = head
        self._history = history
        self._every = steps
        self._rows = torch.from_numpy(rows.astype(np.int64))
        self._targets = targets
        # a head that keeps labels apart has no rows for what is outside all of them
        self._first = 0 if 0 in rows else 1
        self._steps = 0
        self._sums = self._empty()

    def __call__(self, outputs: Any, labels: Tensor, num_items_in_batch: Tensor | int | None = None) -> Tensor:
        """The objective's loss and gradient; arguments and errors are its own."""
        logits = outputs["logits"] if isinstance(outputs, dict) else outputs.logits
        losses = self._objective.token_losses(logits, labels, items=num_items_in_batch)
        loss = self._objective.mean(losses, items=num_items_in_batch)
        if logits.requires_grad and losses.numel():
            items = losses.numel() if num_items_in_batch is None else num_items_in_batch
            groups = self._targets.groups(labels)
            self._sums["targets"] += torch.bincount(groups, minlength=len(self._names)).cpu()
            mass = losses.detach().double() / items
            self._sums["loss"] += mass.new_zeros(len(self._names)).index_add_(0, groups, mass).cpu()
            logits.register_hook(lambda gradient: self._add_forces(gradient, labels))
        return loss

    def _add_forces(self, gradient: Tensor, labels: Tensor) -> None:
        # a Trainer scales a share's loss by the number of processes, which then average their gradients
        pull, push = self._targets.forces(gradient / processes(), labels, number=len(self._names)).cpu()
        self._sums["pull"] += pull
        self._sums["push"] += push

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Begin an account, or go on with that of the checkpoint of the step that training goes on from."""
        self._steps, self._sums = 0, self._empty()
        kept = checkpoint_folder(args, state) / _FILE
        if kept.is_file():
            found = load_file(kept)
            self._steps, self._sums = int(found.pop("steps")), found
            if not state.is_world_process_zero:
                # it holds the account of all, which the first one goes on with
                self._sums = self._empty()

    def on_pre_optimizer_step(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Add the norms of the gradient that the optimiser is about to use.

        Raises ValueError for a head with a parameter that has not a row an output.
        """
        squares = torch.zeros(len(self._names), dtype=torch.float64)
        for parameter in self._head.parameters():
            if parameter.grad is None:
                continue
            if len(parameter) != len(self._rows):
                raise ValueError(
                    f"a parameter of the head has {len(parameter)} rows, but {len(self._rows)} are grouped"
                )
            norms = torch.linalg.vector_norm(parameter.grad.detach().reshape(len(self._rows), -1), dim=1)
            squares.index_add_(0, self._rows, norms.double().cpu() ** 2)
        self._sums["gradient"] += squares.sqrt()
        self._steps += 1

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Write at every multiple of `steps`, so that runs can be compared step by step."""
        if state.global_step % self._every == 0:
            self._write(state)

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Add the account so far to the checkpoint."""
        sums = self._of_all()
        if state.is_world_process_zero:
            save_file({"steps": torch.tensor(self._steps), **sums}, checkpoint_folder(args, state) / _FILE)

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Write what is left."""
        self._write(state)

    def _write(self, state: TrainerState) -> None:
        if self._steps:
            sums = {name: figures[self._first :].numpy() for name, figures in self._of_all().items()}
            labels = figures_by_label(self._names[self._first :], sums, steps=self._steps)
            self._history.add(state, ledger={"steps": self._steps, "labels": labels})
        self._steps, self._sums = 0, self._empty()

    def _of_all(self) -> dict[str, Tensor]:
        """The sums of all processes; the gradient that the optimiser uses is already that of all."""
        return {name: sums if name == "gradient" else summed(sums) for name, sums in self._sums.items()}

    def _empty(self) -> dict[str, Tensor]:
        return {name: torch.zeros(len(self._names), dtype=torch.float64) for name in FIGURES}


def _layout(
    tags: npt.NDArray[np.int64] | None, rows: npt.ArrayLike | None, targets: Targets | None
) -> tuple[npt.ArrayLike, Targets]:
    """The groups of the head's rows and the reading of targets: as given, else by the groups of the tags."""
    if tags is None:
        if rows is None or targets is None:
            raise ValueError("this objective does not group tags: give row_groups and targets")
        return rows, targets
    return tags if rows is None else rows, SharedTargets(tags) if targets is None else targets
