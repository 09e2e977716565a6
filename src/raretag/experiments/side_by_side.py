"""Other processes that do the same work meanwhile, in folders that several may share."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def helped(work: Callable[..., None], *arguments: Any, helpers: int) -> Iterator[None]:
    """`helpers` >= 0 more processes call `work` with these arguments; they are ended with the block, done or not."""
    spawning = multiprocessing.get_context("spawn")
    processes = [spawning.Process(target=work, args=arguments, daemon=True) for _ in range(helpers)]
    for process in processes:
        process.start()
    try:
        yield
    finally:
        for process in processes:
            process.terminate()
            process.join()
