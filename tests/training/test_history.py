"""What a history gives back: every whole record, not one cut off at its end, and nothing else in silence."""

from __future__ import annotations

from pathlib import Path

import pytest

from raretag.errors import DataError
from raretag.training.history import History, read_history


def test_a_record_cut_off_at_the_end_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    assert read_history(path) == []
    path.write_text('{"step": 1, "seconds": 2.0}\n{"step": 2, "sec', encoding="utf-8")
    assert read_history(path) == [{"step": 1, "seconds": 2.0}]
    assert History(path, step=5).seconds >= 2.0
    assert path.read_text(encoding="utf-8") == '{"step": 1, "seconds": 2.0}\n'


@pytest.mark.parametrize(
    "damage", [b"\xff\xfe\n", b'{"step": "x"}\n', b'{"seconds": 1}\n', b"[1]\n", b"5\n", b'{"step": 1, "sec\n']
)
def test_damage_is_told_with_its_line(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "history.jsonl"
    path.write_bytes(b'{"step": 1, "seconds": 2.0}\n' + damage + b'{"step": 2, "seconds": 3.0}\n')
    with pytest.raises(DataError, match=r"history\.jsonl:2: "):
        read_history(path)
