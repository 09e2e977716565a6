"""Colours, sizes and settings that all figures share; colours are told apart by readers who see no red or no green."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import matplotlib

WIDTH: Final = 9.0  # inches, of every figure
LEFT: Final = 0.62  # inches, where every figure's axes begin
TEXT: Final = 9.0  # points
SMALL: Final = 8.0
CHARACTER: Final = 0.57  # width of a character over the size of its type, rather more than less

INK: Final = "#1d2733"
MUTED: Final = "#566270"
HAIRLINE: Final = "#d5dae0"
ACCENT: Final = "#0b5d7a"
TINTS: Final = {"amplifies": "#fbf1ea", "flattens": "#eef3f8"}

_OUTSIDE: Final = "#c3cad2"
# after Okabe and Ito 2008
_LABELS: Final = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442")
# dark enough for a thin line on white, contrast 4.5 or more
_LINES: Final = ("#0072b2", "#b84a00", "#00704f", "#9a3d86", "#3c4652", "#7a6000", "#4b55b8")
_DASHES: Final = ((0.0, ()), (0.0, (4.0, 1.6)), (0.0, (1.2, 1.4)))
_HATCHES: Final = (None, "////", "....")


def label_colours(labels: Sequence[str]) -> dict[str, tuple[str, str | None]]:
    """Colour and hatch of each label; the first, `O`, is grey. Hatches begin where colours are used up."""
    found: dict[str, tuple[str, str | None]] = {}
    for place, label in enumerate(labels):
        turn, colour = divmod(place - 1, len(_LABELS))
        found[label] = (_LABELS[colour], _HATCHES[turn % len(_HATCHES)]) if place else (_OUTSIDE, None)
    return found


def line_style(place: int) -> tuple[str, tuple[float, tuple[float, ...]]]:
    """Colour and dashes of the line at `place`; no two of the first 21 are alike."""
    turn, colour = divmod(place, len(_LINES))
    return _LINES[colour], _DASHES[turn % len(_DASHES)]


def in_figure(name: str, *, longest: int) -> str:
    """A user's word as a figure can hold it: on one line, without control characters, shortened with `…`."""
    clean = "".join("\ufffd" if unicodedata.category(c)[0] == "C" else c for c in " ".join(name.split()))
    return clean if len(clean) <= longest else clean[: longest - 1].rstrip() + "…"


@contextmanager
def house_style() -> Iterator[None]:
    """Settings for drawing, whatever the user's own; they are put back afterwards."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(
            {
                "axes.edgecolor": "#8b95a1",
                "axes.labelcolor": MUTED,
                "axes.linewidth": 0.7,
                "axes.spines.right": False,
                "axes.spines.top": False,
                "axes.unicode_minus": True,
                "font.family": "sans-serif",
                "font.sans-serif": ["DejaVu Sans"],
                "font.size": TEXT,
                "hatch.color": "white",
                "hatch.linewidth": 0.8,
                "svg.fonttype": "none",
                "text.color": INK,
                "text.parse_math": False,
                "xtick.color": "#8b95a1",
                "xtick.labelcolor": MUTED,
                "xtick.labelsize": SMALL,
                "ytick.color": "#8b95a1",
                "ytick.labelcolor": MUTED,
                "ytick.labelsize": SMALL,
            }
        )
        yield
