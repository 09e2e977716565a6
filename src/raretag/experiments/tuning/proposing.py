"""Which settings to try next, and which trial to give up: optuna's TPE, numbered, and a median of what is allowed."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from statistics import median
from typing import TYPE_CHECKING, Any, Final, final

from optuna.exceptions import ExperimentalWarning
from optuna.pruners import BasePruner
from optuna.samplers import BaseSampler, TPESampler
from optuna.trial import FrozenTrial, TrialState

if TYPE_CHECKING:
    from optuna import Study
    from optuna.distributions import BaseDistribution

# trials that propose at random before TPE does, and that finish before any is given up
STARTUP: Final = 10
_FINISHED: Final = 5


@final
class NumberedTPE(BaseSampler):
    """TPE (Bergstra et al. 2011) whose luck is that of the trial's number.

    So a study that was broken off proposes, in one process, what it would have proposed, and two processes do not
    propose the same. Settings that are open together are proposed together (multivariate, by group).
    """

    def __init__(self, *, seed: int) -> None:
        self._seed = seed
        self._number = -1
        self._inner: TPESampler

    def _of(self, trial: FrozenTrial) -> TPESampler:
        if trial.number != self._number:
            self._number = trial.number
            # any spread of seeds will do, as long as neighbours are not alike
            seed = (self._seed * 1_000_003 + trial.number * 7919) % 2**32
            with warnings.catch_warnings():
                # optuna may change how settings are grouped; no result of ours depends on its staying
                warnings.simplefilter("ignore", ExperimentalWarning)
                self._inner = TPESampler(seed=seed, multivariate=True, group=True, n_startup_trials=STARTUP)
        return self._inner

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """As TPE."""
        return self._of(trial).infer_relative_search_space(study, trial)

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """As TPE."""
        return self._of(trial).sample_relative(study, trial, search_space)

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """As TPE."""
        return self._of(trial).sample_independent(study, trial, param_name, param_distribution)


@final
class FeasibleMedian(BasePruner):
    """Gives up what, after as many folds, is worse than the median of finished trials that hold the constraints.

    Optuna's own median does not know constraints: it would give up the first trial that holds them for not being as
    good as those that do not. None is given up before five have finished.
    """

    def prune(self, study: Study, trial: FrozenTrial) -> bool:
        """Whether to give up `trial` now."""
        step = trial.last_step
        if step is None:
            return False
        finished = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        beside = [one.intermediate_values[step] for one in finished if _holds(one) and step in one.intermediate_values]
        if len(beside) < _FINISHED:
            return False
        worse = trial.intermediate_values[step] - median(beside)
        return worse > 0 if study.direction.name == "MINIMIZE" else worse < 0


def _holds(trial: FrozenTrial) -> bool:
    return violation(trial.constraints) == 0


def violation(constraints: Mapping[str, float]) -> float:
    """By how much constraints are missed together."""
    return sum(max(one, 0.0) for one in constraints.values())
