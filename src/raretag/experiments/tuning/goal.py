"""What tuning is after: a proper score or F1 of unseen documents, and what must hold beside it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, final, get_args

from raretag.corpus.inventory import TAIL_GROUPS, tail_group
from raretag.errors import DataError, UsageError
from raretag.experiments.tuning.verdict import Verdict

GoalName = Literal["brier", "macro10-f1"]

NAMES: Final = get_args(GoalName)
WORDS: Final[Mapping[str, str]] = {
    "brier": "Brier score of calibrated tokens",
    "macro10-f1": "macro-F1 of labels with at least 10 mentions",
}
MICRO: Final = "micro-F1 of the baseline"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """name: what is made small (`brier`) or large (`macro10-f1`).

    at_least: recall, in (0, 1], by label or tail group. micro_not_below: whether micro-F1 must reach the baseline's.
    Recall and F1 are strict, of what the recipe's policy accepts.
    """

    name: GoalName = "brier"
    at_least: Mapping[str, float]
    micro_not_below: bool = False

    @property
    def direction(self) -> Literal["minimize", "maximize"]:
        """As optuna has it."""
        return "minimize" if self.name == "brier" else "maximize"

    @property
    def decides(self) -> bool:
        """Whether it looks at decided mentions, not at probabilities of tokens alone."""
        return self.name != "brier" or bool(self.at_least) or self.micro_not_below

    @property
    def words(self) -> tuple[str, ...]:
        """Goal and constraints for a person."""
        floors = [f"recall of {name} at least {least:g}" for name, least in self.at_least.items()]
        return WORDS[self.name], *floors, *([f"not below the {MICRO}"] if self.micro_not_below else [])

    @property
    def blind_to(self) -> dict[str, str]:
        """Parts of the settings that would be tuned for nothing, by their name, and why."""
        parts = {}
        if not self.decides:
            parts["policy"] = "a Brier score without constraints does not look at what is decided"
        if self.name != "brier":
            parts["calibration"] = "mentions have a calibration of their own, and this goal does not look at tokens"
        return parts

    def value(self, verdict: Verdict) -> float | None:
        """What is to be made small or large; None where it is undefined."""
        return verdict.figures[self.name].value

    def violations(self, verdict: Verdict, *, micro: float | None) -> dict[str, float]:
        """By how much each constraint is missed, by name: up to 0 it holds. micro: of the baseline, if it is asked for.

        What has no gold yet, as may be after some of the folds, misses nothing.
        """
        found = {}
        for name, least in self.at_least.items():
            recall = verdict.recalls.get(name)
            found[f"recall of {name}"] = 0.0 if recall is None else least - recall
        if micro is not None:
            found[MICRO] = micro - (verdict.figures["micro"].value or 0.0)
        return found

    def to_json(self) -> dict[str, Any]:
        """Built-in types only."""
        return {"name": self.name, "at_least": dict(self.at_least), "micro_not_below": self.micro_not_below}


def goal_of(name: str, *, at_least: Sequence[str] = (), micro_not_below: bool = False) -> Goal:
    """As it is written on a command line. Raises UsageError with what cannot be meant."""
    if name not in NAMES:
        raise UsageError(f"there is no goal {name!r}", remedy=f"Give one of {', '.join(NAMES)}")
    floors: dict[str, float] = {}
    for one in at_least:
        label, equals, told = one.rpartition("=")
        try:
            least = float(told)
        except ValueError:
            least = math.nan
        if not equals or not label or not 0 < least <= 1:
            raise UsageError(
                f"--at-least {one!r} is no name and recall", remedy="Write NAME=RECALL, such as --at-least tail=0.5"
            )
        if label in floors:
            raise UsageError(f"{label!r} has two least recalls", remedy="Give each label or tail group one")
        floors[label] = least
    return Goal(name="brier" if name == "brier" else "macro10-f1", at_least=floors, micro_not_below=micro_not_below)


def check_goal(goal: Goal, *, mentions: Mapping[str, int]) -> None:
    """Raises UsageError for names that no mention has, DataError where no label is frequent enough for the goal.

    mentions: by label, in the documents to tune on.
    """
    groups = {tail_group(number) for number in mentions.values() if number}
    unknown = [name for name in goal.at_least if not mentions.get(name) and name not in groups]
    if unknown:
        there = ", ".join([*sorted(label for label, number in mentions.items() if number), *groups & {*TAIL_GROUPS}])
        raise UsageError(
            f"no mention of {', '.join(map(repr, unknown))} is in the documents to tune on",
            remedy=f"Give labels or tail groups: {there}",
        )
    if goal.name == "macro10-f1" and max(mentions.values(), default=0) < 10:
        raise DataError(
            "no label has 10 mentions in the documents to tune on", remedy="Give more documents, or --goal brier"
        )
