"""How much each setting has to do with trials being good, a bar a setting."""

from __future__ import annotations

from typing import Final

from matplotlib.figure import Figure

from raretag.experiments.tuning.result import Tuned
from raretag.reporting.style import ACCENT, INK, SMALL, WIDTH, in_figure

_ROW: Final = 0.3  # inches for a setting
_LONGEST_NAME: Final = 34


def importance_figure(tuned: Tuned) -> Figure:
    """Shares in per cent, the largest first; they sum to 100. `tuned.importance` is not empty."""
    names = sorted(tuned.importance, key=lambda name: -tuned.importance[name])
    shares = [100 * tuned.importance[name] for name in names]
    height = 0.8 + _ROW * len(names)
    figure = Figure(figsize=(WIDTH, height))
    axes = figure.add_axes((0.32, 0.5 / height, 0.62, _ROW * len(names) / height))
    axes.barh(range(len(names)), shares, height=0.62, color=ACCENT)
    for place, share in enumerate(shares):
        axes.annotate(
            f"{share:.0f} %", (share, place), xytext=(4, 0), textcoords="offset points", va="center", fontsize=SMALL
        )
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_yticks(range(len(names)), [in_figure(name, longest=_LONGEST_NAME) for name in names])
    axes.tick_params(axis="y", length=0, labelcolor=INK)
    axes.set_xlim(0, max([*shares, 1.0]) * 1.1)
    axes.set_xlabel("share of what makes trials good, %", fontsize=SMALL)
    return figure
