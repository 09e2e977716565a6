"""How the gradient and the loss of each mechanism are shared among the labels, window of steps by window."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from raretag.reporting.biaslab.layout import Item, axes_at, draw_key, key_height, text_at
from raretag.reporting.biaslab.ledger_shares import LedgerShares, mean_shares
from raretag.reporting.biaslab.panels import draw_title, title_height, title_lines
from raretag.reporting.biaslab.sections import Section
from raretag.reporting.style import LEFT, MUTED, SMALL, WIDTH, in_figure, label_colours

Array = npt.NDArray[np.float64]
Look = tuple[str, str | None]

NOTHING: Final = "not recorded"
_WITHIN: Final = 0.12  # inches between the two panels of a mechanism
_BETWEEN: Final = 0.34  # inches between mechanisms
_BELOW: Final = 0.4  # inches below a panel
_LONGEST_NAME: Final = 24


def gradient_share_figure(section: Section) -> Figure:
    """Two panels a mechanism, gradient and loss: stacked shares, means over seeds, labels from the bottom upwards.

    Gaps are windows in which shares are undefined or negative.
    """
    ledgers = [mean_shares(entry.runs) for entry in section.entries]
    pairs = 1 if len(ledgers) == 1 else 2
    rows = math.ceil(len(ledgers) / pairs)
    wide = (WIDTH - LEFT - 0.1 - pairs * _WITHIN - (pairs - 1) * _BETWEEN) / (2 * pairs)
    tall = 1.9 if pairs == 1 else 1.25
    titles = [title_lines(entry.mechanism, width=2 * wide) for entry in section.entries]
    head = title_height(titles) + 0.26
    looks = _looks(section, ledgers)
    recorded = {label for ledger in ledgers for label in ledger.labels}
    key = _key({label: look for label, look in looks.items() if label in recorded or not recorded})
    top = key_height(key) + 0.22
    figure = Figure(figsize=(WIDTH, top + rows * (head + tall + _BELOW) + 0.05))
    draw_key(figure, items=key, top=0.05)
    last = max(int(ledger.edges[-1]) for ledger in ledgers)
    for place, ledger in enumerate(ledgers):
        row, pair = divmod(place, pairs)
        left = LEFT + pair * (2 * wide + _WITHIN + _BETWEEN)
        above = top + row * (head + tall + _BELOW)
        draw_title(figure, titles[place], left=left, top=above)
        for number, (what, shares) in enumerate((("gradient", ledger.gradient), ("loss", ledger.loss))):
            x = left + number * (wide + _WITHIN)
            text_at(figure, what, left=x, top=above + head - 0.06, va="bottom", size=SMALL, colour=MUTED)
            axes = axes_at(figure, left=x, top=above + head, width=wide, height=tall)
            axes.set_label(f"{what}: {section.entries[place].mechanism}")
            _scale(axes, last=last, outer=(pair == 0 and number == 0, place + pairs >= len(ledgers)))
            _draw_shares(axes, ledger, shares=shares, looks=looks)
    text_at(
        figure,
        "training step",
        left=LEFT + wide / 2,
        top=figure.get_figheight() - 0.06,
        colour=MUTED,
        ha="center",
        va="bottom",
        size=SMALL,
    )
    return figure


def _key(looks: Mapping[str, Look]) -> tuple[Item, ...]:
    return tuple(
        Item(text=in_figure(label, longest=_LONGEST_NAME), colour=colour, hatch=hatch)
        for label, (colour, hatch) in looks.items()
    )


def _looks(section: Section, ledgers: Sequence[LedgerShares]) -> dict[str, Look]:
    """By label, with those that only a ledger has behind those of the section."""
    others = (label for ledger in ledgers for label in ledger.labels)
    return label_colours(tuple(dict.fromkeys((*section.labels, *others))))


def _scale(axes: Axes, *, last: int, outer: tuple[bool, bool]) -> None:
    left, bottom = outer
    axes.set(xlim=(0, max(1, last)), ylim=(0, 1))
    axes.set_yticks([0, 0.5, 1], labels=["0 %", "50 %", "100 %"] if left else [""] * 3)
    ticks = (0, max(1, last))
    axes.set_xticks(ticks, labels=[f"{tick:,}" for tick in ticks] if bottom else ["", ""])
    # so that they do not run into those of the panel beside it
    axes.get_xticklabels()[0].set_horizontalalignment("left")
    axes.get_xticklabels()[1].set_horizontalalignment("right")


def _draw_shares(axes: Axes, ledger: LedgerShares, *, shares: Array, looks: Mapping[str, Look]) -> None:
    if np.isnan(shares).all():
        axes.text(0.5, 0.5, NOTHING, transform=axes.transAxes, ha="center", va="center", size=SMALL, color=MUTED)
        return
    tops = np.cumsum(shares, axis=1)
    for place, label in enumerate(ledger.labels):
        colour, hatch = looks[label]
        axes.stairs(
            tops[:, place],
            ledger.edges,
            baseline=tops[:, place] - shares[:, place],
            fill=True,
            facecolor=colour,
            edgecolor="white",
            linewidth=0.4,
            hatch=hatch,
            zorder=2,
            label=label,
        )
