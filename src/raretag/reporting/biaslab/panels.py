"""What figures of small multiples share: how many panels stand side by side, and their titles."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from matplotlib.figure import Figure

from raretag.reporting.biaslab.layout import POINT, text_at
from raretag.reporting.style import CHARACTER, TEXT, in_figure

_LINE = 0.17  # inches


def grid_columns(panels: int) -> int:
    """How many panels stand side by side: up to four, rows filled as evenly as may be."""
    return {1: 1, 2: 2, 3: 3, 5: 3, 6: 3, 9: 3}.get(panels, 4)


def title_lines(name: str, *, width: float) -> tuple[str, ...]:
    """A mechanism's name in at most two lines of `width` inches."""
    characters = max(8, int(width / (1.08 * CHARACTER * TEXT * POINT)))
    return tuple(textwrap.wrap(in_figure(name, longest=200), width=characters, max_lines=2, placeholder="…")) or ("",)


def title_height(titles: Sequence[Sequence[str]]) -> float:
    """Inches that the titles of a row take, the tallest one."""
    return _LINE * max(map(len, titles))


def draw_title(figure: Figure, lines: Sequence[str], *, left: float, top: float) -> None:
    """A panel's title, its first line `top` inches below the figure's upper edge."""
    for number, line in enumerate(lines):
        text_at(figure, line, left=left, top=top + number * _LINE, va="top", weight="bold", size=TEXT)
