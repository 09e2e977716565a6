"""Files that are there whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from raretag.errors import DataError
from raretag.reporting.files import write_whole


def test_folders_are_made_and_nothing_is_left_beside_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "page.html"
    write_whole(path, text="old")
    write_whole(path, text="ünïcode\n")
    assert path.read_bytes() == "ünïcode\n".encode()
    assert [found.name for found in path.parent.iterdir()] == ["page.html"]


def test_a_refusal_is_told_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DataError, match=r"page\.html: cannot be written"):
        write_whole(tmp_path / "file" / "page.html", text="new")


def test_what_cannot_be_replaced_stays_and_the_unfinished_file_goes(tmp_path: Path) -> None:
    (tmp_path / "page.html").mkdir()
    with pytest.raises(DataError, match="cannot be written"):
        write_whole(tmp_path / "page.html", text="new")
    assert [found.name for found in tmp_path.iterdir()] == ["page.html"]
