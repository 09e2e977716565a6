"""What `raretag compare` leaves to look at: figures as JSON, a table for documents, and a picture of differences."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from filelock import FileLock

from raretag.errors import DataError
from raretag.experiments.comparison.compare import Comparison
from raretag.reporting.comparison.figure import difference_figure
from raretag.reporting.comparison.markdown import markdown_table
from raretag.reporting.files import write_whole
from raretag.reporting.style import house_style
from raretag.reporting.svg import DECLARATION, svg_text

FIGURES: Final = "compare.json"
TABLE: Final = "compare.md"
PICTURE: Final = "compare.svg"
_LOCK: Final = ".compare.lock"

__all__ = ["FIGURES", "PICTURE", "TABLE", "write_comparison"]


def write_comparison(compared: Comparison, out: Path) -> tuple[Path, ...]:
    """Write the three into `out` and say where they are. Raises DataError where they cannot be written."""
    figures = json.dumps(compared.to_json(), ensure_ascii=False, indent=1, allow_nan=False) + "\n"
    try:
        out.mkdir(parents=True, exist_ok=True)
        # the same command beside this one ends at the same moment
        with FileLock(out / _LOCK):
            return _write(compared, out, figures=figures)
    except OSError as error:
        raise DataError(f"cannot be written ({error.strerror})", remedy="Choose another --out", file=out) from error


def _write(compared: Comparison, out: Path, *, figures: str) -> tuple[Path, ...]:
    write_whole(out / FIGURES, text=figures)
    write_whole(out / TABLE, text=markdown_table(compared))
    with house_style():
        picture = svg_text(
            difference_figure(compared),
            name="compare",
            title=f"Recipes minus {compared.baseline}",
            description="Each recipe's difference in F1 and recall from the baseline, with 95 % intervals.",
        )
    write_whole(out / PICTURE, text=DECLARATION + picture + "\n")
    return out / FIGURES, out / TABLE, out / PICTURE
