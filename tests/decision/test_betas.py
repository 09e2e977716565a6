"""Betas by label, by tail group or for all, and what cannot be."""

from __future__ import annotations

from typing import Any

import pytest

from raretag.decision.after_training import AfterTraining
from raretag.decision.betas import betas_of
from raretag.decision.policy_fitting import Asked, check_asked
from raretag.errors import UsageError
from raretag.tagging import build_schema

SCHEMA = build_schema(["X", "Y", "Z"], mention_counts=[600, 60, 20])


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (None, {"X": 1, "Y": 1, "Z": 1}),
        (2.0, {"X": 2, "Y": 2, "Z": 2}),
        ({"tail": 2.0}, {"X": 1, "Y": 1, "Z": 2}),
        # a label's own goes before its group's
        ({"tail": 2.0, "medium": 1.5, "Z": 3.0}, {"X": 1, "Y": 1.5, "Z": 3}),
    ],
)
def test_each_label_has_its_own(told: Any, expected: dict[str, float]) -> None:
    assert betas_of(told, schema=SCHEMA) == expected


def test_a_group_that_no_label_belongs_to_is_no_mistake() -> None:
    """A recipe names groups for any corpus."""
    schema = build_schema(["X"], mention_counts=[600])
    assert betas_of({"tail": 2.0, "medium": 1.5}, schema=schema) == {"X": 1}


@pytest.mark.parametrize(
    ("told", "parts"),
    [
        (0.0, ["a beta of 0 is not in (0, 10]"]),
        (float("nan"), ["nan"]),
        ({"tial": 2.0, "Y": -1.0}, ["did you mean tail?", "-1 for 'Y'"]),
    ],
)
def test_what_cannot_be_is_told_at_once(told: Any, parts: list[str]) -> None:
    with pytest.raises(UsageError) as caught:
        betas_of(told, schema=SCHEMA)
    assert all(part in str(caught.value) for part in parts)


def test_a_beta_is_of_thresholds_alone() -> None:
    with pytest.raises(UsageError, match="of the rule 'thresholds'"):
        check_asked(Asked(rule="argmax", betas=1.5))
    with pytest.raises(UsageError, match="not in"):
        check_asked(Asked(rule="thresholds", betas={"tail": 99.0}))
    check_asked(Asked(rule="thresholds", betas={"tail": 2.0}), schema=SCHEMA)


def test_a_recipe_says_it() -> None:
    after = AfterTraining.of({"policy": {"beta": {"tail": 1.5}}})
    assert after.policy.asked.betas == {"tail": 1.5}
