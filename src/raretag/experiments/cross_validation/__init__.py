"""Out-of-fold scores of a whole corpus: each document as a model judges it that has not seen it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from raretag.corpus import Corpus
from raretag.experiments.cross_validation.cells import TRAININGS, Cell, run_cells
from raretag.experiments.cross_validation.cells_on_ray import run_cells_on_ray
from raretag.experiments.cross_validation.cutting import check_cut
from raretag.experiments.cross_validation.pooling import Pooled, judged_data, pool, steps_of
from raretag.training.settings import TrainSettings

if TYPE_CHECKING:
    from transformers import TrainerCallback

__all__ = [
    "TRAININGS",
    "Cell",
    "Pooled",
    "check_cut",
    "cross_validated",
    "judged_data",
    "pool",
    "run_cells",
    "run_cells_on_ray",
    "steps_of",
]


def cross_validated(
    corpus: Corpus,
    *,
    folds: int,
    out: Path,
    settings: TrainSettings,
    callbacks: Callable[[], Sequence[TrainerCallback]] = tuple,
    announce: Callable[[str], None] = lambda _: None,
) -> Pooled:
    """Train once for each fold and pool what each model says of the documents it has not seen.

    Trainings and scores are kept in `out`/fold-1 and so on: finished ones are taken as they are, interrupted ones go
    on, and processes that do the same share the work. Raises as `train_fold`.
    """
    cells = [Cell(folder=out, settings=settings, number=number + 1, folds=folds) for number in range(folds)]
    run_cells(cells, corpus, callbacks=callbacks, announce=announce)
    return pool(cells, corpus)
