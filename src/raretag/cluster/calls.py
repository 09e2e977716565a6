"""One call for each of many things, on the machines of a Ray cluster: what a lost machine was at is done by another."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import torch

import raretag
from raretag.cluster.joining import joined
from raretag.errors import DataError, RaretagError, UsageError

Shared = TypeVar("Shared")
One = TypeVar("One")
Result = TypeVar("Result")

# how often one call may lose its machine
_RETRIES: Final = 10
# seconds between looks at whether there is a machine left
_LOOKS: Final = 20.0


def called_on_cluster(
    call: Callable[[Shared, One], Result],
    each: Callable[[int], Sequence[One]],
    *,
    shared: Shared,
    address: str,
    folder: Path,
    name_of: Callable[[One], str],
) -> Iterator[tuple[One, Result]]:
    """Yield (one, call(shared, one)) for each, as they are finished; `call` is a function that pickle finds by name.

    each: told how many calls the cluster has room for at once, gives what to call with. address: as `joined` has it.
    folder: what all machines must see, under this path. name_of: how errors call one.
    A call has as many threads as it would have here, or all CPUs of the largest machine where that has fewer, and a GPU
    where there is one. Raises what a call raises of RaretagError, UsageError where a machine does not see the folder or
    has another version of raretag, and DataError for a call whose process was lost too often.
    """
    with joined(address) as ray:
        threads = _threads(ray)
        task = ray.remote(_guarded).options(
            num_cpus=threads, num_gpus=1 if ray.cluster_resources().get("GPU") else 0, max_retries=_RETRIES
        )
        sent = ray.put(shared)
        there = {
            "folder": folder.resolve(),
            "threads": threads,
            "started_in": Path.cwd(),
            "version": raretag.__version__,
        }
        waiting = {task.remote(call, sent, one, **there): one for one in each(_room(ray, threads))}
        while waiting:
            done, _ = ray.wait(list(waiting), num_returns=1, timeout=_LOOKS)
            if not done:
                _check_room(ray, threads)
                continue
            one = waiting.pop(done[0])
            yield one, _result(ray, done[0], name=name_of(one), folder=folder)


def _threads(ray: Any) -> int:
    """As many as a call on this machine has, or as the largest machine of the cluster."""
    largest = max(_machines(ray), default=0)
    if largest == 0:
        raise UsageError("no machine of this Ray cluster has a CPU to work with", remedy="Start nodes with --num-cpus")
    return min(torch.get_num_threads(), largest)


def _machines(ray: Any) -> list[int]:
    """The CPUs of each machine that is there."""
    return [int(node["Resources"].get("CPU", 0)) for node in ray.nodes() if node["Alive"]]


def _room(ray: Any, threads: int) -> int:
    """How many calls fit the machines at once, >= 1."""
    return max(1, sum(cpus // threads for cpus in _machines(ray)))


def _check_room(ray: Any, threads: int) -> None:
    """Raises DataError where no machine that is left could take a call: Ray would wait for one forever."""
    if max(_machines(ray), default=0) < threads:
        raise DataError(
            f"no machine of the cluster that is left has {threads} CPUs, which each call needs",
            remedy="Add such a machine, or set OMP_NUM_THREADS lower; the same command goes on",
        )


def _guarded(
    call: Callable[[Any, Any], Any],
    shared: Any,
    one: Any,
    *,
    folder: Path,
    threads: int,
    started_in: Path,
    version: str,
) -> tuple[Any, tuple[str, ...] | None]:
    """In a worker: the result, or what went wrong, which Ray would tell with all that surrounds it."""
    try:
        _check_machine(folder, version=version)
        # what settings name, an encoder's folder, is named from there
        if started_in.is_dir():
            os.chdir(started_in)
        torch.set_num_threads(threads)
        return call(shared, one), None
    except RaretagError as error:
        kind = UsageError if isinstance(error, UsageError) else DataError
        return None, (kind.__name__, error.what, error.remedy, error.file or "")


def _check_machine(folder: Path, *, version: str) -> None:
    machine = os.uname().nodename
    if raretag.__version__ != version:
        raise UsageError(
            f"machine {machine} has raretag {raretag.__version__}, not {version}",
            remedy="Install the same version on all machines of the cluster",
        )
    if not folder.is_dir():
        raise UsageError(
            f"machine {machine} does not see this folder",
            remedy="Put it where all machines of the cluster have it, under the same path",
            file=folder,
        )


def _result(ray: Any, done: Any, *, name: str, folder: Path) -> Any:
    """What a call gave. Raises what it told, or that it could not be finished."""
    try:
        result, told = ray.get(done)
    except (ray.exceptions.WorkerCrashedError, ray.exceptions.NodeDiedError, ray.exceptions.OutOfMemoryError) as error:
        raise DataError(
            f"{name}: its process was lost {_RETRIES + 1} times ({type(error).__name__})",
            remedy="See whether the machines have memory enough; the same command goes on",
            file=folder,
        ) from error
    if told is not None:
        kind, what, remedy, file = told
        raise (UsageError if kind == UsageError.__name__ else DataError)(what, remedy=remedy, file=file or None)
    return result
