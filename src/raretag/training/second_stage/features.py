"""What the head sees of the training tokens, cached: hidden states and tags, in memory or in a safetensors file."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final, Literal, final

import numpy as np
import numpy.typing as npt

from raretag.errors import DataError

Storage = Literal["float32", "float16"]

_DTYPES: Final[dict[str, np.dtype[Any]]] = {"F32": np.dtype("<f4"), "F16": np.dtype("<f2"), "I64": np.dtype("<i8")}
_NAMES: Final = {dtype: name for name, dtype in _DTYPES.items()}


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
        writing = path.with_name(f".{path.name}.writing")
        copy = create(writing, tokens=len(self), width=self.hidden.shape[1], storage=str(self.hidden.dtype))
        for field in fields(self):
            getattr(copy, field.name)[...] = getattr(self, field.name)
        publish(copy, writing, path)

    @staticmethod
    def load(path: Path) -> Features:
        """Read what `save` or `extract_features` wrote; arrays stay on disk until they are used, and are read only.

        Raises DataError where it is something else.
        """
        try:
            with path.open("rb") as file:
                size = int.from_bytes(file.read(8), "little")
                header = json.loads(file.read(size)) if size < 2**16 else {}
            return Features(**_arrays(path, header, start=8 + size, mode="r"))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise DataError("this file holds no features", remedy="Make them again", file=path) from error


def create(path: Path, *, tokens: int, width: int, storage: str) -> Features:
    """A safetensors file of zeros, mapped into memory to be filled. Raises ValueError for no token or no width."""
    if tokens < 1 or width < 1:
        raise ValueError("there is no token to make features of")
    # aligned whatever the width: eight bytes an element come first
    shapes = {"tags": ("<i8", (tokens,)), "windows": ("<i8", (tokens,)), "hidden": (storage, (tokens, width))}
    header: dict[str, Any] = {}
    end = 0
    for name, (dtype, shape) in shapes.items():
        start, end = end, end + math.prod(shape) * np.dtype(dtype).itemsize
        header[name] = {"dtype": _NAMES[np.dtype(dtype)], "shape": list(shape), "data_offsets": [start, end]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        file.truncate(8 + len(text) + end)
    return Features(**_arrays(path, header, start=8 + len(text), mode="r+"))


def publish(features: Features, writing: Path, path: Path) -> None:
    """Move what `create` made at `writing`, now filled, to its place."""
    for field in fields(features):
        array = getattr(features, field.name)
        assert isinstance(array, np.memmap)
        array.flush()
    writing.replace(path)


def _arrays(path: Path, header: dict[str, Any], *, start: int, mode: Literal["r", "r+"]) -> dict[str, Any]:
    return {
        field.name: np.memmap(
            path,
            mode=mode,
            dtype=_DTYPES[header[field.name]["dtype"]],
            shape=tuple(header[field.name]["shape"]),
            offset=start + header[field.name]["data_offsets"][0],
        )
        for field in fields(Features)
    }
