"""A figure with its 95 % interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

from raretag.evaluation.intervals import Interval


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """value: None where undefined. interval: by resampling documents (patients), None where it cannot be told."""

    value: float | None
    interval: Interval | None = None

    def to_json(self) -> dict[str, Any]:
        """Built-in types only."""
        return {"value": self.value, "interval": None if self.interval is None else list(self.interval)}
