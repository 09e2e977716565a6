"""The command line in several processes, started by torchrun or accelerate: they speak with one voice."""

from __future__ import annotations

import os
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Final

from raretag.errors import UsageError
from raretag.training.launched import launched_processes

# within it the launcher ends the other processes once one has failed
_SECONDS: Final = 10.0


def in_several() -> bool:
    """Whether a launcher started more than one process."""
    return launched_processes() > 1


def is_first() -> bool:
    """Whether this process is the first of them, or the only one."""
    return not in_several() or os.environ.get("RANK", "0") == "0"


def begin() -> None:
    """Leave progress and remarks to the first process. Raises UsageError for a command that cannot be shared."""
    if not is_first():
        # open until the process ends
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115
    if in_several():
        # torch warns that it looked for unused parameters and found none, which nobody can mend
        os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")
    named = next((word for word in sys.argv[1:] if not word.startswith("-")), None)
    if in_several() and named not in (None, "train"):
        raise UsageError(
            f"{named} works in one process, but {launched_processes()} were started",
            remedy="Start it without torchrun; only raretag train shares its work among processes",
        )


def tells() -> bool:
    """Whether this process is the first one that has an error to tell; the others keep silent."""
    if not in_several():
        return True
    sys.stderr = sys.__stderr__
    from torch.distributed import TCPStore  # type: ignore[attr-defined]

    try:
        store = TCPStore(os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"]), timeout=timedelta(seconds=_SECONDS))
        return store.add(f"raretag/told/{os.environ.get('TORCHELASTIC_RESTART_COUNT', '0')}", 1) == 1
    except (KeyError, ValueError, RuntimeError):
        # whoever kept the store is gone
        return True


def leave_the_telling_to_the_first() -> None:
    """Every process has the same wrong command line: wait for the launcher, which ends all once the first failed."""
    if not is_first():
        time.sleep(_SECONDS)
