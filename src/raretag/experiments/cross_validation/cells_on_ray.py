"""The trainings of a comparison on a Ray cluster: one whose machine is lost goes on at another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from raretag.cluster import called_on_cluster
from raretag.corpus import Corpus
from raretag.experiments.cross_validation.cells import Cell, run_cells


def run_cells_on_ray(
    cells: Sequence[Cell],
    corpus: Corpus,
    *,
    out: Path,
    address: str,
    announce: Callable[[str], None] = lambda _: None,
) -> None:
    """Run all that is left on the cluster at `address`; `out`, where the cells lie, is shared by its machines.

    As `run_cells`: finished trainings are taken as they are, interrupted ones go on from their checkpoint, also those
    whose machine was lost meanwhile. Raises what a training raises, with the fold it was of, and as
    `called_on_cluster` does.
    """
    left = [replace(cell, folder=cell.folder.resolve()) for cell in cells if not cell.is_done(corpus)]
    if not left:
        return
    out.mkdir(parents=True, exist_ok=True)
    done = len(cells) - len(left)
    announce(f"{done} of {len(cells)} trainings done")
    for _ in called_on_cluster(
        _run, lambda _: left, shared=corpus, address=address, folder=out, name_of=lambda cell: f"fold {cell.number}"
    ):
        done += 1
        announce(f"{done} of {len(cells)} trainings done")


def _run(corpus: Corpus, cell: Cell) -> None:
    """In a worker."""
    run_cells([cell], corpus)
