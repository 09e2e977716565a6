"""The trainings of a comparison as tasks of a Ray cluster: a task whose machine is lost goes on at another."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import torch

import raretag
from raretag.corpus import Corpus
from raretag.errors import DataError, RaretagError, UsageError
from raretag.experiments.cross_validation.cells import Cell, run_cells
from raretag.experiments.distributed.cluster import joined

# how often one training may lose its machine
_RETRIES: Final = 10


def run_cells_on_ray(
    cells: Sequence[Cell],
    corpus: Corpus,
    *,
    address: str,
    announce: Callable[[str], None] = lambda _: None,
) -> None:
    """Run all that is left on the cluster at `address`; the folders of `cells` are shared by its machines.

    As `run_cells`: finished trainings are taken as they are, interrupted ones go on from their checkpoint, also those
    whose machine was lost meanwhile. Each has as many threads as one here would. Raises what a training raises, with
    the fold it was of; UsageError where a machine does not see the folders or has another version of raretag.
    """
    left = [replace(cell, folder=cell.folder.resolve()) for cell in cells if not cell.is_done(corpus)]
    if not left:
        return
    for cell in left:
        cell.folder.mkdir(parents=True, exist_ok=True)
    with joined(address) as ray:
        threads = _threads(ray)
        task = ray.remote(_run).options(
            num_cpus=threads, num_gpus=1 if ray.cluster_resources().get("GPU") else 0, max_retries=_RETRIES
        )
        shared = ray.put(corpus)
        waiting = {
            task.remote(cell, shared, threads=threads, started_in=str(Path.cwd()), version=raretag.__version__): cell
            for cell in left
        }
        while waiting:
            announce(f"{len(cells) - len(waiting)} of {len(cells)} trainings done")
            done, _ = ray.wait(list(waiting), num_returns=1)
            cell = waiting.pop(done[0])
            _check(ray, done[0], cell)


def _threads(ray: Any) -> int:
    """As many as a training on this machine has, or as the largest machine of the cluster."""
    largest = max((int(node["Resources"].get("CPU", 0)) for node in ray.nodes() if node["Alive"]), default=0)
    if largest == 0:
        raise UsageError("no machine of this Ray cluster has a CPU to work with", remedy="Start nodes with --num-cpus")
    return min(torch.get_num_threads(), largest)


def _run(cell: Cell, corpus: Corpus, *, threads: int, started_in: str, version: str) -> tuple[str, ...] | None:
    """In a worker: train and judge. What cannot be is returned, since Ray would tell it with all that surrounds it."""
    try:
        _check_machine(cell, version=version)
        # what settings name, an encoder's folder, is named from there
        if Path(started_in).is_dir():
            os.chdir(started_in)
        torch.set_num_threads(threads)
        run_cells([cell], corpus)
    except RaretagError as error:
        kind = UsageError if isinstance(error, UsageError) else DataError
        return kind.__name__, error.what, error.remedy, error.file or ""
    return None


def _check_machine(cell: Cell, *, version: str) -> None:
    machine = os.uname().nodename
    if raretag.__version__ != version:
        raise UsageError(
            f"machine {machine} has raretag {raretag.__version__}, not {version}",
            remedy="Install the same version on all machines of the cluster",
        )
    if not cell.folder.is_dir():
        raise UsageError(
            f"machine {machine} does not see this folder",
            remedy="Put --out in a folder that all machines of the cluster share, under the same path",
            file=cell.folder,
        )


def _check(ray: Any, done: Any, cell: Cell) -> None:
    """Raises what the task of a cell told, or that it could not be finished."""
    try:
        told = ray.get(done)
    except (ray.exceptions.WorkerCrashedError, ray.exceptions.NodeDiedError, ray.exceptions.OutOfMemoryError) as error:
        raise DataError(
            f"fold {cell.number}: its process was lost {_RETRIES + 1} times ({type(error).__name__})",
            remedy="See whether the machines have memory enough; the same command goes on",
            file=cell.run_path,
        ) from error
    if told is not None:
        kind, what, remedy, file = told
        raise (UsageError if kind == UsageError.__name__ else DataError)(what, remedy=remedy, file=file or None)
