"""Start raretag in two processes, as torchrun does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from raretag.training import RunFolder

from .conftest import weights

SOURCE = Path(__file__).resolve().parents[2] / "src"
TORCHRUN = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
# softmax does not feel it: its gradient is rounding noise, which Adam scales up to steps
_WITHOUT_EFFECT = "attention.self.key.bias"


def start(*words: object, **environment: str) -> subprocess.Popen[str]:
    """Two processes of what `words` name: a module (-m), a script, or a program (--no-python)."""
    return subprocess.Popen(
        [*TORCHRUN, *map(str, words)],
        env={
            **os.environ,
            "PYTHONPATH": str(SOURCE),
            "OMP_NUM_THREADS": "1",
            "PYTHONWARNINGS": "ignore",
            **environment,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(processes: subprocess.Popen[str]) -> tuple[int, str]:
    """The exit code and what was said on standard error."""
    try:
        _, said = processes.communicate(timeout=240)
    finally:
        # the launcher ends its workers
        processes.terminate()
    return processes.returncode, said


def remarks(said: str) -> list[str]:
    """The errors that raretag told, without the launcher's."""
    return [line for line in said.splitlines() if line.startswith("raretag: ")]


def assert_equal_but_for_rounding(one: RunFolder, other: RunFolder) -> None:
    """The weights of two runs; sums in another order differ in the last digits."""
    first, second = weights(one), weights(other)
    assert first.keys() == second.keys()
    for name, values in first.items():
        if not name.endswith(_WITHOUT_EFFECT):
            np.testing.assert_allclose(second[name], values, rtol=1e-4, atol=1e-4, err_msg=name)


def figures(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The history without the times."""
    return [{name: value for name, value in record.items() if name != "seconds"} for record in records]
