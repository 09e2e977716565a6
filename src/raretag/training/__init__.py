"""Training: settings, recipes, the thin Trainer and the run folder. Names are imported on first use: torch is slow."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from raretag.training.fine_tuning import train
    from raretag.training.inference import Predictor, TokenProbabilities
    from raretag.training.objective_state import ObjectiveState
    from raretag.training.recipes import RECIPES, Recipe, recipe
    from raretag.training.run_folder import RunFolder
    from raretag.training.settings import TrainSettings

_HOMES = {
    "ObjectiveState": "objective_state",
    "Predictor": "inference",
    "RECIPES": "recipes",
    "Recipe": "recipes",
    "RunFolder": "run_folder",
    "TokenProbabilities": "inference",
    "TrainSettings": "settings",
    "recipe": "recipes",
    "train": "fine_tuning",
}

__all__ = [
    "RECIPES",
    "ObjectiveState",
    "Predictor",
    "Recipe",
    "RunFolder",
    "TokenProbabilities",
    "TrainSettings",
    "recipe",
    "train",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
