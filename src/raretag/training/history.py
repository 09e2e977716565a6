"""What training tells as it goes: one JSON object a line, in `history.jsonl`."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, final

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from raretag.errors import DataError
from raretag.training.processes import is_first


@final
class History(TrainerCallback):  # type: ignore[misc, unused-ignore]
    """Append every record of the training log: step, epoch, seconds, loss, learning rate, gradient norm."""

    def __init__(self, path: Path, *, step: int) -> None:
        """Drop what an interrupted run wrote after `step`, that of its last checkpoint, or wrote in half."""
        records = [record for record in read_history(path) if record["step"] <= step]
        if is_first():
            writing = path.with_name(f".{path.name}.writing")
            writing.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
            writing.replace(path)
        self._path = path
        self._before = float(records[-1]["seconds"]) if records else 0.0
        self._started = time.perf_counter()

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """The clock starts."""
        self._started = time.perf_counter()

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **kwargs: Any,
    ) -> None:
        """One line a record. Raises DataError once the loss is no finite number: nothing good can follow."""
        if not logs or "loss" not in logs:
            return
        if not math.isfinite(logs["loss"]):
            raise DataError(
                f"the loss is no longer a finite number at step {state.global_step}",
                remedy="Lower optimiser.learning_rate or optimiser.head_multiplier and train anew",
            )
        self.add(
            state,
            loss=round(logs["loss"], 6),
            learning_rate=logs["learning_rate"],
            gradient_norm=round(float(logs["grad_norm"]), 6),
        )

    def add(self, state: TrainerState, **figures: float | Mapping[str, Any]) -> None:
        """Write a record with the step, the epoch and the seconds of training so far; figures may be nested.

        Of several processes only the first writes.
        """
        if not state.is_world_process_zero:
            return
        epoch = round(state.epoch or 0.0, 4)
        record = {"step": state.global_step, "epoch": epoch, "seconds": round(self.seconds, 3), **figures}
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")

    @property
    def seconds(self) -> float:
        """Seconds of training so far, those before an interruption included."""
        return self._before + time.perf_counter() - self._started


def read_history(path: Path) -> list[dict[str, Any]]:
    """The records of a `history.jsonl`; a last line cut off by an interruption is left out.

    Raises DataError where the file holds something else.
    """
    if not path.is_file():
        return []
    records: list[dict[str, Any]] = []
    lines = [line for line in path.read_bytes().decode("utf-8", errors="replace").split("\n") if line]
    for number, line in enumerate(lines, start=1):
        try:
            record = json.loads(line)
        except json.JSONDecodeError:
            record = None
            if number == len(lines):
                break
        if not isinstance(record, dict) or not isinstance(record.get("step"), int):
            raise DataError(
                "this is no record of a training",
                remedy="Delete the folder of this file and train again",
                file=path,
                line=number,
            )
        records.append(record)
    return records
