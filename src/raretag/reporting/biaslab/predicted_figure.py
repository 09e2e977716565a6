"""Predicted against empirical shares at the end of training, a panel a mechanism."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from raretag.experiments.biaslab.results import Summary
from raretag.reporting.biaslab.layout import (
    POINT,
    Item,
    axes_at,
    draw_key,
    key_height,
    spread,
    text_at,
    width_of,
)
from raretag.reporting.biaslab.panels import draw_title, grid_columns, title_height, title_lines
from raretag.reporting.biaslab.sections import Section
from raretag.reporting.style import ACCENT, HAIRLINE, INK, LEFT, MUTED, SMALL, WIDTH, in_figure

_GAP: Final = 0.28  # inches between panels
_LEADER: Final = 0.12  # inches from a panel's upper edge to the names above it
_BELOW: Final = 0.42  # inches between a panel and the next row
_LARGEST: Final = 3.4  # inches, of a panel that stands alone
_SMALLEST_SHARE: Final = 1e-6
_LONGEST_NAME: Final = 14
_FARTHEST: Final = 0.15  # inches that a name which lies flat may stand from its place


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class _Series:
    words: str
    colour: str
    marker: str
    size: float
    hollow: bool = False


_PRIOR = _Series(words="effective prior", colour=MUTED, marker="o", size=10.5, hollow=True)
_SOFT = _Series(words="soft", colour=ACCENT, marker="o", size=5.5)
_HARD = _Series(words="hard", colour="#d55e00", marker="s", size=7.0)
_NEVER = _Series(words="hard: never predicted", colour="#d55e00", marker="v", size=7.0)
_RESTORED = _Series(words="soft, prior restored", colour=INK, marker="x", size=5.5)


def predicted_figure(section: Section) -> Figure:
    """Both axes are logarithmic and shared by all panels; the dashed diagonal is where shares are preserved.

    Points are means over seeds on held-out documents; those below the axes, at 0 too, are drawn on their edge.
    """
    entries = section.entries
    columns = grid_columns(len(entries))
    size = min(_LARGEST, (WIDTH - LEFT - 0.22 - _GAP * (columns - 1)) / columns)
    titles = [title_lines(entry.mechanism, width=size) for entry in entries]
    low = _lower_edge([entry.summary for entry in entries])
    places = [_places(entry.summary, low=low, size=size) for entry in entries]
    flat = all(_fit(section.labels, at=at, size=size) for at in places)
    names = 0.1 + _LEADER + (SMALL * POINT if flat else max(map(_length, section.labels)))
    rows = [titles[first : first + columns] for first in range(0, len(titles), columns)]
    # from the top of a row, its titles, to the upper edge of its panels
    heads = [title_height(row) + names for row in rows]
    key = _key()
    tops = [key_height(key) + 0.2 + sum(heads[:row]) + row * (size + _BELOW) for row in range(len(rows))]
    figure = Figure(figsize=(WIDTH, tops[-1] + heads[-1] + size + 0.5))
    draw_key(figure, items=key, top=0.05)
    for place, entry in enumerate(entries):
        row, column = divmod(place, columns)
        left, upper = LEFT + column * (size + _GAP), tops[row] + heads[row]
        draw_title(figure, titles[place], left=left, top=tops[row])
        axes = axes_at(figure, left=left, top=upper, width=size, height=size)
        axes.set_label(entry.mechanism)
        _scale(axes, low=low, outer=(column == 0, place + columns >= len(entries)))
        _draw_points(axes, entry.summary, low=low)
        _draw_names(axes, entry.summary.labels, at=places[place], size=size, flat=flat)
        if column == 0:
            _say(figure, "predicted share", left=0.12, top=upper + size / 2, rotation=90)
        if place + columns >= len(entries):
            _say(figure, "empirical share, held out", left=left + size / 2, top=upper + size + 0.36)
    return figure


def _say(figure: Figure, words: str, *, left: float, top: float, rotation: float = 0) -> None:
    looks = {"ha": "center", "va": "center", "rotation": rotation, "size": SMALL}
    text_at(figure, words, left=left, top=top, colour=MUTED, **looks)


def _key() -> tuple[Item, ...]:
    return tuple(
        Item(text=one.words, colour=one.colour, marker=one.marker, hollow=one.hollow)
        for one in (_SOFT, _HARD, _NEVER, _RESTORED, _PRIOR)
    )


def _shares(summary: Summary) -> tuple[tuple[_Series, tuple[float, ...]], ...]:
    """What is drawn, in an order in which marks at one place all stay visible."""
    end = summary.end
    return (
        (_PRIOR, summary.effective_prior),
        (_HARD, end.cell("held_out", "hard", "raw").predicted),
        (_SOFT, end.cell("held_out", "soft", "raw").predicted),
        (_RESTORED, end.cell("held_out", "soft", "restored").predicted),
    )


def _lower_edge(summaries: Sequence[Summary]) -> float:
    """Where both axes begin: below all that is above 0, a decade or more below 1."""
    shares = [share for one in summaries for _, predicted in _shares(one) for share in predicted]
    shares += [share for one in summaries for share in one.empirical["held_out"]]
    return max(_SMALLEST_SHARE, min([0.08, *(share / 1.8 for share in shares if share > 0)]))


def _scale(axes: Axes, *, low: float, outer: tuple[bool, bool]) -> None:
    axes.set(xscale="log", yscale="log", xlim=(low, 1.3), ylim=(low, 1.3))
    decades = range(math.ceil(math.log10(low)), 1)
    step = math.ceil(len(decades) / 4)
    ticks = [10.0**power for power in reversed(decades)][::step]
    words = [f"{100 * tick:g} %" for tick in ticks]
    left, bottom = outer
    axes.set_xticks(ticks, labels=words if bottom else [""] * len(ticks))
    axes.set_yticks(ticks, labels=words if left else [""] * len(ticks))
    axes.minorticks_off()
    axes.plot([low, 1.3], [low, 1.3], color=MUTED, linewidth=0.8, dashes=(3, 2), zorder=1, label="diagonal")


def _draw_points(axes: Axes, summary: Summary, *, low: float) -> None:
    across = [max(share, low) for share in summary.empirical["held_out"]]
    never = {label for label, seeds in summary.end.cell("held_out", "hard", "raw").never_predicted.items() if seeds}
    for layer, (series, predicted) in enumerate(_shares(summary)):
        marks: dict[_Series, list[tuple[float, float]]] = {}
        for label, x, share in zip(summary.labels, across, predicted, strict=True):
            nothing = series is _HARD and share == 0 and label in never
            marks.setdefault(_NEVER if nothing else series, []).append((x, max(share, low)))
        for one, points in marks.items():
            axes.plot(
                *zip(*points, strict=True),
                linestyle="none",
                marker=one.marker,
                markersize=one.size,
                markerfacecolor="none" if one.hollow else one.colour,
                markeredgecolor=one.colour if one.hollow or one.marker == "x" else "white",
                markeredgewidth=1.3 if one.hollow or one.marker == "x" else 0.5,
                clip_on=False,
                zorder=3 + layer,
                label=one.words,
            )


def _places(summary: Summary, *, low: float, size: float) -> list[float]:
    """Inches from a panel's left edge to each label's empirical share."""
    whole = math.log(1.3 / low)
    return [size * math.log(max(share, low) / low) / whole for share in summary.empirical["held_out"]]


def _name_places(at: Sequence[float], *, size: float, gap: float) -> list[float]:
    return [float(place) for place in spread(at, gap=gap, low=0.0, high=size)]


def _flat_gap(labels: Sequence[str]) -> float:
    return max(map(_length, labels)) + 0.08


def _fit(labels: Sequence[str], *, at: Sequence[float], size: float) -> bool:
    """Whether names can lie flat, none of them far from its place."""
    moved = _name_places(at, size=size, gap=_flat_gap(labels))
    return all(abs(to - place) <= _FARTHEST for place, to in zip(at, moved, strict=True))


def _draw_names(axes: Axes, labels: Sequence[str], *, at: Sequence[float], size: float, flat: bool) -> None:
    """Each label's name above the panel, tied to its empirical share by a thin line."""
    names = _name_places(at, size=size, gap=_flat_gap(labels) if flat else 1.45 * SMALL * POINT)
    for label, x, moved in zip(labels, at, names, strict=True):
        axes.plot(
            [x / size, x / size, moved / size],
            [0, 1, 1 + 0.7 * _LEADER / size],
            transform=axes.transAxes,
            color=HAIRLINE,
            linewidth=0.7,
            clip_on=False,
            zorder=0,
        )
        axes.text(
            moved / size,
            1 + _LEADER / size,
            _named(label),
            transform=axes.transAxes,
            rotation=0 if flat else 90,
            ha="center",
            va="bottom",
            size=SMALL,
        )


def _length(label: str) -> float:
    return width_of(_named(label), size=SMALL)


def _named(label: str) -> str:
    return in_figure(label, longest=_LONGEST_NAME)
