"""The steps of training: interrupted at any moment, resumed from the last checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from raretag.errors import DataError, UsageError
from raretag.objectives.base import processes
from raretag.training.checkpoints import Checkpoints, deal_random_state, last_checkpoint, steps_done
from raretag.training.history import History
from raretag.training.learner import Learner
from raretag.training.ledger import Ledger
from raretag.training.ledger_targets import LayeredTargets, SharedTargets
from raretag.training.methods import DrawnWindows
from raretag.training.model import tag_head
from raretag.training.objective_state import ObjectiveState
from raretag.training.precision import Precision
from raretag.training.processes import agreed, rank
from raretag.training.run_folder import HISTORY, RESUME
from raretag.training.trainer import build_trainer

if TYPE_CHECKING:
    from transformers import TrainerCallback


class Taken(NamedTuple):
    """The steps of a training and their seconds, those before an interruption among them."""

    steps: int
    seconds: float


def fit(
    learner: Learner,
    *,
    out: Path,
    precision: Precision,
    watchers: Callable[[History], Sequence[TrainerCallback]] = lambda _: (),
    callbacks: Sequence[TrainerCallback] = (),
    over: Callable[[], bool] = lambda: False,
) -> Taken:
    """Take the steps that are left; afterwards the learner's model has learned.

    `out` receives the history, and the checkpoints while training lasts. watchers: made with that history, into which
    they may write; they come before `callbacks`. over: asked once the history is there, whether no step is left.
    Raises DataError where the weights end as no finite numbers.
    """
    found = agreed(lambda: _checkpoint_name(out / RESUME))
    checkpoint = None if found is None else out / RESUME / found
    if checkpoint is not None and not checkpoint.is_dir():
        raise UsageError(
            f"process {rank()} of {processes()} does not see the checkpoint that process 0 goes on from",
            remedy="Put --out in a folder that all machines share",
            file=checkpoint,
        )
    history = History(out / HISTORY, step=steps_done(checkpoint))
    watching = [history, *watchers(history)]
    ledger = _ledger(learner, history=history)
    settings = learner.settings
    trainer = build_trainer(
        learner.model,
        dataset=DrawnWindows(learner.data.dataset, drawn_by=learner.sampler, augmentation=learner.augmentation),
        batches=learner.sampler,
        loss=ledger or learner.objective,
        settings=settings.optimiser,
        precision=precision,
        seed=settings.seed,
        pad_id=learner.pad_id,
        folder=out / RESUME,
        callbacks=[
            *watching,
            *([ledger] if ledger else []),
            *callbacks,
            ObjectiveState(learner.objective),
            Checkpoints(seconds=settings.checkpoint_seconds),
        ],
    )
    if not agreed(over):
        trainer.train(resume_from_checkpoint=None if checkpoint is None else str(checkpoint))
    if not all(bool(parameter.isfinite().all()) for parameter in learner.model.parameters()):
        raise DataError(
            "training ended with weights that are no finite numbers",
            remedy="Lower optimiser.learning_rate and train anew",
            file=out,
        )
    return Taken(steps=max(trainer.state.global_step, steps_done(checkpoint)), seconds=history.seconds)


def _checkpoint_name(folder: Path) -> str | None:
    """That of the last checkpoint, made ready for as many processes as there are now."""
    checkpoint = last_checkpoint(folder)
    if checkpoint is None:
        return None
    deal_random_state(checkpoint, processes=processes())
    return checkpoint.name


def _ledger(learner: Learner, *, history: History) -> Ledger | None:
    """The books of loss and gradient by label, unless the settings ask for none."""
    if not learner.settings.ledger_steps:
        return None
    schema = learner.data.schema
    return Ledger(
        learner.objective,
        labels=schema.labels,
        head=tag_head(learner.model),
        history=history,
        steps=learner.settings.ledger_steps,
        row_groups=learner.head.row_groups,
        targets=LayeredTargets() if schema.layered else SharedTargets(schema.groups),
    )
