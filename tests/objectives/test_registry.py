"""Objectives by name: what exists is built as asked, what does not is wrong usage that names what there is."""

from __future__ import annotations

from typing import Any

import pytest

from raretag.errors import UsageError
from raretag.objectives import OBJECTIVES, REGULARISERS, Objective, objective
from raretag.objectives.registry import ObjectiveEntry
from raretag.options import Options
from raretag.sampling import SAMPLERS
from raretag.training.heads import HEADS

COUNTS = [100, 4, 16]
GROUPS = [0, 1, 1]
EVERYTHING = {**OBJECTIVES, **REGULARISERS}


def test_names_differ_between_the_registries() -> None:
    assert not OBJECTIVES.keys() & REGULARISERS.keys()


@pytest.mark.parametrize("name", EVERYTHING)
def test_an_entry_is_complete_and_cannot_be_changed(name: str) -> None:
    entry = EVERYTHING[name]
    assert entry.about
    assert "\n" not in entry.about
    assert entry.source
    assert entry.heads is None or set(entry.heads) <= set(HEADS)
    assert entry.sampler in SAMPLERS
    assert issubclass(entry.options, Options)
    assert entry.options.model_config["frozen"] is True
    for field in entry.options.model_fields.values():
        assert field.description
        assert not field.is_required()
    for registry in (OBJECTIVES, REGULARISERS):
        with pytest.raises(TypeError):
            registry["mine"] = entry  # type: ignore[index]


@pytest.mark.parametrize("name", OBJECTIVES)
def test_a_name_builds_its_objective_with_the_options_given(name: str) -> None:
    entry: ObjectiveEntry = OBJECTIVES[name]
    built = objective(name, counts=COUNTS, groups=GROUPS)
    assert isinstance(built, entry.method)
    assert built.options == entry.options()


@pytest.mark.parametrize("name", ["", "focal!", "Weighted"])
def test_an_unknown_name_lists_those_that_exist(name: str) -> None:
    with pytest.raises(UsageError, match="no objective") as caught:
        objective(name, counts=COUNTS)
    for existing in OBJECTIVES:
        assert existing in caught.value.remedy
    with pytest.raises(UsageError, match="no regulariser") as caught:
        objective("cross-entropy", counts=COUNTS, regularisers={name: {}})
    for existing in REGULARISERS:
        assert existing in caught.value.remedy


def built(name: str, **options: Any) -> Objective[Any]:
    """An objective, or cross-entropy with a regulariser."""
    if name in OBJECTIVES:
        return objective(name, counts=COUNTS, groups=GROUPS, **options)
    return objective("cross-entropy", counts=COUNTS, groups=GROUPS, regularisers={name: options})


@pytest.mark.parametrize("name", EVERYTHING)
def test_an_unknown_option_lists_those_that_exist(name: str) -> None:
    with pytest.raises(UsageError, match="no_such_option") as caught:
        built(name, no_such_option=1)
    for option in EVERYTHING[name].options.model_fields or ["none"]:
        assert option in caught.value.remedy


@pytest.mark.parametrize(
    ("name", "option"),
    [(name, option) for name, entry in EVERYTHING.items() for option in entry.options.model_fields],
)
@pytest.mark.parametrize("value", [float("nan"), float("inf"), -7.5, "perhaps", None, []])
def test_a_value_out_of_range_is_told_with_its_option(name: str, option: str, value: object) -> None:
    if value is None and EVERYTHING[name].options.model_fields[option].default is None:
        built(name, **{option: value})
        return
    with pytest.raises(UsageError, match=option) as caught:
        built(name, **{option: value})
    assert caught.value.exit_code == 2


def test_all_wrong_options_are_told_together() -> None:
    with pytest.raises(UsageError) as caught:
        objective("weighted", counts=COUNTS, gamma=float("nan"), cap=0.5, tie="perhaps")
    for option in ("gamma", "cap", "tie"):
        assert f"{option}: Input should" in str(caught.value)


@pytest.mark.parametrize("start", [-0.1, 1.0, float("nan")])
def test_a_start_that_never_comes_is_refused(start: float) -> None:
    with pytest.raises(UsageError, match="start"):
        objective("weighted", counts=COUNTS, start=start)
