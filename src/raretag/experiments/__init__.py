"""Experiments on methods themselves. Names are imported on first use: torch is slow."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from raretag.experiments.biaslab.lab import bias_lab
    from raretag.experiments.biaslab.results import BiasLabResults
    from raretag.experiments.biaslab.settings import LabSettings

_HOMES = {"BiasLabResults": "biaslab.results", "LabSettings": "biaslab.settings", "bias_lab": "biaslab.lab"}

__all__ = ["BiasLabResults", "LabSettings", "bias_lab"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
