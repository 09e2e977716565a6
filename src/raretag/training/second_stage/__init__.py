"""A second stage: the encoder stays, the head is trained anew, scaled or normalised. Names are lazy."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from raretag.training.second_stage.base import Retrained, SecondStage
    from raretag.training.second_stage.extraction import extract_features
    from raretag.training.second_stage.features import Features
    from raretag.training.second_stage.marginals import predicted_marginals
    from raretag.training.second_stage.registry import SECOND_STAGES
    from raretag.training.second_stage.retraining import retrain_head
    from raretag.training.second_stage.run import second_stage_run

# settings need the registry alone, and extraction needs settings
_HOMES = {
    "SECOND_STAGES": "registry",
    "Features": "features",
    "Retrained": "base",
    "SecondStage": "base",
    "extract_features": "extraction",
    "predicted_marginals": "marginals",
    "retrain_head": "retraining",
    "second_stage_run": "run",
}

__all__ = [
    "SECOND_STAGES",
    "Features",
    "Retrained",
    "SecondStage",
    "extract_features",
    "predicted_marginals",
    "retrain_head",
    "second_stage_run",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
