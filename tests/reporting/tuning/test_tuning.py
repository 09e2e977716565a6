"""The recipe, the figures and the pictures of a study: all of it is there, and users' words break nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from xml.dom import minidom

import pytest

from raretag.decision.after_training import AfterTraining
from raretag.experiments.comparison.contestant import Contestant
from raretag.experiments.comparison.estimate import Estimate
from raretag.experiments.tuning.goal import goal_of
from raretag.experiments.tuning.result import Row, Tuned
from raretag.reporting.tuning import BEST, FIGURES, IMPORTANCE, SLICES, write_tuning
from raretag.training.settings import TrainSettings
from raretag.training.settings_file import load_recipe

NAMES = ("optimiser.learning_rate", "objective.name", "head <b>&| `x`", "長い名前" * 12)


def row(number: int) -> Row:
    settings = {
        NAMES[0]: 10 ** (-4 + number / 5),
        NAMES[1]: "focal" if number % 2 else None,
        NAMES[2]: number,
        NAMES[3]: bool(number % 3),
    }
    value = Estimate(value=0.2 - 0.01 * number, interval=(0.1, 0.3))
    return Row(
        number=number,
        outcome="finished",
        settings={} if number == 0 else settings,
        figures=dict.fromkeys(("brier", "micro", "macro", "macro10-f1"), value),
        recalls={"tail": 0.5},
        missed={"recall of tail": 0.1 if number % 2 else -0.1},
        folds=2,
        seconds=1.5,
        failed=None,
    )


@pytest.fixture
def tuned() -> Tuned:
    failed = replace(row(9), outcome="failed", figures={}, missed={}, failed="no\nnumbers")
    return Tuned(
        rows=(*(row(number) for number in range(9)), failed),
        best=8,
        goal=goal_of("brier", at_least=["a\nb: c=0.4"]),
        importance=dict(zip(NAMES, (0.5, 0.3, 0.15, 0.05), strict=True)),
        logarithmic=frozenset({NAMES[0]}),
        recipe="plain",
        folds=2,
        seed=13,
        documents=10,
        left=2,
        origin="drawn",
        data="d" * 64,
    )


WHO = Contestant(
    name="x",
    settings=TrainSettings.model_validate({"objective": {"name": "focal", "gamma": 1.5}, "seed": 14}),
    after=AfterTraining.of({"calibration": {"name": "vector", "ridge": 2.0}, "policy": {"rule": "argmax"}}),
)


def test_all_of_it_is_written(tuned: Tuned, tmp_path: Path) -> None:
    written = write_tuning(tuned, tmp_path, best=WHO, command="raretag tune 'a\nb'")
    assert [one.name for one in written] == [FIGURES, BEST, IMPORTANCE, SLICES]
    told = json.loads((tmp_path / FIGURES).read_text(encoding="utf-8"))
    assert (told["best"], len(told["trials"]), told["trials"][8]["holds"]) == (8, 10, True)
    settings, after, _ = load_recipe(config=tmp_path / BEST)
    assert (settings, AfterTraining.of(after)) == (WHO.settings, WHO.after)
    for name in (IMPORTANCE, SLICES):
        picture = minidom.parse(str(tmp_path / name))
        words = {node.firstChild.data for node in picture.getElementsByTagName("text") if node.firstChild}  # type: ignore[union-attr]
        assert {NAMES[0], NAMES[1], NAMES[2]} <= words
        assert any(one.endswith("…") for one in words)
        assert not any("$" in one for one in words)
    first = {name: (tmp_path / name).read_bytes() for name in (IMPORTANCE, SLICES)}
    write_tuning(tuned, tmp_path, best=WHO, command="raretag tune")
    assert first == {name: (tmp_path / name).read_bytes() for name in first}


def test_the_best_of_nothing_but_the_baseline(tuned: Tuned, tmp_path: Path) -> None:
    alone = replace(tuned, rows=tuned.rows[:1], best=0, importance={})
    who = Contestant(name="plain", settings=TrainSettings(), after=AfterTraining())
    written = write_tuning(alone, tmp_path, best=who, command="raretag tune")
    assert [one.name for one in written] == [FIGURES, BEST]
    text = (tmp_path / BEST).read_text(encoding="utf-8")
    assert "the baseline: nothing was better" in text
    assert load_recipe(config=tmp_path / BEST).training == TrainSettings()
    written = write_tuning(replace(alone, best=None), tmp_path / "none", best=None, command="raretag tune")
    assert [one.name for one in written] == [FIGURES]
