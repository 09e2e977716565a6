"""What a recipe says of the time after training: how its probabilities are calibrated, and by which rule it decides."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any, final

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from raretag.decision.policy import Rule
from raretag.decision.policy_fitting import Asked
from raretag.errors import DataError, UsageError
from raretag.objectives import OBJECTIVES
from raretag.probability.calibrators import calibrator
from raretag.training.run_folder import RECIPE, RunFolder, read_json
from raretag.training.settings import TrainSettings
from raretag.training.settings_layers import problems_of, unusable


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


@final
class CalibrationSettings(BaseModel):
    """The calibrator of tags by name, with its own options beside the name."""

    model_config = ConfigDict(frozen=True, extra="allow", allow_inf_nan=False)

    name: str = Field(default="bias-corrected-temperature", description="see docs/calibration.md")

    @property
    def options(self) -> dict[str, Any]:
        """What stands beside the name."""
        return dict(self.model_extra or {})

    @model_validator(mode="after")
    def _known(self) -> CalibrationSettings:
        try:
            method = calibrator(self.name, self.options)
        except UsageError as error:
            raise ValueError(error.what) from error
        if method.needs_hidden:
            raise ValueError(f"{self.name} needs hidden states, which a run folder does not keep")
        return self


@final
class PolicySettings(_Settings):
    """The rule, its beta, a recall floor and a budget; costs are the user's own and never a recipe's."""

    rule: Rule = Field(default="thresholds", description="argmax or thresholds; costs with a file of costs")
    beta: float | dict[str, float] | None = Field(
        default=None, description="of thresholds: above 1 recall counts more; one, or by label or tail group"
    )
    recall_floor: float | dict[str, float] | None = Field(default=None, description="one, or by label or tail group")
    review_budget: float | None = Field(default=None, gt=0, lt=1, description="share of tokens that may be reviewed")

    @model_validator(mode="after")
    def _without_costs(self) -> PolicySettings:
        if self.rule == "costs":
            raise ValueError("the rule costs needs a file of costs: raretag decide RUN --costs costs.yaml")
        return self

    @property
    def asked(self) -> Asked:
        """As a policy is asked for."""
        return Asked(rule=self.rule, floors=self.recall_floor, budget=self.review_budget, betas=self.beta)


@final
class AfterTraining(_Settings):
    """Both, with their defaults."""

    calibration: CalibrationSettings = CalibrationSettings()
    policy: PolicySettings = PolicySettings()

    @staticmethod
    def of_run(run: RunFolder) -> AfterTraining:
        """What the recipe of a run says, the defaults where there is none. Raises DataError for a damaged file."""
        file = run.path / RECIPE
        if not file.is_file():
            return AfterTraining()
        content = read_json(file).get("after", {})
        problems = AfterTraining.problems(content) if isinstance(content, dict) else ["after: it holds no keys"]
        if problems:
            raise DataError("; ".join(problems), remedy="Mend what this file says, or train again", file=file)
        return AfterTraining.of(content)

    @staticmethod
    def of(content: Mapping[str, Any]) -> AfterTraining:
        """Read it. Raises UsageError that tells all that is wrong."""
        problems = AfterTraining.problems(content)
        if problems:
            raise unusable(problems, file=None)
        return AfterTraining.model_validate(dict(content))

    def check(self, settings: TrainSettings) -> None:
        """Raises UsageError where a run of these settings could not be calibrated so."""
        # what a second stage teaches, it tells when it is done
        taught = [one.objective.name for one in settings.members if one.second_stage.name is None]
        unique = all(OBJECTIVES[name].method.prior_is_unique for name in taught)
        calibrator(self.calibration.name, self.calibration.options).check(unique=unique)

    @staticmethod
    def problems(content: Mapping[str, Any]) -> list[str]:
        """All that is wrong in it, a line each."""
        try:
            AfterTraining.model_validate(dict(content))
        except ValidationError as error:
            return problems_of(error, suggestion=_suggestion)
        return []


def _suggestion(location: tuple[int | str, ...]) -> str:
    """What keys there are beside the unknown one. A calibrator tells of its own options."""
    if location[0] != "policy":
        return ""
    near = difflib.get_close_matches(str(location[-1]), PolicySettings.model_fields, n=1)
    return f"; did you mean {near[0]}?" if near else f"; there are: {', '.join(PolicySettings.model_fields)}"
