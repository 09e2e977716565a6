"""Objectives by name: what exists is built as asked, what does not is wrong usage that names what there is."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import BaseModel

from raretag.errors import UsageError
from raretag.objectives import OBJECTIVES, CrossEntropy, Objective, Weighted, objective, power_weights

COUNTS = [100, 4, 16]
GROUPS = [0, 1, 1]


def test_names_build_their_objectives() -> None:
    assert isinstance(objective("cross-entropy", counts=COUNTS), CrossEntropy)
    weighted = objective("weighted", counts=COUNTS, groups=GROUPS)
    assert isinstance(weighted, Weighted)
    np.testing.assert_allclose(weighted.weights, power_weights(COUNTS, groups=GROUPS, gamma=0.5, cap=10))


def test_every_option_is_used() -> None:
    for options, expected in (
        ({"gamma": 1.0}, power_weights(COUNTS, groups=GROUPS, gamma=1)),
        ({"gamma": 2.0, "cap": 3.0}, power_weights(COUNTS, groups=GROUPS, gamma=2, cap=3)),
        ({"tie": False}, power_weights(COUNTS)),
    ):
        weighted = objective("weighted", counts=COUNTS, groups=GROUPS, **options)
        assert isinstance(weighted, Weighted)
        np.testing.assert_allclose(weighted.weights, expected)


@pytest.mark.parametrize("name", ["", "focal!", "Weighted"])
def test_an_unknown_name_lists_those_that_exist(name: str) -> None:
    with pytest.raises(UsageError, match="no objective") as caught:
        objective(name, counts=COUNTS)
    for existing in OBJECTIVES:
        assert existing in caught.value.remedy


@pytest.mark.parametrize("name", list(OBJECTIVES))
def test_an_unknown_option_lists_those_that_exist(name: str) -> None:
    with pytest.raises(UsageError, match="no_such_option") as caught:
        objective(name, counts=COUNTS, no_such_option=1)
    for option in OBJECTIVES[name].options.model_fields or ["none"]:
        assert option in caught.value.remedy


def test_all_wrong_options_are_told_together() -> None:
    with pytest.raises(UsageError, match=r"gamma: .*cap: .*tie: ") as caught:
        objective("weighted", counts=COUNTS, gamma=float("nan"), cap=0.5, tie="perhaps")
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("name", list(OBJECTIVES))
def test_an_entry_is_complete_and_cannot_be_changed(name: str) -> None:
    entry = OBJECTIVES[name]
    assert entry.about
    assert entry.source
    assert issubclass(entry.options, BaseModel)
    assert entry.options.model_config["frozen"] is True
    assert entry.options.model_config["extra"] == "forbid"
    for field in entry.options.model_fields.values():
        assert field.description
        assert not field.is_required()
    assert isinstance(entry.build(COUNTS, GROUPS, entry.options()), Objective)
    with pytest.raises(TypeError):
        OBJECTIVES["mine"] = entry  # type: ignore[index]
