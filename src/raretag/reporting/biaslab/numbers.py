"""Figures as words: shares in per cent, measures with as many digits as they deserve, a dash where undefined."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from raretag.experiments.biaslab.results import Spread

DASH: Final = "–"
_NARROW: Final = "\u202f"


def share(value: float) -> str:
    """A share in [0, 1] in per cent: `60.0 %`, `3.96 %`, `< 0.01 %`, `0 %`."""
    if value == 0:
        return f"0{_NARROW}%"
    if 0 < value < 0.00005:
        return f"<{_NARROW}0.01{_NARROW}%"
    return f"{100 * value:.{1 if value >= 0.09995 else 2}f}{_NARROW}%"


def number(value: float | None, digits: int) -> str:
    """Fixed digits after the point; a dash for None. What is not 0 does not become 0: `< 0.001`."""
    if value is None:
        return DASH
    least = 10.0**-digits
    if 0 < value < least:
        return f"<{_NARROW}{least:.{digits}f}"
    return f"{round(value, digits) + 0.0:.{digits}f}".replace("-", "−")


def spread_range(value: Spread | None, digits: int) -> str:
    """Least to greatest over seeds, `0.98 to 1.05`; empty where these digits show them as one."""
    low, high = (DASH, DASH) if value is None else (number(value.low, digits), number(value.high, digits))
    return "" if low == high else f"{low} to {high}"


def missing_seeds(value: Spread | None, seeds: int) -> str:
    """`1 of 3 seeds` where a figure is defined for some seeds but not for all; else empty."""
    if value is None or value.seeds in (0, seeds):
        return ""
    return f"{value.seeds} of {seeds} seeds"


def never_predicted(labels: Mapping[str, int], seeds: int) -> str:
    """`C, D (2 of 3 seeds)`: the labels that some seed never predicted; `none`."""
    found = [
        label if number == seeds else f"{label} ({number} of {seeds} seeds)"
        for label, number in labels.items()
        if number
    ]
    return ", ".join(found) or "none"


def counted(value: int, noun: str) -> str:
    """`1 seed`, `12,000 tokens`."""
    return f"{value:,} {noun}" + ("" if value == 1 else "s")
