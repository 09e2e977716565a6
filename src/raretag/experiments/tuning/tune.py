"""`raretag tune`: search on folds of the training documents, and leave a recipe."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from raretag.cluster import called_on_cluster
from raretag.errors import UsageError
from raretag.experiments.comparison.contestant import Contestant
from raretag.experiments.cross_validation import run_cells
from raretag.experiments.side_by_side import check_jobs, helped
from raretag.experiments.tuning.result import Row, Tuned, result_of
from raretag.experiments.tuning.study import open_study, work
from raretag.experiments.tuning.task import Task
from raretag.experiments.tuning.trial import Folds, Judge

if TYPE_CHECKING:
    from transformers import TrainerCallback


def tune(
    task: Task,
    *,
    trials: int,
    jobs: int = 1,
    ray: str | None = None,
    judge: Judge | None = None,
    callbacks: Callable[[], Sequence[TrainerCallback]] = tuple,
    announce: Callable[[str], None] = lambda _: None,
) -> Tuned:
    """Go on with the study in `task.out` until `trials` >= 1 of it are finished, those given up and failed among them.

    jobs: how many processes work side by side, >= 1; the same call on another machine that sees the folder helps, too.
    ray: a cluster that works instead, in as many processes as it has room for, as `called_on_cluster` has its address.
    With one process, a study that was broken off comes to what it would have come to. judge: what tells what settings
    come to, by default trainings; for one process. Raises UsageError where `trials` is below 1, for jobs beside a
    cluster or a judge, and as `open_study`, trainings and `called_on_cluster` do.
    """
    if trials < 1:
        raise UsageError(f"{trials} trials are too few", remedy="Ask for at least 1, which is the baseline")
    check_jobs(jobs, ray=ray)
    if judge is not None and (jobs > 1 or ray is not None):
        raise UsageError("other processes would not judge by `judge`", remedy="Leave out jobs and ray, or judge")
    if ray is not None:
        _on_ray(task, trials=trials, address=ray, announce=announce)
    folds = folds_of(task, callbacks=callbacks, announce=announce)

    def help_baseline() -> None:
        if judge is None:
            run_cells(folds.cells(task.baseline), task.corpus, callbacks=callbacks)

    with helped(_help, task, trials, helpers=jobs - 1, announce=announce):
        study = work(
            task,
            trials=trials,
            judge=folds if judge is None else judge,
            help_baseline=help_baseline,
            announce=announce,
        )
    return result_of(task, study)


def folds_of(
    task: Task,
    *,
    callbacks: Callable[[], Sequence[TrainerCallback]] = tuple,
    announce: Callable[[str], None] = lambda _: None,
) -> Folds:
    """What trains and judges for this task."""
    return Folds(
        corpus=task.corpus,
        folds=task.folds,
        data=task.data,
        out=task.out,
        decides=task.goal.decides,
        keep_features=task.is_cheap,
        callbacks=callbacks,
        announce=announce,
    )


def contestant_of(task: Task, row: Row) -> Contestant:
    """The settings of a trial; the baseline's are the recipe's own."""
    if row.number == 0:
        return task.baseline
    keys = {one.name: one.key for one in task.space.parameters}
    return task.contestant({keys[name]: value for name, value in row.settings.items()})


def _help(task: Task, trials: int) -> None:
    tune(task, trials=trials)


def _on_ray(task: Task, *, trials: int, address: str, announce: Callable[[str], None]) -> None:
    """Let every place of the cluster work on the study until it is finished; here nothing is left to do then."""
    # what is wrong with the study is told before the cluster is joined
    study = open_study(task)
    if sum(one.state.is_finished() for one in study.get_trials(deepcopy=False)) >= trials:
        return
    far = replace(task, out=task.out.resolve())
    announce(f"{trials} trials on the cluster at {address}")
    for place, _ in called_on_cluster(
        _help_far,
        range,
        shared=(far, trials),
        address=address,
        folder=far.out,
        name_of=lambda place: f"place {place + 1}",
    ):
        announce(f"place {place + 1} of the cluster has nothing left to do")


def _help_far(shared: tuple[Task, int], _: int) -> None:
    """In a worker, whose place does not matter: trials are dealt out by the study."""
    task, trials = shared
    _help(task, trials)
