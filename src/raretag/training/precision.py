"""Which number format this machine multiplies fastest: measured, not guessed from a name."""

from __future__ import annotations

import time
from typing import Literal

import torch

Precision = Literal["bfloat16", "float32"]
_CLEARLY_FASTER = 1.5


def fastest_precision() -> Precision:
    """Time a matrix product of an encoder's size in both formats, about 50 ms; bfloat16 only if 1.5 times as fast."""
    seconds = {dtype: _product_seconds(dtype) for dtype in (torch.float32, torch.bfloat16)}
    return "bfloat16" if seconds[torch.float32] > _CLEARLY_FASTER * seconds[torch.bfloat16] else "float32"


def _product_seconds(dtype: torch.dtype) -> float:
    left = torch.ones(1024, 384, dtype=dtype)
    right = torch.ones(384, 1536, dtype=dtype)
    runs: list[float] = []
    for _ in range(7):
        started = time.perf_counter()
        left @ right
        runs.append(time.perf_counter() - started)
    return min(runs)
