"""Several processes that train one model, started by torchrun or accelerate: the first one decides and writes."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Final

import torch
from torch import Tensor, distributed

from raretag.errors import DataError, UsageError
from raretag.objectives.base import processes

_TOLD: Final = ("RANK", "MASTER_ADDR", "MASTER_PORT")
# the others wait while the first one judges the validation documents or makes the second stage
_PATIENCE: Final = timedelta(hours=12)


@contextmanager
def together() -> Iterator[None]:
    """Join the processes that the launcher started, none where there is no launcher.

    Raises DataError in the processes that are left where another one ends in the middle, UsageError where the
    environment tells only half of what a launcher tells.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield
        return
    try:
        _join()
        yield
        # nobody ends while another still reads what it wrote
        distributed.barrier()
    except RuntimeError as error:
        if not _lost(error):
            raise
        raise DataError(
            "another process of this training has ended, so this one cannot go on",
            remedy="See what it or the launcher says; the same command with --resume goes on",
        ) from error


def _join() -> None:
    """Once in the life of a process: a group made anew would find the old one's addresses in the launcher's store."""
    if distributed.is_initialized():
        return
    missing = [name for name in _TOLD if name not in os.environ]
    if missing:
        raise UsageError(
            f"WORLD_SIZE tells of {os.environ['WORLD_SIZE']} processes, but {' and '.join(missing)} is not set",
            remedy="Start raretag with torchrun or accelerate launch, or unset WORLD_SIZE",
        )
    distributed.init_process_group("cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo", timeout=_PATIENCE)


def rank() -> int:
    """The number of this process, 0 for the first and for an only one."""
    return distributed.get_rank() if processes() > 1 else 0


def is_first() -> bool:
    """Whether this process decides and writes."""
    return rank() == 0


def agreed(decide: Callable[[], Any]) -> Any:
    """What `decide` gives in the first process, which alone calls it, told to all as JSON; the others wait for it."""
    if processes() == 1:
        return decide()
    told = json.dumps(decide()).encode() if is_first() else b""
    size = torch.tensor([len(told)], device=_device())
    distributed.broadcast(size, src=0)
    content = torch.tensor(list(told) or [0] * int(size), dtype=torch.uint8, device=_device())
    distributed.broadcast(content, src=0)
    return json.loads(content.cpu().numpy().tobytes())


def by_first(act: Callable[[], object]) -> None:
    """Only the first process acts; the others wait until it is done."""
    agreed(lambda: (act(), None)[1])


def summed(share: Tensor) -> Tensor:
    """Σ over processes of a tensor on the CPU, alike in all of them."""
    if processes() == 1:
        return share
    total = share.to(_device(), copy=True)
    distributed.all_reduce(total)
    return total.cpu()


def _device() -> torch.device:
    """Where the backend wants what it sends."""
    return torch.device("cuda" if distributed.get_backend() == "nccl" else "cpu")


def _lost(error: RuntimeError) -> bool:
    """Whether this is how a backend tells that another process is gone."""
    told = str(error).lower()
    return isinstance(error, distributed.DistError) or any(word in told for word in ("gloo", "nccl", "connection"))
