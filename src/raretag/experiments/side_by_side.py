"""Other processes that do the same work meanwhile, in folders that several may share."""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def helped(work: Callable[..., None], *arguments: Any, helpers: int) -> Iterator[None]:
    """`helpers` >= 0 more processes call `work` with these arguments; they are ended with the block, done or not.

    What goes wrong in one ends that one in silence: what it was at is left to this process, which meets it, too.
    """
    spawning = multiprocessing.get_context("spawn")
    processes = [spawning.Process(target=_quietly, args=(work, *arguments), daemon=True) for _ in range(helpers)]
    for process in processes:
        process.start()
    try:
        yield
    finally:
        for process in processes:
            process.terminate()
            process.join()


def _quietly(work: Callable[..., None], *arguments: Any) -> None:
    """A traceback would stand between the lines of this process, and may hold what is nobody's business."""
    try:
        work(*arguments)
    except (Exception, KeyboardInterrupt):
        sys.exit(1)
