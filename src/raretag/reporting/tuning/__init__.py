"""What `raretag tune` leaves: figures as JSON, the best as a recipe, and pictures of what mattered and where."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from matplotlib.figure import Figure

from raretag.experiments.comparison.contestant import Contestant
from raretag.experiments.tuning.best import BEST, best_text
from raretag.experiments.tuning.journal import locked
from raretag.experiments.tuning.result import Tuned
from raretag.reporting.files import write_whole
from raretag.reporting.style import house_style
from raretag.reporting.svg import DECLARATION, svg_text
from raretag.reporting.tuning.importance import importance_figure
from raretag.reporting.tuning.slices import slice_figure

FIGURES: Final = "tune.json"
IMPORTANCE: Final = "importance.svg"
SLICES: Final = "slices.svg"

__all__ = ["BEST", "FIGURES", "IMPORTANCE", "SLICES", "write_tuning"]


def write_tuning(tuned: Tuned, out: Path, *, best: Contestant | None, command: str) -> tuple[Path, ...]:
    """Write them into `out` and say where they are: the recipe where a trial holds, pictures where there is something.

    best: the settings of the best trial. command: what was typed, for the recipe's header. Processes that finish
    together take turns. Raises DataError where they cannot be written.
    """
    texts = {FIGURES: json.dumps(tuned.to_json(), ensure_ascii=False, indent=1, allow_nan=False) + "\n"}
    if best is not None and tuned.best is not None:
        texts[BEST] = best_text(tuned, tuned.row(tuned.best), best, command=command)
    with house_style():
        if tuned.importance:
            texts[IMPORTANCE] = _picture(
                importance_figure(tuned),
                name="importance",
                title="What makes trials good",
                description="The share of each setting in what makes trials good, largest first.",
            )
        slices = slice_figure(tuned)
        if slices is not None:
            texts[SLICES] = _picture(
                slices,
                name="slices",
                title=f"{tuned.goal.words[0]} against each setting",
                description="A panel for each setting: every finished trial, what it set and what it came to.",
            )
    with locked(out):
        for name, text in texts.items():
            write_whole(out / name, text=text)
    return tuple(out / name for name in texts)


def _picture(figure: Figure, *, name: str, title: str, description: str) -> str:
    return DECLARATION + svg_text(figure, name=name, title=title, description=description) + "\n"
