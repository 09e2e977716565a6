"""Arrays in a file: a disk without room is told, and left without a half file."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import pytest

from raretag.mapped_arrays import create_arrays, load_arrays, publish_arrays


def test_what_is_filled_is_read_again(tmp_path: Path) -> None:
    made = create_arrays(tmp_path / "writing", {"a": ("int64", (2, 3)), "b": ("float16", (5,))}, metadata={"t": "x"})
    made.arrays["a"][:] = np.arange(6).reshape(2, 3)
    publish_arrays(made, tmp_path / "writing", tmp_path / "whole")
    again = load_arrays(tmp_path / "whole", what="arrays")
    assert again.arrays["a"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert again.arrays["b"].tolist() == [0] * 5
    assert again.metadata == {"t": "x"}


def test_a_full_disk_is_an_error_and_no_signal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(OSError, match="No space left"):
        create_arrays(tmp_path / "writing", {"a": ("int64", (2,))})
    assert not list(tmp_path.iterdir())
