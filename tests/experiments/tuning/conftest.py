"""A task, and a judge that knows without training which settings are better."""

from __future__ import annotations

from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest

from raretag.corpus import Corpus
from raretag.corpus.demo import demo_corpus
from raretag.experiments.comparison.contestant import Contestant
from raretag.experiments.comparison.estimate import Estimate
from raretag.experiments.tuning.goal import Goal, goal_of
from raretag.experiments.tuning.space import Space
from raretag.experiments.tuning.space_file import read_space
from raretag.experiments.tuning.task import Task, task_of
from raretag.experiments.tuning.verdict import Verdict

SPACE = """
optimiser.learning_rate: {low: 0.0001, high: 0.01, log: true}
optimiser.epochs: {low: 1, high: 20}
objective.name: {choices: [cross-entropy, weighted]}
objective.gamma: {low: 0.1, high: 1.0, when: {objective.name: weighted}}
"""
FOLDS = 2


@pytest.fixture(scope="session")
def corpus() -> Corpus:
    return demo_corpus(documents=20)


def space(folder: Path, text: str = SPACE) -> Space:
    file = folder / "space.yaml"
    file.write_text(text, encoding="utf-8")
    return read_space(str(file))


TaskOf = Callable[..., Task]


@pytest.fixture
def task(corpus: Corpus, tmp_path: Path) -> TaskOf:
    """`task(goal=..., space=...)`: any part of it other than usual."""

    def make(*, text: str = SPACE, goal: Goal | None = None, out: str = "out", **other: Any) -> Task:
        return task_of(
            other.pop("corpus", corpus),
            recipe=other.pop("recipe", "plain"),
            space=space(tmp_path, text),
            goal=goal or goal_of("brier"),
            folds=other.pop("folds", FOLDS),
            out=tmp_path / out,
            **other,
        )

    return make


def told(brier: float, *, micro: float = 0.5, macro10: float = 0.4, tail: float = 0.3) -> Verdict:
    figures = {"brier": brier, "micro": micro, "macro": macro10, "macro10-f1": macro10}
    return Verdict(
        figures={name: Estimate(value=value, interval=(value, value)) for name, value in figures.items()},
        recalls={"tail": tail, "medium": None},
    )


def by_epochs(who: Contestant, /) -> Generator[Verdict | None, None, None]:
    """Twelve epochs are best for the Brier score; every epoch more finds more of the tail, and loses micro-F1."""
    epochs = who.settings.optimiser.epochs
    for _ in range(FOLDS):
        yield told(0.1 + 0.001 * (epochs - 12) ** 2, tail=epochs / 20, micro=1 - epochs / 20, macro10=epochs / 20)
