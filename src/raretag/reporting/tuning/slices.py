"""Every finished trial against each setting: where the good ones lie, and whether the best is at an edge."""

from __future__ import annotations

from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, StrMethodFormatter

from raretag.experiments.tuning.result import Row, Tuned
from raretag.reporting.style import ACCENT, HAIRLINE, INK, LEFT, MUTED, SMALL, WIDTH, in_figure

_COLUMNS: Final = 3
_PANEL: Final = 1.7  # inches, the height of a panel's axes
_BELOW: Final = 0.62  # inches for its ticks and name
_ABOVE: Final = 0.55  # inches for the key
_LONGEST_NAME: Final = 36
_LONGEST_CHOICE: Final = 13
_APART: Final = 0.16  # how far trials of one choice are spread


def slice_figure(tuned: Tuned) -> Figure | None:
    """A panel a setting, the most important first; None where no finished trial set anything.

    Filled: constraints hold; hollow: one is missed; ringed: the best. The dashed line is the baseline.
    """
    rows = [one for one in tuned.ranked if tuned.value(one).value is not None]
    names = list(dict.fromkeys(name for one in sorted(rows, key=lambda one: one.number) for name in one.settings))
    names.sort(key=lambda name: -tuned.importance.get(name, 0.0))
    if not names:
        return None
    lines = -(-len(names) // _COLUMNS)
    height = _ABOVE + lines * (_PANEL + _BELOW)
    figure = Figure(figsize=(WIDTH, height))
    gap = 0.25
    width = (WIDTH - LEFT - 0.15 - gap * (_COLUMNS - 1)) / _COLUMNS
    values = [value for one in rows if (value := tuned.value(one).value) is not None]
    room = 0.08 * (max(values) - min(values)) or 0.01
    figure.text(
        LEFT / WIDTH,
        1 - 0.16 / height,
        f"{tuned.goal.words[0]}, {'lower' if tuned.goal.direction == 'minimize' else 'higher'} is better; "
        "hollow: misses a constraint; ringed: the best; dashed: the baseline",
        fontsize=SMALL,
        color=MUTED,
        va="top",
    )
    for place, name in enumerate(names):
        line, column = divmod(place, _COLUMNS)
        bottom = height - _ABOVE - line * (_PANEL + _BELOW) - _PANEL
        axes = figure.add_axes(
            ((LEFT + column * (width + gap)) / WIDTH, bottom / height, width / WIDTH, _PANEL / height)
        )
        axes.set_ylim(min(values) - room, max(values) + room)
        axes.tick_params(axis="y", labelleft=column == 0)
        _draw(axes, name, [one for one in rows if name in one.settings], tuned=tuned)
        axes.set_xlabel(in_figure(name, longest=_LONGEST_NAME), fontsize=SMALL, color=INK)
    return figure


def _draw(axes: Axes, name: str, rows: list[Row], *, tuned: Tuned) -> None:
    told = [one.settings[name] for one in rows]
    numeric = all(isinstance(value, int | float) and not isinstance(value, bool) for value in told)
    if numeric:
        places = [float(value) for value in told if isinstance(value, int | float)]
        if name in tuned.logarithmic:
            axes.set_xscale("log")
            # powers of ten would be written as formulas, which figures here do not set
            axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 3.0)))
            axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
            axes.xaxis.set_minor_formatter(NullFormatter())
        else:
            axes.xaxis.set_major_locator(MaxNLocator(nbins=5, integer=all(isinstance(one, int) for one in told)))
    else:
        choices = sorted({str(value) for value in told})
        spread = np.random.default_rng(0).uniform(-_APART, _APART, size=len(told))
        places = [choices.index(str(value)) + float(by) for value, by in zip(told, spread, strict=True)]
        axes.set_xticks(range(len(choices)), [in_figure(one, longest=_LONGEST_CHOICE) for one in choices])
        axes.set_xlim(-0.5, len(choices) - 0.5)
        if len(choices) > 2:
            axes.tick_params(axis="x", labelrotation=20)
    axes.grid(axis="y", color=HAIRLINE, linewidth=0.6)
    axes.set_axisbelow(True)
    base = next((tuned.value(one).value for one in tuned.rows if one.number == 0), None)
    if base is not None:
        axes.axhline(base, color=MUTED, linewidth=0.9, linestyle=(0, (4, 3)))
    for row, place in zip(rows, places, strict=True):
        value = tuned.value(row).value or 0.0
        axes.plot(
            [place],
            [value],
            marker="o",
            markersize=4.5,
            markerfacecolor=ACCENT if row.holds else "white",
            markeredgecolor=ACCENT,
            linestyle="none",
        )
        if row.number == tuned.best:
            axes.plot([place], [value], marker="o", markersize=10, markerfacecolor="none", markeredgecolor=INK)
