"""Each recipe's difference from the baseline with its interval, a panel a figure."""

from __future__ import annotations

from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from raretag.experiments.comparison.compare import Comparison
from raretag.experiments.comparison.differences import Difference
from raretag.reporting.style import ACCENT, HAIRLINE, INK, MUTED, SMALL, WIDTH, in_figure

_PANELS: Final = {
    "micro": "micro F1",
    "macro": "macro F1",
    "macro10": "macro F1, labels >= 10",
    "rare_recall": "recall, medium + tail",
}
_ROW: Final = 0.32  # inches for a recipe
_LONGEST_NAME: Final = 24
_SIGNIFICANT: Final = 0.05


def difference_figure(compared: Comparison) -> Figure:
    """In points of a hundred. Filled: significant at 5 % after Holm; hollow: chance may explain it. Right is better."""
    names = [row.name for row in compared.rows if row.name != compared.baseline]
    found = {(one.recipe, one.figure): one for one in compared.differences}
    height = 0.95 + _ROW * len(names)
    figure = Figure(figsize=(WIDTH, height))
    # panels share the names to the left of the first
    left, gap = 0.23, 0.02
    width = (1 - left - gap * len(_PANELS)) / len(_PANELS)
    for column, (key, title) in enumerate(_PANELS.items()):
        axes = figure.add_axes((left + column * (width + gap), 0.5 / height, width, _ROW * len(names) / height))
        axes.set_title(title, fontsize=SMALL, color=INK, loc="left")
        axes.axvline(0, color=MUTED, linewidth=0.9)
        axes.set_ylim(len(names) - 0.5, -0.5)
        axes.set_yticks(range(len(names)), [in_figure(name, longest=_LONGEST_NAME) for name in names])
        axes.tick_params(axis="y", length=0, labelleft=column == 0, labelcolor=INK)
        axes.grid(axis="x", color=HAIRLINE, linewidth=0.6)
        axes.set_axisbelow(True)
        for place, name in enumerate(names):
            _draw(axes, found.get((name, key)), place=place)
        axes.set_xlabel("points", fontsize=SMALL)
    return figure


def _draw(axes: Axes, one: Difference | None, *, place: int) -> None:
    if one is None or one.difference.value is None:
        return
    value = 100 * one.difference.value
    if one.difference.interval is not None:
        low, high = (100 * edge for edge in one.difference.interval)
        axes.plot([low, high], [place, place], color=ACCENT, linewidth=1.4, solid_capstyle="butt")
    certain = one.adjusted is not None and one.adjusted < _SIGNIFICANT
    axes.plot(
        [value],
        [place],
        marker="o",
        markersize=6,
        markerfacecolor=ACCENT if certain else "white",
        markeredgecolor=ACCENT,
        linestyle="none",
    )
