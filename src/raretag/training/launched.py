"""How many processes a launcher, torchrun or accelerate, started; asked of the environment, without torch."""

from __future__ import annotations

import os


def launched_processes() -> int:
    """>= 1: 1 without a launcher, or where the environment holds no number."""
    told = os.environ.get("WORLD_SIZE", "1")
    return max(1, int(told)) if told.isdigit() else 1
