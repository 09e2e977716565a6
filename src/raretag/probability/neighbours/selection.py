"""The k largest numbers of each row, found without sorting or parting the rows: most are below a bound seen at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeVar, final

import numpy as np
import numpy.typing as npt

from raretag.probability.neighbours.vectors import Floats, Integers

ScalarT = TypeVar("ScalarT", bound=np.generic)

# cosines are never below it
LOWEST: Final = np.float32(-2)
# a row is dealt into this many groups for each number that is wanted
_GROUPS: Final = 4


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Found:
    """Cells of a table: int64 rows and columns, float32 values, each (cells,)."""

    rows: Integers
    columns: Integers
    values: Floats

    def above(self, floor: Floats) -> Found:
        """Those that are not below their row's floor, float32 (rows of the table,)."""
        kept = self.values >= floor[self.rows]
        return Found(rows=self.rows[kept], columns=self.columns[kept], values=self.values[kept])


def maxima(values: Floats, *, k: int) -> Floats:
    """Float32 (rows, groups), of each row's groups the largest: the k-th largest is a lower bound of the row's own."""
    columns = values.shape[1]
    size = max(1, columns // (_GROUPS * k))
    groups = columns // size
    # of the rest, too few for a group, none is needed for a lower bound
    return np.asarray(values[:, : groups * size].reshape(len(values), size, groups).max(axis=1))


def kth_largest(values: Floats, *, k: int) -> Floats:
    """Float32 (rows,); LOWEST where a row has fewer than k numbers, or fewer that are not −∞."""
    columns = values.shape[1]
    if columns < k:
        return np.full(len(values), LOWEST)
    return np.maximum(np.partition(values, columns - k, axis=1)[:, columns - k], LOWEST)


def at_least(values: Floats, *, floor: Floats) -> Found:
    """All cells of values, float32 (rows, columns), that are not below their row's floor, float32 (rows,)."""
    cells = np.flatnonzero(values >= floor[:, None])
    return Found(rows=cells // values.shape[1], columns=cells % values.shape[1], values=values.ravel()[cells])


def largest(found: list[Found], *, rows: int, k: int) -> tuple[Integers, Floats]:
    """Of all cells found the k largest of each row, largest first: columns and values, int64 and float32 (rows, k).

    Where a row has fewer, the last columns are 0 and their values −∞.
    """
    row, column, value = (
        np.concatenate(parts) for parts in zip(*((one.rows, one.columns, one.values) for one in found), strict=True)
    )
    order = np.argsort(row, kind="stable")
    row, column, value = row[order], column[order], value[order]
    # numbers alone are parted many times as fast as their places
    kept = value >= kth_largest(_table(value, row, rows=rows, least=k, fill=-np.inf), k=k)[row]
    row, column, value = row[kept], column[kept], value[kept]
    values = _table(value, row, rows=rows, least=k, fill=-np.inf)
    best = np.argsort(-values, axis=1, kind="stable")[:, :k]
    columns = _table(column, row, rows=rows, least=k, fill=0)
    return np.take_along_axis(columns, best, axis=1), np.take_along_axis(values, best, axis=1)


def _table(cells: npt.NDArray[ScalarT], row: Integers, *, rows: int, least: int, fill: float) -> npt.NDArray[ScalarT]:
    """Cells side by side in their rows, given in ascending order, (rows, the longest row but at least `least`)."""
    counts = np.bincount(row, minlength=rows)
    width = max(least, int(counts.max(initial=0)))
    table = np.full(rows * width, fill, dtype=cells.dtype)
    table[np.arange(len(row)) + (np.arange(rows) * width - np.cumsum(counts) + counts)[row]] = cells
    return table.reshape(rows, width)
