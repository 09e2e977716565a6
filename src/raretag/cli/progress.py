"""Progress of long work: loss, rate and time left for training; a plain bar for the rest."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

# where nobody watches, a line now and then instead of a moving bar
_SECONDS_BETWEEN_LINES = 15.0


@final
class TrainingProgress(TrainerCallback):  # type: ignore[misc, unused-ignore]
    """A bar with epoch, loss, rate and time left; plain lines where standard error is no terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bar = Progress(
            TextColumn("epoch {task.fields[epoch]}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("loss {task.fields[loss]}  rate {task.fields[rate]}"),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("training", epoch="0", loss="-", rate="-", total=None)
        self._started = self._last_line = time.monotonic()
        self._first_step = 0

    @staticmethod
    @contextmanager
    def shown(console: Console) -> Iterator[TrainingProgress]:
        """Progress that leaves the terminal as it was, however the training ends."""
        progress = TrainingProgress(console)
        try:
            yield progress
        finally:
            progress._bar.stop()

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Show the bar, already part full where a run is resumed."""
        self._started = self._last_line = time.monotonic()
        self._first_step = state.global_step
        self._bar.update(self._task, total=state.max_steps, completed=state.global_step)
        self._bar.start()

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """One step further."""
        self._bar.update(
            self._task, completed=state.global_step, epoch=f"{state.epoch or 0:.1f}/{state.num_train_epochs}"
        )

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **kwargs: Any,
    ) -> None:
        """New figures."""
        if not logs or "loss" not in logs:
            return
        loss, rate = f"{logs['loss']:.4f}", f"{logs['learning_rate']:.1e}"
        self._bar.update(self._task, loss=loss, rate=rate)
        now = time.monotonic()
        if not self._console.is_terminal and now - self._last_line >= _SECONDS_BETWEEN_LINES:
            self._last_line = now
            done = state.global_step - self._first_step
            left = (now - self._started) / max(done, 1) * (state.max_steps - state.global_step)
            self._console.print(
                f"step {state.global_step}/{state.max_steps}  epoch {state.epoch or 0:.1f}  loss {loss}  rate {rate}  "
                f"{left:.0f} s left"
            )

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Leave the finished bar on the screen."""
        self._bar.stop()


@contextmanager
def counting(console: Console, what: str) -> Iterator[Callable[[int], None]]:
    """A counter of windows judged so far, gone when done."""
    with Progress(
        TextColumn(what),
        TextColumn("{task.completed:,} windows"),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as bar:
        task = bar.add_task(what, total=None)
        yield lambda number: bar.advance(task, number)
