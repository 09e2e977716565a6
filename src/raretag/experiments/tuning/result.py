"""What a study came to: its trials with figures, the best that holds the constraints, and what mattered."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, final

import optuna
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.trial import FrozenTrial, TrialState

from raretag.errors import DataError
from raretag.experiments.comparison.estimate import Estimate
from raretag.experiments.tuning.goal import Goal
from raretag.experiments.tuning.proposing import violation
from raretag.experiments.tuning.space import Value
from raretag.experiments.tuning.study import BASELINE, FAILED, SECONDS, VERDICT, verdict_of_trial
from raretag.experiments.tuning.task import Task

Outcome = Literal["finished", "given up", "failed"]

_OUTCOMES: Final[Mapping[TrialState, Outcome]] = {
    TrialState.COMPLETE: "finished",
    TrialState.PRUNED: "given up",
    TrialState.FAIL: "failed",
}
# below, shares of importance say nothing
_LEAST: Final = 8
# of the trials, those that count as good; at least five of them
_GOOD: Final = 0.1
_LEAST_GOOD: Final = 5


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One trial.

    number: from 0, as the study has it; 0 is the baseline. settings: what was proposed, by the name of the parameter.
    figures: of all documents where it finished, of some folds where it was given up, none where it failed. missed: by
    how much each constraint is missed; up to 0 it holds. folds: how many were told. failed: why.
    """

    number: int
    outcome: Outcome
    settings: Mapping[str, Value]
    figures: Mapping[str, Estimate]
    recalls: Mapping[str, float | None]
    missed: Mapping[str, float]
    folds: int
    seconds: float | None
    failed: str | None

    @property
    def holds(self) -> bool:
        """Whether it finished and every constraint holds."""
        return self.outcome == "finished" and violation(self.missed) == 0

    def to_json(self) -> dict[str, Any]:
        """Built-in types only."""
        return {
            "trial": self.number,
            "outcome": self.outcome,
            "settings": dict(self.settings),
            "figures": {name: one.to_json() for name, one in self.figures.items()},
            "recalls": dict(self.recalls),
            "missed": dict(self.missed),
            "holds": self.holds,
            "folds": self.folds,
            "seconds": self.seconds,
            "failed": self.failed,
        }


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Tuned:
    """rows: finished trials in the order of their numbers. best: the number of one, None where none holds.

    importance: the share of each parameter in what makes trials good, summing to 1; empty below eight trials.
    logarithmic: parameters proposed by order of magnitude. documents: tuned on; left: test documents, not opened.
    """

    rows: tuple[Row, ...]
    best: int | None
    goal: Goal
    importance: Mapping[str, float]
    logarithmic: frozenset[str]
    recipe: str
    folds: int
    seed: int
    documents: int
    left: int
    origin: str
    data: str

    def row(self, number: int) -> Row:
        """The trial of that number."""
        return next(one for one in self.rows if one.number == number)

    def value(self, row: Row) -> Estimate:
        """What the goal is of a trial."""
        return row.figures.get(self.goal.name, Estimate(value=None))

    @property
    def ranked(self) -> tuple[Row, ...]:
        """Finished trials: those that hold the constraints by the goal, then the others by what they miss."""
        sign = 1 if self.goal.direction == "minimize" else -1

        def key(row: Row) -> tuple[float, float, int]:
            value = self.value(row).value
            return violation(row.missed), sign * (0.0 if value is None else value), row.number

        return tuple(sorted((one for one in self.rows if one.outcome == "finished"), key=key))

    def to_json(self) -> dict[str, Any]:
        """The file `tune.json`: built-in types only."""
        return {
            "goal": self.goal.to_json(),
            "best": self.best,
            "trials": [one.to_json() for one in self.rows],
            "importance": dict(self.importance),
            "recipe": self.recipe,
            "folds": self.folds,
            "seed": self.seed,
            "documents": self.documents,
            "test_documents_not_opened": self.left,
            "split": self.origin,
            "data_sha256": self.data,
        }


def result_of(task: Task, study: optuna.Study) -> Tuned:
    """Read the study. Raises DataError where it does not tell what a trial came to."""
    rows = tuple(_row(one) for one in study.get_trials(deepcopy=False) if one.state in _OUTCOMES)
    tuned = Tuned(
        rows=rows,
        best=None,
        goal=task.goal,
        importance=_importance(study),
        logarithmic=frozenset(one.name for one in task.space.parameters if getattr(one.values, "log", False)),
        recipe=task.baseline.name,
        folds=task.folds,
        seed=task.seed,
        documents=len(task.corpus.documents),
        left=task.left,
        origin=task.origin,
        data=task.data,
    )
    first = tuned.ranked[0] if tuned.ranked else None
    return replace(tuned, best=first.number if first is not None and first.holds else None)


def best_trial(tuned: Tuned) -> Row:
    """The best that holds the constraints. Raises DataError where there is none, with the one that comes nearest."""
    if tuned.best is not None:
        return tuned.row(tuned.best)
    near = next(iter(tuned.ranked), None)
    missed = "" if near is None else ", ".join(f"{name} by {by:.3f}" for name, by in near.missed.items() if by > 0)
    raise DataError(
        f"none of {len(tuned.rows)} trials holds the constraints"
        + (f"; trial {near.number} comes nearest and misses {missed}" if near is not None else ""),
        remedy="Ask for more --trials, or for less in another --out; the trials are kept",
    )


def _row(trial: FrozenTrial) -> Row:
    must_tell = trial.state == TrialState.COMPLETE or VERDICT in trial.user_attrs
    told = verdict_of_trial(trial) if must_tell else None
    return Row(
        number=trial.number,
        outcome=_OUTCOMES[trial.state],
        settings={} if trial.user_attrs.get(BASELINE) else dict(trial.params),
        figures={} if told is None else told.figures,
        recalls={} if told is None else told.recalls,
        missed=dict(trial.constraints),
        folds=len(trial.intermediate_values),
        seconds=trial.user_attrs.get(SECONDS),
        failed=trial.user_attrs.get(FAILED),
    )


def _importance(study: optuna.Study) -> dict[str, float]:
    """By PED-ANOVA (Watanabe, Bansal & Hutter 2023, arXiv 2304.10255), which conditional settings may be given to."""
    finished = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    # the baseline sets what no trial could, so it would be a class of its own
    proposed = [one for one in finished if BASELINE not in one.user_attrs]
    if len(proposed) < _LEAST:
        return {}
    apart = optuna.create_study(direction=study.direction)
    apart.add_trials(proposed)
    quantile = min(0.5, max(_GOOD, _LEAST_GOOD / len(proposed)))
    with warnings.catch_warnings():
        # that a choice was seldom taken
        warnings.simplefilter("ignore", UserWarning)
        told = get_param_importances(apart, evaluator=PedAnovaImportanceEvaluator(target_quantile=quantile))
    return {name: float(share) for name, share in told.items()}
