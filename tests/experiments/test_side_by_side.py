from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
import torch

from raretag.experiments.side_by_side import helped

# a function of this module could not be imported by a process of its own
TELL = """
import pathlib, torch
part = pathlib.Path({file!r} + ".part")
part.write_text(str(torch.get_num_threads()))
part.rename({file!r})
"""


@pytest.mark.parametrize(("threads", "helpers", "each"), [(4, 1, 2), (1, 1, 1), (2, 0, 2)])
def test_processes_side_by_side_share_the_threads(tmp_path: Path, threads: int, helpers: int, each: int) -> None:
    file, before = tmp_path / "threads", torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        with helped(exec, TELL.format(file=str(file)), helpers=helpers):
            assert torch.get_num_threads() == each
            until = time.monotonic() + 120
            while helpers and not file.exists() and time.monotonic() < until:
                time.sleep(0.05)
        assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    assert not helpers or file.read_text() == str(each)


@pytest.mark.parametrize(("last", "told"), [("raise ValueError('nobody may read this')", 1), ("pass", 0)])
def test_a_process_that_ends_early_is_told(
    tmp_path: Path, last: str, told: int, capfd: pytest.CaptureFixture[str]
) -> None:
    file, lines = tmp_path / "threads", list[str]()
    with helped(exec, TELL.format(file=str(file)) + last, helpers=1, announce=lines.append):
        until = time.monotonic() + 120
        while multiprocessing.active_children() and time.monotonic() < until:
            time.sleep(0.05)
    assert file.exists()
    assert [line.startswith("1 of 1 helping processes ended early") for line in lines] == [True] * told
    assert "nobody" not in "".join(capfd.readouterr())


COMMAND = """
import time
from raretag.experiments.side_by_side import helped
if __name__ == "__main__":
    with helped(exec, {work!r}, helpers=1):
        time.sleep(300)
"""
WORK = """
import os, pathlib, time
pathlib.Path({file!r} + ".part").write_text(str(os.getpid()))
pathlib.Path({file!r} + ".part").rename({file!r})
time.sleep(300)
"""


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_helper_ends_with_the_command_that_is_killed(tmp_path: Path, how: signal.Signals) -> None:
    file, command = tmp_path / "helper", tmp_path / "command.py"
    command.write_text(COMMAND.format(work=WORK.format(file=str(file))), encoding="utf-8")
    with subprocess.Popen([sys.executable, str(command)]) as killed:
        try:
            _wait(lambda: file.exists() or killed.poll() is not None)
        finally:
            killed.send_signal(how)
    helper = int(file.read_text(encoding="utf-8"))
    try:
        _wait(lambda: not _runs(helper))
    finally:
        if _runs(helper):
            os.kill(helper, signal.SIGKILL)


def _wait(done: Callable[[], bool]) -> None:
    until = time.monotonic() + 120
    while not done():
        assert time.monotonic() < until
        time.sleep(0.05)


def _runs(process: int) -> bool:
    """A process that has ended and that nobody has asked about yet is still listed, as a zombie."""
    try:
        return bool(psutil.Process(process).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
