"""Tables that fit the terminal: columns are left out before a number is cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, final

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table

_GAP = 2
_LEAST = 20


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A heading and its cells.

    Columns with `leaves` are left out where the terminal is narrow, the lowest number first; None stays.
    """

    heading: str
    cells: tuple[str, ...]
    leaves: int | None = None
    justify: Literal["left", "right"] = "right"

    @property
    def width(self) -> int:
        """Terminal cells that the widest entry takes."""
        return max(map(cell_len, (self.heading, *self.cells)))


def print_table(console: Console, first: Column, *, others: Sequence[Column], least: int = _LEAST) -> None:
    """Print a table as wide as it needs, and tell below what had to be left out.

    `first` folds, but not below `least` terminal cells while other columns can leave.
    """
    least = min(first.width, least)
    kept = list(others)
    for column in sorted((one for one in others if one.leaves is not None), key=lambda one: one.leaves or 0):
        if least + _taken(kept) <= console.width:
            break
        kept.remove(column)
    room = max(least, min(first.width, console.width - _taken(kept)))
    # a fixed width and no cropping: where even the columns that stay do not fit, the terminal wraps whole lines
    table = Table(box=None, pad_edge=False, width=room + _taken(kept))
    table.add_column(first.heading, width=room, overflow="fold")
    for column in kept:
        table.add_column(column.heading, width=column.width, justify=column.justify, no_wrap=True)
    for cells in zip(first.cells, *(column.cells for column in kept), strict=True):
        table.add_row(*cells)
    console.print(table, crop=False)
    left_out = [column.heading for column in others if column not in kept]
    if left_out:
        console.print(f"left out at this width: {', '.join(left_out)}", style="dim", soft_wrap=True)


def _taken(columns: Sequence[Column]) -> int:
    return sum(column.width + _GAP for column in columns)
