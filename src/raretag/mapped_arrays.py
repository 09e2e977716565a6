"""Arrays in a safetensors file that stay on disk: filled bit by bit, published whole, mapped into memory when read."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final, Literal
from uuid import uuid4

import numpy as np
import numpy.typing as npt

from raretag.errors import DataError

_DTYPES: Final[dict[str, np.dtype[Any]]] = {
    "F32": np.dtype("<f4"),
    "F16": np.dtype("<f2"),
    "I64": np.dtype("<i8"),
    "I32": np.dtype("<i4"),
    "I16": np.dtype("<i2"),
    "I8": np.dtype("i1"),
}
_NAMES: Final = {dtype: name for name, dtype in _DTYPES.items()}
# a header that is longer is none of ours
_LONGEST_HEADER: Final = 2**26


@dataclass(frozen=True, slots=True, kw_only=True)
class MappedArrays:
    """Arrays by name, mapped from one file, and the texts that its header holds beside them."""

    arrays: Mapping[str, npt.NDArray[Any]]
    metadata: Mapping[str, str]


@contextmanager
def new_arrays(
    path: Path,
    shapes: Mapping[str, tuple[str, tuple[int, ...]]],
    *,
    metadata: Mapping[str, str] | None = None,
) -> Iterator[MappedArrays]:
    """A safetensors file of zeros, mapped to be filled in the block; at its end it is moved to `path`, whole.

    shapes: name to dtype (float32, float16, int8 to 64) and shape. Name those of more bytes an element first: then all
    are aligned. An error or an interruption in the block leaves no file; a process that is killed leaves the one that
    it was filling, hidden, beside `path`. Raises ValueError for an array without elements, OSError where the disk has
    no room.
    """
    # of this call alone, for another may fill the same file meanwhile
    writing = path.with_name(f".{path.name}.{uuid4().hex[:12]}.writing")
    try:
        made = _created(writing, shapes, metadata=metadata)
        yield made
        for array in made.arrays.values():
            assert isinstance(array, np.memmap)
            array.flush()
        writing.replace(path)
    finally:
        writing.unlink(missing_ok=True)


def _created(
    path: Path, shapes: Mapping[str, tuple[str, tuple[int, ...]]], *, metadata: Mapping[str, str] | None
) -> MappedArrays:
    header: dict[str, Any] = {} if metadata is None else {"__metadata__": dict(metadata)}
    end = 0
    for name, (dtype, shape) in shapes.items():
        size = math.prod(shape) * np.dtype(dtype).itemsize
        if not size:
            raise ValueError(f"{name} has no element")
        start, end = end, end + size
        header[name] = {"dtype": _NAMES[np.dtype(dtype)], "shape": list(shape), "data_offsets": [start, end]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    # readable, too, for where a file system cannot reserve room itself, it is read to be filled
    with path.open("w+b") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        file.flush()
        _grow(file, 8 + len(text) + end)
    return _mapped(path, header, start=8 + len(text), mode="r+")


def _grow(file: BinaryIO, size: int) -> None:
    """Make the file so long, with room on the disk: to write where there is none would end the process by a signal."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file.fileno(), 0, size)
    else:
        file.truncate(size)


def load_arrays(path: Path, *, what: str) -> MappedArrays:
    """Read only, on disk until used. Raises DataError, saying that the file does not hold `what`, for anything else."""
    try:
        with path.open("rb") as file:
            size = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(size)) if size < _LONGEST_HEADER else {}
        return _mapped(path, header, start=8 + size, mode="r")
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise DataError(f"this file holds no {what}", remedy="Make them again", file=path) from error


def _mapped(path: Path, header: Mapping[str, Any], *, start: int, mode: Literal["r", "r+"]) -> MappedArrays:
    return MappedArrays(
        arrays={
            name: np.memmap(
                path,
                mode=mode,
                dtype=_DTYPES[told["dtype"]],
                shape=tuple(told["shape"]),
                offset=start + told["data_offsets"][0],
            )
            for name, told in header.items()
            if name != "__metadata__"
        },
        metadata=dict(header.get("__metadata__", {})),
    )
