"""What is written about one rare event."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """Sentences about one rare event, dealt out to documents.

    `reports` hold the event and are used `report_count` times in 320 documents; `lookalikes` share its words but not
    its label and are used `lookalike_count` times. Each sentence is used once before any is used again.
    """

    reports: tuple[str, ...]
    report_count: int
    lookalikes: tuple[str, ...] = ()
    lookalike_count: int = 0
