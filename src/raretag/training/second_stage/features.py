"""What the head sees of the training tokens, cached: hidden states and tags, in memory or in a safetensors file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, final

import numpy as np
import numpy.typing as npt

from raretag.errors import DataError
from raretag.mapped_arrays import load_arrays, new_arrays

Storage = Literal["float32", "float16"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """Hidden states of the judged training tokens, in the order of the windows.

    hidden: float32 or float16 (tokens, width), the input of the head, without dropout. tags: int64 (tokens,).
    windows: int64 (tokens,), the number of the window that each token is judged in. Raises ValueError where there is no
    token, or shapes or types do not fit.
    """

    hidden: npt.NDArray[Any]
    tags: npt.NDArray[np.int64]
    windows: npt.NDArray[np.int64]

    def __post_init__(self) -> None:
        fits = self.hidden.ndim == 2 and self.tags.shape == self.windows.shape == self.hidden.shape[:1]
        typed = self.hidden.dtype in (np.float32, np.float16) and self.tags.dtype == self.windows.dtype == np.int64
        if not fits or not typed or not self.hidden.size:
            raise ValueError("features need a float32 or float16 vector, an int64 tag and an int64 window a token")

    def __len__(self) -> int:
        return len(self.tags)

    def save(self, path: Path) -> None:
        """Write a safetensors file, whole or not at all."""
        with new_features(path, tokens=len(self), width=self.hidden.shape[1], storage=str(self.hidden.dtype)) as copy:
            for field in fields(self):
                getattr(copy, field.name)[...] = getattr(self, field.name)

    @staticmethod
    def load(path: Path) -> Features:
        """Read what `save` or `extract_features` wrote; arrays stay on disk until they are used, and are read only.

        Raises DataError where it is something else.
        """
        try:
            return Features(**load_arrays(path, what="features").arrays)
        except (ValueError, TypeError, AttributeError) as error:
            raise DataError("this file holds no features", remedy="Make them again", file=path) from error


@contextmanager
def new_features(path: Path, *, tokens: int, width: int, storage: str) -> Iterator[Features]:
    """A file of zeros, mapped into memory to be filled in the block; at its end it lies at `path`, whole.

    Raises ValueError for no token or no width.
    """
    if tokens < 1 or width < 1:
        raise ValueError("there is no token to make features of")
    shapes = {"tags": ("int64", (tokens,)), "windows": ("int64", (tokens,)), "hidden": (storage, (tokens, width))}
    with new_arrays(path, shapes) as made:
        yield Features(**made.arrays)
