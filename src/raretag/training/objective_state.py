"""What a loss needs of a Trainer beyond being called: to hear how far training is, and to be kept with checkpoints."""

# ruff: noqa: ARG002
# the signatures are Hugging Face's

from __future__ import annotations

from typing import Any, final

from safetensors.torch import load_file, save_file
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from raretag.objectives.tag_loss import TagLoss
from raretag.training.checkpoints import checkpoint_folder

_FILE = "objective.safetensors"


@final
class ObjectiveState(TrainerCallback):  # type: ignore[misc, unused-ignore]
    """Tells the objective its progress before each step, saves with each checkpoint what it has gathered, and brings
    that back when training resumes. `raretag train` adds it; in a script of your own it belongs beside any objective
    with a `start` or running statistics: Trainer(compute_loss_func=loss, callbacks=[ObjectiveState(loss)]).
    """

    def __init__(self, objective: TagLoss) -> None:
        self._objective = objective

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Go on from the checkpoint of the step that training goes on from."""
        kept = checkpoint_folder(args, state) / _FILE
        if kept.is_file():
            self._objective.load_state_dict(load_file(kept))

    def on_step_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Tell the share of the steps that is done."""
        self._objective.advance(state.global_step / state.max_steps)

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Add a file to the checkpoint, where there is anything to keep."""
        gathered = self._objective.state_dict()
        if gathered and state.is_world_process_zero:
            save_file(dict(gathered), checkpoint_folder(args, state) / _FILE)
