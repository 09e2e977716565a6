"""How much memory a training had resident at most, where one process trains many."""

from __future__ import annotations

import re
import resource
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

_CLEAR: Final = Path("/proc/self/clear_refs")
_STATUS: Final = Path("/proc/self/status")
# what the kernel takes for: forget the most that has been resident (proc(5))
_FORGET_PEAK: Final = "5"


def forget_peak() -> None:
    """From now on count anew, where the system can (Linux); elsewhere the peak stays that of the whole process."""
    with suppress(OSError):
        _CLEAR.write_text(_FORGET_PEAK, encoding="ascii")


def peak_mib() -> int:
    """The most that this process has had resident since `forget_peak`, in MiB."""
    with suppress(OSError):
        told = re.search(r"^VmHWM:\s*(\d+) kB", _STATUS.read_text(encoding="ascii"), flags=re.MULTILINE)
        if told is not None:
            return int(told[1]) // 2**10
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # macOS counts bytes, others KiB
    return int(most // (2**20 if sys.platform == "darwin" else 2**10))
