"""Goals and constraints: what they ask, and what cannot be asked."""

from __future__ import annotations

import pytest

from raretag.errors import DataError, UsageError
from raretag.experiments.tuning.goal import MICRO, check_goal, goal_of
from raretag.experiments.tuning.verdict import Verdict

from .conftest import told


def test_what_a_constraint_misses() -> None:
    goal = goal_of("brier", at_least=["tail=0.5", "medium=0.5"], micro_not_below=True)
    assert goal.direction == "minimize"
    assert goal.value(told(0.25)) == 0.25
    missed = goal.violations(told(0.25, tail=0.3, micro=0.4), micro=0.6)
    assert missed == {"recall of tail": pytest.approx(0.2), "recall of medium": 0.0, MICRO: pytest.approx(0.2)}
    assert max(goal.violations(told(0.25, tail=0.5, micro=0.6), micro=0.6).values()) == 0
    assert goal.decides
    assert not goal_of("brier").decides
    assert goal_of("macro10-f1").decides
    assert goal_of("macro10-f1").direction == "maximize"


def test_a_verdict_comes_back_from_json() -> None:
    assert Verdict.from_json(told(0.5).to_json()) == told(0.5)


def test_a_label_with_an_equals_sign() -> None:
    assert goal_of("brier", at_least=["a=b=0.5"]).at_least == {"a=b": 0.5}


@pytest.mark.parametrize("wrong", ["tail", "tail=", "=0.5", "tail=2", "tail=0", "tail=nan", "tail=half"])
def test_no_constraint(wrong: str) -> None:
    with pytest.raises(UsageError, match="NAME=RECALL"):
        goal_of("brier", at_least=[wrong])


def test_bad_goals() -> None:
    with pytest.raises(UsageError, match="brier, macro10-f1"):
        goal_of("accuracy")
    with pytest.raises(UsageError, match="two least recalls"):
        goal_of("brier", at_least=["tail=0.5", "tail=0.6"])


def test_goals_that_the_documents_cannot_tell() -> None:
    check_goal(goal_of("macro10-f1", at_least=["tail=0.5", "Drug=0.5"]), mentions={"Drug": 12, "None": 0})
    with pytest.raises(UsageError, match="'head', 'None'"):
        check_goal(goal_of("brier", at_least=["head=0.5", "None=0.5"]), mentions={"Drug": 12, "None": 0})
    with pytest.raises(DataError, match="no label has 10 mentions"):
        check_goal(goal_of("macro10-f1"), mentions={"Drug": 9})
