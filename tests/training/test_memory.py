"""The peak of memory is that of one training, not of what the process did before."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from raretag.training.memory import forget_peak, peak_mib


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux forgets")
def test_what_was_before_is_forgotten() -> None:
    large = np.ones(300 * 2**20, dtype=np.uint8)
    with_it = peak_mib()
    del large
    forget_peak()
    assert peak_mib() < with_it - 200
    again = np.ones(100 * 2**20, dtype=np.uint8)
    assert with_it - 250 < peak_mib() < with_it - 100
    del again
