"""Other processes that do the same work meanwhile, in folders that several may share."""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch

from raretag.errors import UsageError


def check_jobs(jobs: int, *, ray: str | None) -> None:
    """Raises UsageError for several jobs of this machine beside a Ray cluster at the address `ray`."""
    if ray is not None and jobs > 1:
        raise UsageError(
            f"{jobs} jobs are of this machine, but a Ray cluster shall work", remedy="Leave out --jobs or --ray"
        )


@contextmanager
def helped(
    work: Callable[..., None], *arguments: Any, helpers: int, announce: Callable[[str], None] = lambda _: None
) -> Iterator[None]:
    """`helpers` >= 0 more processes call `work` with these arguments; they are ended with the block, done or not.

    They and this one share the threads that this one had, each at least one; another number of threads rounds
    otherwise. What goes wrong in one ends that one, and at the end their number is told: what it was at is left to this
    process, which meets it, too. Where this process is killed, they end at once; what they were at is resumed later.
    """
    spawning = multiprocessing.get_context("spawn")
    threads = torch.get_num_threads()
    share = max(1, threads // (helpers + 1))
    processes = [spawning.Process(target=_quietly, args=(share, work, *arguments), daemon=True) for _ in range(helpers)]
    try:
        for process in processes:
            process.start()
        torch.set_num_threads(share)
        yield
    finally:
        torch.set_num_threads(threads)
        begun = [process for process in processes if process.pid is not None]
        ended = sum(process.exitcode not in {None, 0} for process in begun)
        if ended:
            announce(
                f"{ended} of {helpers} helping processes ended early, perhaps for lack of memory; fewer --jobs help"
            )
        for process in begun:
            process.terminate()
            process.join()


def _quietly(threads: int, work: Callable[..., None], *arguments: Any) -> None:
    """A traceback would stand between the lines of this process, and may hold what is nobody's business."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    torch.set_num_threads(threads)
    try:
        work(*arguments)
    except (Exception, KeyboardInterrupt):
        sys.exit(1)


def _end_with_parent() -> None:
    """End with the process that started this one: nobody wants helpers that work on for hours."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
