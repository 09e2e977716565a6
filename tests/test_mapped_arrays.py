"""Arrays in a file: a disk without room is told, and left without a half file."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import pytest

from raretag.mapped_arrays import load_arrays, new_arrays


def test_what_is_filled_is_read_again(tmp_path: Path) -> None:
    shapes = {"a": ("int64", (2, 3)), "b": ("float16", (5,))}
    with new_arrays(tmp_path / "whole", shapes, metadata={"t": "x"}) as made:
        made.arrays["a"][:] = np.arange(6).reshape(2, 3)
        assert not (tmp_path / "whole").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["whole"]
    again = load_arrays(tmp_path / "whole", what="arrays")
    assert again.arrays["a"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert again.arrays["b"].tolist() == [0] * 5
    assert again.metadata == {"t": "x"}


def test_a_full_disk_is_an_error_and_no_signal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(OSError, match="No space left"), new_arrays(tmp_path / "whole", {"a": ("int64", (2,))}):
        pass
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("wrong", [KeyboardInterrupt, ValueError])
def test_what_is_interrupted_leaves_the_file_that_was_there(tmp_path: Path, wrong: type[BaseException]) -> None:
    (tmp_path / "whole").write_bytes(b"before")
    with pytest.raises(wrong), new_arrays(tmp_path / "whole", {"a": ("int64", (2,))}):
        raise wrong
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"before"]
