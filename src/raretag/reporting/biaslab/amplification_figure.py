"""The amplification exponent along training and, below it, how much was memorised by then; a line a mechanism."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from raretag.experiments.biaslab.results import Run
from raretag.reporting.biaslab.curves import Curve, amplification_curve, memorised_curve
from raretag.reporting.biaslab.layout import POINT, axes_at, spread, text_at
from raretag.reporting.biaslab.sections import Section
from raretag.reporting.style import (
    HAIRLINE,
    INK,
    LEFT,
    MUTED,
    SMALL,
    TEXT,
    TINTS,
    WIDTH,
    in_figure,
    line_style,
)

NOTHING: Final = "the exponent is not defined at any step: fewer than two labels have a share above 0"
_NAMES: Final = 2.25  # inches right of the axes
_LONGEST_NAME: Final = 28
_LEAST_MEMORISED: Final = -1.0  # far below 0 it only tells that probabilities are not restored yet
_GUTTER: Final = 0.14  # of the axes' width, left of the first step, for the names of the zones


def amplification_figure(section: Section) -> Figure:
    """Soft sums on held-out documents, the prior not restored; means over seeds in bands from least to greatest.

    What is memorised is cut below −1. Steps are on a logarithmic axis; a step 0 stands half a decade before the first
    step above 0.
    """
    gap = 1.5 * SMALL * POINT
    tall = max(2.5, gap * (len(section.entries) + 1))
    figure = Figure(figsize=(WIDTH, 2 * tall + 1.35))
    wide = WIDTH - LEFT - _NAMES
    panels: tuple[tuple[str, Callable[[Sequence[Run]], Curve]], ...] = (
        ("Amplification exponent, soft, held out", amplification_curve),
        ("Memorised share of what the training labels tell", memorised_curve),
    )
    for number, (title, curve_of) in enumerate(panels):
        top = 0.36 + number * (tall + 0.55)
        text_at(figure, title, left=LEFT, top=top - 0.13, va="bottom", weight="bold", size=TEXT)
        axes = axes_at(figure, left=LEFT, top=top, width=wide, height=tall)
        curves = [curve_of(entry.runs) for entry in section.entries]
        _scale_steps(axes, curves)
        if number == 0:
            _draw_zones(axes, curves)
        else:
            axes.axhline(0, color=HAIRLINE, linewidth=0.8, zorder=1)
            axes.set_ylim(*_limits(curves, include=(0.0, 1.0), least=_LEAST_MEMORISED))
        for place, (entry, curve) in enumerate(zip(section.entries, curves, strict=True)):
            _draw_curve(axes, curve, place=place, name=entry.mechanism, band=len(entry.runs) > 1)
        names = [entry.mechanism for entry in section.entries]
        _draw_names(axes, curves, names=names, size=(wide, tall), gap=gap)
        axes.tick_params(axis="x", labelbottom=number == 1)
    axes.set_xlabel("training step", size=SMALL)
    return figure


def _scale_steps(axes: Axes, curves: Sequence[Curve]) -> None:
    steps = np.unique(np.concatenate([np.array([], dtype=np.int64), *(curve.steps for curve in curves)]))
    positive = steps[steps > 0]
    first, last = (int(positive[0]), int(positive[-1])) if len(positive) else (1, 1)
    decades = max(0.5, math.log10(last / first))
    ticks = _ticks(first, last)
    if len(steps) and steps[0] == 0:
        before = 0.5
        gutter = _GUTTER * (decades + before)
        # between 0 and the first step the axis is linear, half a decade long
        axes.set_xscale("symlog", linthresh=first, linscale=before)
        axes.set_xlim(-first * gutter / before, last * 10 ** (0.02 * decades))
        ticks = [0, *ticks]
    else:
        axes.set_xscale("log")
        axes.set_xlim(first / 10 ** (_GUTTER * decades), last * 10 ** (0.02 * decades))
    axes.set_xticks(ticks, labels=[f"{tick:,}" for tick in ticks])
    axes.minorticks_off()


def _ticks(first: int, last: int) -> list[int]:
    powers = range(int(math.log10(first)), int(math.log10(last)) + 1)
    for mantissas in ((1,), (1, 3), (1, 2, 5)):
        ticks = [m * 10**power for power in powers for m in mantissas if first <= m * 10**power <= last]
        if len(ticks) >= 4:
            return ticks
    return sorted({first, *ticks, last}) if len(ticks) < 3 else ticks


def _draw_zones(axes: Axes, curves: Sequence[Curve]) -> None:
    low, high = _limits(curves, include=(0.75, 1.25))
    axes.set_ylim(low, high)
    axes.axhspan(1, high, color=TINTS["amplifies"], linewidth=0, zorder=0)
    axes.axhspan(low, 1, color=TINTS["flattens"], linewidth=0, zorder=0)
    axes.axhline(1, color=INK, linewidth=0.9, zorder=2, label="preserved")
    middle = (1 - low) / (high - low)
    for words, y, align in (
        ("amplifies", 0.975, "top"),
        ("preserved", middle + 0.015, "bottom"),
        ("flattens", 0.025, "bottom"),
    ):
        axes.text(0.012, y, words, transform=axes.transAxes, ha="left", va=align, size=SMALL, color=MUTED)
    if all(curve.last is None for curve in curves):
        axes.text(0.55, 0.8, NOTHING, transform=axes.transAxes, ha="center", va="center", size=SMALL, wrap=True)


def _limits(curves: Sequence[Curve], *, include: tuple[float, float], least: float = -math.inf) -> tuple[float, float]:
    """Where an axis begins and ends: with a margin around all curves, but not below `least`."""
    values = np.concatenate([np.array(include), *(np.concatenate([curve.low, curve.high]) for curve in curves)])
    low, high = max(float(np.nanmin(values)), least), float(np.nanmax(values))
    margin = 0.09 * (high - low)
    return max(low - margin, least), high + margin


def _draw_curve(axes: Axes, curve: Curve, *, place: int, name: str, band: bool) -> None:
    colour, dashes = line_style(place)
    if band:
        axes.fill_between(curve.steps, curve.low, curve.high, color=colour, alpha=0.13, linewidth=0, zorder=2)
    axes.plot(
        curve.steps,
        curve.mean,
        color=colour,
        linestyle=dashes,
        linewidth=1.5,
        marker="o",
        markersize=2.6 if len(curve.steps) > 1 else 5,
        zorder=3,
        label=name,
    )


def _draw_names(
    axes: Axes, curves: Sequence[Curve], *, names: Sequence[str], size: tuple[float, float], gap: float
) -> None:
    """Right of the axes, beside the ends of the lines; a mechanism without a line stands at the bottom, with a dash."""
    wide, tall = size
    low, high = axes.get_ylim()
    ends = [0.0 if curve.last is None else max(0.0, tall * (curve.last - low) / (high - low)) for curve in curves]
    # of lines that end together the first is named on top
    places = spread(ends[::-1], gap=gap, low=0.04, high=tall - 0.04)[::-1]
    for place, (curve, name, end, y) in enumerate(zip(curves, names, ends, places, strict=True)):
        colour, dashes = line_style(place)
        words = in_figure(name, longest=_LONGEST_NAME)
        if curve.last is None:
            words = f"{words}  –"
        else:
            axes.plot(
                [1.0, 1 + 0.1 / wide, 1 + 0.3 / wide],
                [end / tall, y / tall, y / tall],
                transform=axes.transAxes,
                color=colour,
                linestyle=dashes,
                linewidth=1.1,
                clip_on=False,
            )
        axes.text(1 + 0.36 / wide, y / tall, words, transform=axes.transAxes, va="center_baseline", size=SMALL)
