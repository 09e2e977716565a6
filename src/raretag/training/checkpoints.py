"""What an interrupted run goes on from; nothing counts before it is whole."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import Any, final

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from raretag.training.heads import Head, save_model
from raretag.training.processes import agreed

_COMPLETE = "complete"


@final
class Checkpoints(TrainerCallback):  # type: ignore[misc, unused-ignore]
    """Ask for a checkpoint every `seconds`, and mark each one complete once all its files are there."""

    def __init__(self, *, seconds: float) -> None:
        self._seconds = seconds
        self._last = time.monotonic()

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Save if it is time; the end of an epoch is left to `on_epoch_end`, which comes after validation."""
        steps_in_epoch = state.max_steps // state.num_train_epochs
        if self._due() and state.global_step % steps_in_epoch != 0:
            control.should_save = True

    def on_epoch_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Save if it is time."""
        if self._due():
            control.should_save = True

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """A checkpoint without this mark was cut off and is not used."""
        folder = checkpoint_folder(args, state)
        self._last = time.monotonic()
        if not state.is_world_process_zero:
            return
        # a pickle that nothing reads
        (folder / "training_args.bin").unlink(missing_ok=True)
        (folder / _COMPLETE).touch()

    def _due(self) -> bool:
        """By the clock of the first process: all take part in a checkpoint."""
        return bool(agreed(lambda: time.monotonic() - self._last >= self._seconds))


def last_checkpoint(folder: Path) -> Path | None:
    """The newest whole checkpoint in `folder`; the others are deleted."""
    found: list[Path] = []
    for checkpoint in sorted(folder.glob("checkpoint-*"), key=lambda path: int(path.name.split("-")[1])):
        if (checkpoint / _COMPLETE).exists() and _step(checkpoint) is not None:
            found.append(checkpoint)
        else:
            shutil.rmtree(checkpoint)
    return found[-1] if found else None


def deal_random_state(checkpoint: Path, *, processes: int) -> None:
    """Let each of `processes` go on from the random state that the first one had: they draw alike.

    So a checkpoint of any number of processes serves any other.
    """
    states = [checkpoint / "rng_state.pth", checkpoint / "rng_state_0.pth"]
    kept = next((state for state in states if state.is_file()), None)
    if kept is None:
        return
    for name in ["rng_state.pth"] if processes == 1 else [f"rng_state_{rank}.pth" for rank in range(processes)]:
        if checkpoint / name != kept:
            writing = checkpoint / f".{name}.writing"
            shutil.copyfile(kept, writing)
            writing.replace(checkpoint / name)


def steps_done(checkpoint: Path | None) -> int:
    """The number of steps behind a whole checkpoint, 0 without one."""
    return 0 if checkpoint is None else _step(checkpoint) or 0


def _step(checkpoint: Path) -> int | None:
    try:
        return int(json.loads((checkpoint / "trainer_state.json").read_text(encoding="utf-8"))["global_step"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def checkpoint_folder(args: TrainingArguments, state: TrainerState) -> Path:
    """Where a Trainer keeps the checkpoint of the step that it is at, or goes on from."""
    return Path(str(args.output_dir)) / f"checkpoint-{state.global_step}"


def save_weights(model: Any, folder: Path, *, head: Head[Any], also: Any = None) -> None:
    """Write the folder of `model` with its `head` (and a tokenizer) beside its place, then move it there whole."""
    writing, old = _beside(folder)
    for leftover in (writing, old):
        shutil.rmtree(leftover, ignore_errors=True)
    save_model(model, writing, head=head)
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
