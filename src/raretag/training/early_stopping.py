"""Stop when a proper score on documents held out for it no longer improves, and keep the best weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, final

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from raretag.training.checkpoints import save_weights
from raretag.training.heads import Head
from raretag.training.history import History, read_history
from raretag.training.processes import agreed


@final
class EarlyStopping(TrainerCallback):  # type: ignore[misc, unused-ignore]
    """Score the validation documents after each epoch; of several processes the first one, and it decides for all."""

    def __init__(
        self,
        *,
        score: Callable[[], float],
        head: Head[Any],
        history: History,
        patience: int,
        best: Path,
        records: Path,
    ) -> None:
        """score: the Brier score now, lower is better. best: the folder for the best weights. records: the history."""
        self._head = head
        self._score = score
        self._history = history
        self._patience = patience
        self._best = best
        self._records = records

    def on_epoch_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """A tie keeps the earlier weights. The weights are written before the record that vouches for them."""
        if agreed(lambda: self._is_over(state, model=kwargs["model"])):
            control.should_training_stop = True

    def _is_over(self, state: TrainerState, *, model: Any) -> bool:
        earlier = validation_scores(self._records)
        value = round(self._score(), 6)
        if not earlier or value < min(earlier):
            save_weights(model, self._best, head=self._head)
        self._history.add(state, validation_brier=value)
        return out_of_patience([*earlier, value], patience=self._patience)


def validation_scores(history: Path) -> list[float]:
    """The Brier score after each epoch so far."""
    return [record["validation_brier"] for record in read_history(history) if "validation_brier" in record]


def out_of_patience(scores: Sequence[float], *, patience: int) -> bool:
    """Whether the last `patience` scores brought nothing better than those before."""
    return bool(scores) and len(scores) - 1 - scores.index(min(scores)) >= patience
