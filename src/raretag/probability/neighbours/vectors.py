"""Vectors of which only the direction counts: at unit length, and in a byte a number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Protocol, final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]

# the largest magnitude of a code
_LARGEST: Final = 127
# rows that are turned into codes at once
_ROWS: Final = 2**14


class Keys(Protocol):
    """Rows at unit length (or zero), float32 once they are looked at: an array, or something smaller."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(rows, width)."""
        ...

    def __len__(self) -> int: ...

    def __getitem__(self, rows: Any, /) -> Floats: ...


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class QuantisedKeys:
    """Directions as codes of one byte: row i is scales[i] · codes[i].

    codes: int8 (rows, width), in [−127, 127]. scales: float32 (rows,), >= 0. Both may lie on disk. A number is off by
    at most half a scale, that is 1/254 of its row's largest.
    """

    codes: npt.NDArray[np.int8]
    scales: Floats

    @staticmethod
    def of(vectors: npt.NDArray[np.floating]) -> QuantisedKeys:
        """Directions of `vectors`, float (rows, width), of any scale. Raises ValueError as `directions` does."""
        codes = np.zeros(vectors.shape, dtype=np.int8)
        scales = np.zeros(len(vectors), dtype=np.float32)
        for start in range(0, len(vectors), _ROWS):
            part = slice(start, start + _ROWS)
            unit = directions(vectors[part])
            scales[part] = np.abs(unit).max(axis=1, initial=0) / _LARGEST
            codes[part] = np.rint(unit / np.where(scales[part] > 0, scales[part], 1)[:, None])
        return QuantisedKeys(codes=codes, scales=scales)

    @property
    def shape(self) -> tuple[int, ...]:
        """(rows, width)."""
        return self.codes.shape

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, rows: Any, /) -> Floats:
        """float32 (rows, width), for a slice, numbers or a mask."""
        return np.asarray(self.codes[rows].astype(np.float32) * self.scales[rows][..., None])

    def of_rows(self, rows: npt.NDArray[Any]) -> QuantisedKeys:
        """Some rows alone, by numbers or mask, copied into memory."""
        return QuantisedKeys(codes=np.array(self.codes[rows]), scales=np.array(self.scales[rows]))


def directions(vectors: npt.NDArray[np.floating]) -> Floats:
    """Rows at unit length, float32; zero vectors stay zero. Raises ValueError for what is no finite number."""
    # first by the largest element: squares of very large or very small ones leave the range of float32
    peaks = np.abs(vectors).max(axis=1, keepdims=True, initial=0)
    if not np.isfinite(peaks).all():
        raise ValueError(f"{int((~np.isfinite(peaks)).sum())} of {len(vectors)} vectors are no finite numbers")
    scaled = (vectors / np.where(peaks > 0, peaks, 1)).astype(np.float32)
    return np.asarray(scaled / np.maximum(np.linalg.norm(scaled, axis=1, keepdims=True), np.float32(1)))
