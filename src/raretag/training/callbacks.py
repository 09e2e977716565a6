"""What happens beside the steps: history, progress, checkpoints, early stopping."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, final

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

COMPLETE = "complete"


@final
class History(TrainerCallback):  # type: ignore[misc, unused-ignore]
    """Append every record of the training log to `history.jsonl`: step, epoch, loss, rate, seconds, tokens."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._started = time.perf_counter()
        self._before = 0.0

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Drop what an interrupted run wrote after its last checkpoint, or in half."""
        records = [record for record in read_history(self._path) if record["step"] <= state.global_step]
        self._before = float(records[-1]["seconds"]) if records else 0.0
        self._started = time.perf_counter()
        temporary = self._path.with_suffix(".tmp")
        temporary.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
        temporary.replace(self._path)

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **kwargs: Any,
    ) -> None:
        """One line a record."""
        if logs and "loss" in logs:
            self.add(
                state,
                loss=round(logs["loss"], 6),
                learning_rate=logs["learning_rate"],
                gradient_norm=round(float(logs["grad_norm"]), 6),
            )

    def add(self, state: TrainerState, **figures: float) -> None:
        """Write a record with the step, the epoch and the seconds of training so far."""
        seconds = round(self._before + time.perf_counter() - self._started, 3)
        record = {
            "step": state.global_step,
            "epoch": round(state.epoch or 0.0, 4),
            "seconds": seconds,
            **figures,
        }
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")


def read_history(path: Path) -> list[dict[str, Any]]:
    """The records of a `history.jsonl`; a last line cut off by an interruption is left out."""
    if not path.is_file():
        return []
    records: list[dict[str, Any]] = []
    for line in path.read_text(encoding="utf-8").split("\n"):
        try:
            record = json.loads(line)
        except json.JSONDecodeError:
            continue
        if isinstance(record, dict) and "step" in record:
            records.append(record)
    return records


@final
class Checkpoints(TrainerCallback):  # type: ignore[misc, unused-ignore]
    """Ask for a checkpoint every `seconds`, and mark each one complete once all its files are there."""

    def __init__(self, *, seconds: float) -> None:
        self._seconds = seconds
        self._last = time.monotonic()

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Save if it is time."""
        if time.monotonic() - self._last >= self._seconds and state.global_step < state.max_steps:
            control.should_save = True

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """A checkpoint without this mark was cut off and is not used."""
        folder = Path(str(args.output_dir)) / f"checkpoint-{state.global_step}"
        (folder / COMPLETE).touch()
        self._last = time.monotonic()


def last_checkpoint(folder: Path) -> Path | None:
    """The newest complete checkpoint in `folder`; half-written ones are deleted."""
    found: list[Path] = []
    for checkpoint in sorted(folder.glob("checkpoint-*"), key=lambda path: int(path.name.split("-")[1])):
        if (checkpoint / COMPLETE).exists():
            found.append(checkpoint)
        else:
            shutil.rmtree(checkpoint)
    return found[-1] if found else None


@final
class EarlyStopping(TrainerCallback):  # type: ignore[misc, unused-ignore]
    """After each epoch score the validation documents, keep the best weights, stop when they no longer improve."""

    def __init__(
        self, *, score: Callable[[], float], history: History, patience: int, best: Path, records: Path
    ) -> None:
        """score: the Brier score now, lower is better. best: the folder for the best weights."""
        self._score = score
        self._history = history
        self._patience = patience
        self._best = best
        self._records = records

    def on_epoch_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Score; a tie keeps the earlier weights."""
        earlier = [r["validation_brier"] for r in read_history(self._records) if "validation_brier" in r]
        value = self._score()
        self._history.add(state, validation_brier=round(value, 6))
        if not earlier or round(value, 6) < min(earlier):
            save_weights(kwargs["model"], self._best)
        scores = [*earlier, round(value, 6)]
        if len(scores) - 1 - scores.index(min(scores)) >= self._patience:
            control.should_training_stop = True


def save_weights(model: Any, folder: Path, *, also: Any = None) -> None:
    """Write a Hugging Face folder of `model` (and a tokenizer) beside its place, then move it there whole."""
    writing, old = _beside(folder)
    for leftover in (writing, old):
        shutil.rmtree(leftover, ignore_errors=True)
    model.save_pretrained(writing)
    if also is not None:
        also.save_pretrained(writing)
    if folder.exists():
        folder.replace(old)
    writing.replace(folder)
    shutil.rmtree(old, ignore_errors=True)


def recover(folder: Path) -> None:
    """Undo a `save_weights` that was cut off between its two moves."""
    _, old = _beside(folder)
    if old.exists() and not folder.exists():
        old.replace(folder)


def _beside(folder: Path) -> tuple[Path, Path]:
    return folder.with_name(f".{folder.name}.writing"), folder.with_name(f".{folder.name}.old")
