"""The peak of memory is that of one training, not of what the process did before."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from raretag.training import memory
from raretag.training.memory import forget_peak, peak_mib


def test_what_was_before_is_forgotten() -> None:
    large = np.ones(300 * 2**20, dtype=np.uint8)
    with_it = peak_mib()
    del large
    forget_peak()
    assert peak_mib() < with_it - 200
    again = np.ones(100 * 2**20, dtype=np.uint8)
    assert with_it - 250 < peak_mib() < with_it - 100
    del again


def test_where_the_system_does_not_tell_it_is_the_peak_of_the_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forget_peak()
    told = peak_mib()
    monkeypatch.setattr(memory, "_CLEAR", tmp_path / "nowhere" / "clear")
    monkeypatch.setattr(memory, "_STATUS", tmp_path / "status")
    forget_peak()
    assert peak_mib() >= told > 0
