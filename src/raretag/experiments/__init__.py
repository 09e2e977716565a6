"""Experiments on methods themselves. Names are imported on first use: torch is slow."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from raretag.experiments.biaslab.lab import bias_lab
    from raretag.experiments.biaslab.results import BiasLabResults
    from raretag.experiments.biaslab.settings import LabSettings
    from raretag.experiments.comparison.compare import Comparison, compare
    from raretag.experiments.comparison.contestant import Contestant, contestant
    from raretag.experiments.tuning.goal import goal_of
    from raretag.experiments.tuning.result import Tuned
    from raretag.experiments.tuning.space_file import space_of
    from raretag.experiments.tuning.task import task_of
    from raretag.experiments.tuning.tune import tune

_HOMES = {
    "BiasLabResults": "biaslab.results",
    "Comparison": "comparison.compare",
    "Contestant": "comparison.contestant",
    "LabSettings": "biaslab.settings",
    "Tuned": "tuning.result",
    "bias_lab": "biaslab.lab",
    "compare": "comparison.compare",
    "contestant": "comparison.contestant",
    "goal_of": "tuning.goal",
    "space_of": "tuning.space_file",
    "task_of": "tuning.task",
    "tune": "tuning.tune",
}

__all__ = [
    "BiasLabResults",
    "Comparison",
    "Contestant",
    "LabSettings",
    "Tuned",
    "bias_lab",
    "compare",
    "contestant",
    "goal_of",
    "space_of",
    "task_of",
    "tune",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
