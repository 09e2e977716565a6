"""Two real processes of a Hugging Face Trainer take the same steps as one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file

SCRIPT = Path(__file__).with_name("trained_by_hugging_face.py")
SOURCE = Path(__file__).resolve().parents[2] / "src"


# a sum over tokens, and those with running statistics that processes must share
NAMES = ("inverse-sqrt", "dice", "soft-macro-f1")


def trained(launcher: list[str], *, encoder: Path, out: Path, rows: int) -> dict[str, torch.Tensor]:
    out.mkdir()
    environment = {**os.environ, "PYTHONPATH": str(SOURCE), "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        [sys.executable, *launcher, str(SCRIPT), str(encoder), str(out), ",".join(NAMES), str(rows)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return load_file(out / "heads-0.safetensors")


def test_the_number_of_processes_does_not_change_the_steps(tiny_encoder: Path, tmp_path: Path) -> None:
    one = trained([], encoder=tiny_encoder, out=tmp_path / "one", rows=4)
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    two = trained(launcher, encoder=tiny_encoder, out=tmp_path / "two", rows=2)
    assert set(one) == set(NAMES)
    torch.testing.assert_close(two, one, rtol=1e-4, atol=1e-5)
