"""Places in inches: panels in a grid, names that keep their distance, and the key above a figure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
import numpy.typing as npt
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from raretag.reporting.style import CHARACTER, INK, LEFT, SMALL, TEXT, WIDTH

POINT = 1 / 72
_ROW = 0.2  # inches between two rows of the key
_SWATCH = 0.14


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One item of a key: its words, and how its mark looks (`marker`, or `hatch` and a filled square)."""

    text: str
    colour: str
    marker: str | None = None
    hollow: bool = False
    hatch: str | None = None


def width_of(text: str, *, size: float = TEXT) -> float:
    """Inches that a text takes at most, by its number of characters; wide scripts count double."""
    return sum(2.0 if ord(c) > 0x2E7F else 1.0 for c in text) * CHARACTER * size * POINT


def spread(wanted: Sequence[float], *, gap: float, low: float, high: float) -> npt.NDArray[np.float64]:
    """Places as near as possible, by least squares, to the wanted ones, in their order, at least `gap` apart.

    wanted: (places,). They stay in [low, high] where there is room for them, else they begin at `low`. Ties keep
    their order. The method is isotonic regression of the wanted places less their rank times the gap.
    """
    order = np.argsort(np.asarray(wanted, dtype=np.float64), kind="stable")
    blocks: list[tuple[float, int]] = []
    for rank, place in enumerate(order):
        mean, size = float(wanted[place]) - rank * gap, 1
        while blocks and blocks[-1][0] > mean:
            other, number = blocks.pop()
            mean, size = (mean * size + other * number) / (size + number), size + number
        blocks.append((mean, size))
    settled = np.array([mean for mean, size in blocks for _ in range(size)])
    top = max(low, high - gap * max(0, len(order) - 1))
    found = np.empty(len(order))
    found[order] = np.clip(settled, low, top) + gap * np.arange(len(order))
    return found


def axes_at(figure: Figure, *, left: float, top: float, width: float, height: float) -> Axes:
    """Axes at a place in inches, `top` measured downwards from the figure's upper edge."""
    whole = figure.get_figheight()
    return figure.add_axes((left / WIDTH, 1 - (top + height) / whole, width / WIDTH, height / whole))


def text_at(figure: Figure, text: str, *, left: float, top: float, colour: str = INK, **looks: object) -> Artist:
    """Text whose anchor is at a place in inches, `top` measured downwards from the figure's upper edge."""
    place = (left / WIDTH, 1 - top / figure.get_figheight())
    return figure.text(*place, text, color=colour, **looks)  # type: ignore[arg-type]


def key_rows(items: Sequence[Item]) -> tuple[tuple[Item, ...], ...]:
    """The items in rows that are no wider than the figure's axes."""
    rows: list[list[Item]] = [[]]
    left = LEFT
    for item in items:
        width = _item_width(item)
        if rows[-1] and left + width > WIDTH:
            rows.append([])
            left = LEFT
        rows[-1].append(item)
        left += width
    return tuple(tuple(row) for row in rows)


def key_height(items: Sequence[Item]) -> float:
    """Inches that the key takes."""
    return _ROW * len(key_rows(items))


def draw_key(figure: Figure, *, items: Sequence[Item], top: float) -> None:
    """Marks and words in rows, the first of them `top` inches below the figure's upper edge."""
    whole = figure.get_figheight()
    for number, row in enumerate(key_rows(items)):
        left, middle = LEFT, top + _ROW * (number + 0.5)
        for item in row:
            figure.add_artist(_mark(item, x=left, y=whole - middle, whole=whole))
            text_at(figure, item.text, left=left + _SWATCH + 0.07, top=middle, va="center_baseline", size=SMALL)
            left += _item_width(item)


def _item_width(item: Item) -> float:
    return _SWATCH + 0.07 + width_of(item.text, size=SMALL) + 0.2


def _mark(item: Item, *, x: float, y: float, whole: float) -> Artist:
    if item.marker is None:
        return Rectangle(
            (x / WIDTH, (y - _SWATCH / 2) / whole),
            _SWATCH / WIDTH,
            _SWATCH / whole,
            facecolor=item.colour,
            edgecolor="white",
            linewidth=0,
            hatch=item.hatch,
        )
    return Line2D(
        [(x + _SWATCH / 2) / WIDTH],
        [y / whole],
        linestyle="none",
        marker=item.marker,
        markersize=7.5 if item.hollow else 5.5,
        markerfacecolor="none" if item.hollow else item.colour,
        markeredgecolor=item.colour,
        markeredgewidth=1.3 if item.hollow or item.marker in "x+" else 0.6,
    )
