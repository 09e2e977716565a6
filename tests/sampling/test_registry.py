"""Samplers are found by name; what they cannot work with is refused, with what was given and what is allowed."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from raretag.errors import UsageError
from raretag.sampling import SAMPLERS, Budget, Windows, sampler

BUDGET = Budget(tokens=256, seed=3)


@pytest.mark.parametrize("name", SAMPLERS)
def test_each_is_described_with_its_source_and_options(name: str) -> None:
    entry = SAMPLERS[name]
    assert entry.about
    assert entry.source
    assert all(field.description and not field.is_required() for field in entry.options.model_fields.values())


@pytest.mark.parametrize("name", SAMPLERS)
def test_its_page_names_it_and_each_option_with_its_default(name: str) -> None:
    folder = Path(__file__).resolve().parents[2] / "docs" / "samplers"
    assert f"`{name}`" in (folder / "README.md").read_text(encoding="utf-8")
    pages = [page.read_text(encoding="utf-8") for page in folder.glob("*.md") if page.name != "README.md"]
    (page,) = [page for page in pages if f"`{name}`" in page.splitlines()[0]]
    for option, field in SAMPLERS[name].options.model_fields.items():
        default = f"{field.default:g}" if isinstance(field.default, float) else field.default
        assert f"| `{option}` | `{default}` |" in page


def test_a_name_that_does_not_exist_is_refused(corpus: Any) -> None:
    with pytest.raises(UsageError, match=r"no sampler 'repeat'.*length-bucketed, random, repeat-factor"):
        sampler("repeat", windows=corpus.windows, budget=BUDGET)


@pytest.mark.parametrize("name", SAMPLERS)
def test_an_option_that_does_not_exist_is_refused(name: str, corpus: Any) -> None:
    allowed = ", ".join(SAMPLERS[name].options.model_fields) or "none"
    with pytest.raises(UsageError, match=f"strength.*Its options are: {allowed}"):
        sampler(name, windows=corpus.windows, budget=BUDGET, strength=1)


@pytest.mark.parametrize(
    ("name", "options", "allowed"),
    [
        ("repeat-factor", {"threshold": 0}, "greater than 0, not 0"),
        ("repeat-factor", {"threshold": 1.1}, "less than or equal to 1, not 1.1"),
        ("scr", {"sharpness": -1}, "greater than or equal to 0, not -1"),
        ("nscrd", {"sharpness": math.inf}, "not inf"),
        ("outside-thinning", {"keep": 0}, "greater than 0, not 0"),
        ("outside-thinning", {"keep": 1.5}, "less than or equal to 1, not 1.5"),
        ("per-class", {"without": 1}, "less than 1, not 1"),
        ("per-class", {"without": -0.1}, "greater than or equal to 0, not -0.1"),
        ("per-class", {"others": "drop"}, "'mask', 'relabel' or 'keep', not 'drop'"),
        ("per-class", {"order": "random"}, "'round-robin', not 'random'"),
        ("balanced", {"start": 1.0}, "start is 1.0.*0 <= start < 1"),
        ("balanced", {"start": math.nan}, "start is nan.*0 <= start < 1"),
    ],
)
def test_strengths_out_of_range_are_refused(name: str, options: dict[str, Any], allowed: str, corpus: Any) -> None:
    with pytest.raises(UsageError, match=allowed):
        sampler(name, windows=corpus.windows, budget=BUDGET, **options)


@pytest.mark.parametrize("name", SAMPLERS)
def test_fewer_windows_than_a_batch_are_refused(name: str) -> None:
    few = Windows(lengths=np.array([50, 60]), counts=np.array([[40, 5], [50, 5]]), groups=np.array([0, 1]))
    with pytest.raises(UsageError, match=r"2 windows of 110 tokens are fewer than a batch of 256 tokens.*batch_tokens"):
        sampler(name, windows=few, budget=BUDGET)
    with pytest.raises(UsageError, match="for each of 3 processes"):
        sampler(name, windows=few, budget=Budget(tokens=50, seed=0, processes=3))


@pytest.mark.parametrize("name", SAMPLERS)
def test_windows_without_a_target_are_refused(name: str) -> None:
    empty = Windows(lengths=np.full(90, 5), counts=np.zeros((90, 3), dtype=np.int64), groups=np.array([0, 1, 1]))
    with pytest.raises(UsageError, match="none of 90 windows has a target"):
        sampler(name, windows=empty, budget=BUDGET)


def test_batches_about_one_label_need_one() -> None:
    plain = Windows(lengths=np.full(90, 5), counts=np.tile([5, 0, 0], (90, 1)), groups=np.array([0, 1, 1]))
    with pytest.raises(UsageError, match="none of 90 windows holds a label"):
        sampler("per-class", windows=plain, budget=BUDGET)


@pytest.mark.parametrize(
    "wrong", [{"tokens": 0}, {"epochs": 0}, {"seed": -1}, {"rank": 1}, {"rank": -1}, {"processes": 0}]
)
def test_a_budget_that_cannot_be_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="0 <= rank < processes, not"):
        Budget(**{"tokens": 10, "seed": 0, **wrong})
