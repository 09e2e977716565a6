"""The study: trials one after another in each of any number of processes, until enough are finished."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

import optuna
from filelock import FileLock
from optuna.trial import FrozenTrial, Trial, TrialState

from raretag.errors import DataError, RaretagError, UsageError
from raretag.experiments.tuning.journal import JOURNAL, damaged, holding, locked, open_journal, taken
from raretag.experiments.tuning.proposing import FeasibleMedian, NumberedTPE
from raretag.experiments.tuning.space import Choice, Parameter, Value
from raretag.experiments.tuning.task import Task
from raretag.experiments.tuning.trial import Judge
from raretag.experiments.tuning.verdict import Verdict

NAME: Final = "tune"
BASELINE: Final = "baseline"
VERDICT: Final = "verdict"
FAILED: Final = "failed"
# whether it ended in an unforeseen error before
BROKEN: Final = "broken"
# since it was last taken up: how long it lay broken off is nobody's work
SECONDS: Final = "seconds"
_IDENTITY: Final = "identity"
# between looks at what other processes have finished
_SECONDS: Final = 1.0


def open_study(task: Task) -> optuna.Study:
    """The study in `task.out`, begun where there is none, with the baseline as its first trial.

    Raises UsageError where it was made with other data, space, goal, recipe or folds, DataError where it is damaged.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with locked(task.out):
        storage = open_journal(task.out)
        try:
            study = optuna.create_study(
                storage=storage,
                study_name=NAME,
                direction=task.goal.direction,
                load_if_exists=True,
                sampler=NumberedTPE(seed=task.seed),
                pruner=FeasibleMedian(),
            )
            known, trials = study.user_attrs.get(_IDENTITY), study.get_trials(deepcopy=False)
        except Exception as error:
            raise damaged(task.out / JOURNAL) from error
        if known is None:
            study.set_user_attr(_IDENTITY, task.identity())
        else:
            other = [name for name, value in task.identity().items() if known.get(name) != value]
            if other:
                raise UsageError(
                    f"the study in this folder was begun with another {', another '.join(other)}",
                    remedy="Repeat its own command, or choose another --out; what is there stays as it is"
                    if any(one.state.is_finished() for one in trials)
                    else f"No trial of it is finished: delete {JOURNAL} there to begin anew, or choose another --out",
                    file=task.out,
                )
        if not trials:
            study.enqueue_trial(task.baseline_parameters, user_attrs={BASELINE: True})
    return study


def work(
    task: Task,
    *,
    trials: int,
    judge: Judge,
    help_baseline: Callable[[], None] = lambda: None,
    announce: Callable[[str], None] = lambda _: None,
) -> optuna.Study:
    """Run trials, beside any other process that does the same, until `trials` of the study are finished.

    A trial that was broken off goes on with the settings it had. One whose training fails is told as failed, as is one
    that ends in an unforeseen error for the second time; the first time, and of the baseline, the error is raised.
    help_baseline: called while another process is at the baseline and its figures are needed. Raises as `open_study`.
    """
    study, waits = open_study(task), False
    while True:
        with locked(task.out):
            trial, lock, over = _next(task, study, trials=trials)
        if over:
            return study
        if trial is None or lock is None:
            if not study.get_trials(deepcopy=False)[0].state.is_finished():
                help_baseline()
            elif not waits:
                announce("other processes are at the trials that are left: waiting")
            waits = True
            time.sleep(_SECONDS)
            continue
        waits = False
        with holding(lock):
            _run(task, study, trial, judge=judge, announce=announce, trials=trials)


def _next(task: Task, study: optuna.Study, *, trials: int) -> tuple[Trial | None, FileLock | None, bool]:
    """A trial to run with its lock; nothing where others are at all that is left; whether enough are finished."""
    known = study.get_trials(deepcopy=False)
    finished = [one for one in known if one.state.is_finished()]
    if len(finished) >= trials:
        return None, None, True
    running = [one for one in known if one.state == TrialState.RUNNING]
    for one in running:
        lock = taken(task.out, one.number)
        if lock is None:
            continue
        if study.get_trials(deepcopy=False)[one.number].state.is_finished():
            # its process has finished it since
            lock.release()
            return None, None, False
        # its process is gone: it goes on with the settings that it had
        trial = Trial(study, one._trial_id)
        _proposed(task, trial)
        return trial, lock, False
    waits_for_baseline = task.goal.micro_not_below and known[0].state == TrialState.RUNNING
    if waits_for_baseline or len(finished) + len(running) >= trials:
        return None, None, False
    trial = study.ask()
    lock = taken(task.out, trial.number)
    if lock is None:
        raise DataError("the locks of this study are damaged", remedy="Delete its folder .trials", file=task.out)
    _proposed(task, trial)
    return trial, lock, False


def _proposed(task: Task, trial: Trial) -> dict[str, Value]:
    """The settings of a trial, by key: those it has, else new ones."""
    if trial.user_attrs.get(BASELINE):
        fixed = task.baseline_parameters
        for one in task.space.parameters:
            if one.name in fixed:
                _value(trial, one)
        return {}
    return task.space.filled(lambda one: _value(trial, one))


def _value(trial: Trial, parameter: Parameter) -> Value:
    values, name = parameter.values, parameter.name
    if isinstance(values, Choice):
        chosen: Value = trial.suggest_categorical(name, values.choices)
        return chosen
    if values.whole:
        return trial.suggest_int(name, int(values.low), int(values.high), log=values.log, step=values.step)
    return trial.suggest_float(name, float(values.low), float(values.high), log=values.log)


def _run(
    task: Task, study: optuna.Study, trial: Trial, *, judge: Judge, announce: Callable[[str], None], trials: int
) -> None:
    began = time.monotonic()
    settings, is_baseline = _proposed(task, trial), bool(trial.user_attrs.get(BASELINE))
    told = ", ".join(f"{key}={_short(value)}" for key, value in settings.items())
    announce(f"trial {trial.number + 1} of {trials}: {f'the recipe {task.baseline.name}' if is_baseline else told}")
    micro = None
    if task.goal.micro_not_below and not is_baseline:
        micro = verdict_of_trial(study.get_trials(deepcopy=False)[0]).figures["micro"].value
    verdict: Verdict | None = None
    try:
        who = task.baseline if is_baseline else task.contestant(settings)
        fold_by_fold = judge(who)
        for step, said in enumerate(fold_by_fold, start=1):
            verdict = said
            value = None if said is None else task.goal.value(said)
            if said is None or value is None:
                continue
            reported = _frozen(study, trial).intermediate_values
            if step not in reported:
                trial.report(value, step)
            elif step < max(reported):
                # broken off later: after this fold it was not given up
                continue
            if not is_baseline and step < task.folds and trial.should_prune():
                fold_by_fold.close()
                announce(f"given up after {step} of {task.folds} folds")
                _finish(task, study, trial, said, micro=micro, state=TrialState.PRUNED, began=began)
                return
        if verdict is None or task.goal.value(verdict) is None:
            raise DataError("the goal is undefined for these documents", remedy="Give more of them, or another goal")
    except RaretagError as error:
        if is_baseline:
            raise
        _fail(study, trial, error.what, began=began, announce=announce)
        return
    except Exception as error:
        # perhaps the machine's doing, for example for want of memory: once more, but not for ever
        if is_baseline or not trial.user_attrs.get(BROKEN):
            trial.set_user_attr(BROKEN, True)
            raise
        _fail(study, trial, f"{type(error).__name__}, twice", began=began, announce=announce)
        return
    _finish(task, study, trial, verdict, micro=micro, state=TrialState.COMPLETE, began=began)


def _fail(study: optuna.Study, trial: Trial, what: str, *, began: float, announce: Callable[[str], None]) -> None:
    announce(f"failed: {what}")
    trial.set_user_attr(FAILED, what)
    trial.set_user_attr(SECONDS, time.monotonic() - began)
    study.tell(trial, state=TrialState.FAIL)


def _finish(
    task: Task,
    study: optuna.Study,
    trial: Trial,
    verdict: Verdict,
    *,
    micro: float | None,
    state: TrialState,
    began: float,
) -> None:
    """Write down what came of it; again, where that was broken off."""
    trial.set_user_attr(VERDICT, verdict.to_json())
    trial.set_user_attr(SECONDS, time.monotonic() - began)
    for name, missed in task.goal.violations(verdict, micro=micro).items():
        if name not in trial.constraints:
            trial.set_constraint(name, missed)
    value = task.goal.value(verdict) if state == TrialState.COMPLETE else None
    study.tell(trial, value, state=state)


def verdict_of_trial(trial: FrozenTrial) -> Verdict:
    """What a finished trial came to. Raises DataError where the study does not tell."""
    try:
        return Verdict.from_json(trial.user_attrs[VERDICT])
    except (KeyError, TypeError) as error:
        raise DataError(f"the study does not tell what trial {trial.number} came to", remedy="Begin anew") from error


def _frozen(study: optuna.Study, trial: Trial) -> FrozenTrial:
    return study.get_trials(deepcopy=False)[trial.number]


def _short(value: Value) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
