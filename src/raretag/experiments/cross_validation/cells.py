"""The trainings of an experiment, one a fold: what is finished is kept, and processes share what is left."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, final

from raretag.corpus import Corpus, Document
from raretag.corpus.splitting import folds as cut_folds
from raretag.errors import RaretagError
from raretag.probability import ScoreCache, score
from raretag.probability.calibration_data import SCORES
from raretag.training.exclusive import BusyError, alone
from raretag.training.folding import train_fold
from raretag.training.run_folder import MANIFEST, RunFolder
from raretag.training.settings import TrainSettings

if TYPE_CHECKING:
    from transformers import TrainerCallback

# where an experiment keeps the folders of its cells
TRAININGS: Final = "trainings"
# between looks at what other processes have finished
_SECONDS: Final = 2.0


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """Fold `number`, from 1, of `folds` with some settings; `folder` is shared by the folds of the same settings."""

    folder: Path
    settings: TrainSettings
    number: int
    folds: int

    @property
    def run_path(self) -> Path:
        """The run folder of this fold."""
        return self.folder / f"fold-{self.number}"

    def held_out(self, corpus: Corpus) -> tuple[Document, ...]:
        """The documents that this fold does not train on."""
        return cut_folds(corpus, folds=self.folds, seed=self.settings.seed)[self.number - 1].test

    def told(self, error: RaretagError) -> RaretagError:
        """The error with the fold it is of."""
        return type(error)(f"fold {self.number}: {error.what}", remedy=error.remedy, file=error.file)

    def damaged(self, error: RaretagError) -> RaretagError:
        """The error of a folder that cannot be read: it is not the user's to mend, but to make anew."""
        remedy = f"Delete {self.run_path}: the same command trains this fold again"
        return type(error)(f"fold {self.number}: {error.what}", remedy=remedy, file=error.file)

    def is_done(self, corpus: Corpus) -> bool:
        """Whether it is trained and has judged its documents. Raises DataError where its folder is damaged."""
        if not (self.run_path / MANIFEST).is_file():
            return False
        try:
            run = RunFolder(self.run_path)
            if run.manifest["status"] != "complete":
                return False
            cache = ScoreCache(self.run_path / SCORES, schema=run.schema)
        except RaretagError as error:
            raise self.damaged(error) from error
        return all(document in cache for document in self.held_out(corpus))


def run_cell(
    cell: Cell,
    corpus: Corpus,
    *,
    callbacks: Callable[[], Sequence[TrainerCallback]] = tuple,
    announce: Callable[[str], None] = lambda _: None,
) -> None:
    """Train and judge; an interrupted training goes on. Raises BusyError where another process is at it."""
    run, held_out = train_fold(
        corpus,
        number=cell.number,
        folds=cell.folds,
        out=cell.folder,
        settings=cell.settings,
        callbacks=callbacks,
        announce=announce,
    )
    cache = ScoreCache(run.path / SCORES, schema=run.schema)
    if any(document not in cache for document in held_out):
        # as it was trained, whichever machine judges
        (run.path / SCORES).mkdir(exist_ok=True)
        with alone(run.path / SCORES):
            predictor = replace(run.predictor(), precision=run.manifest["precision"])
            # another process may have judged them since
            ScoreCache(run.path / SCORES, schema=run.schema).add(held_out, lambda some: score(predictor, some))


def run_cells(
    cells: Sequence[Cell],
    corpus: Corpus,
    *,
    callbacks: Callable[[], Sequence[TrainerCallback]] = tuple,
    announce: Callable[[str], None] = lambda _: None,
) -> None:
    """Run all that is left, beside any other process that does the same in these folders, until all are done.

    Each takes a training that nobody is at and leaves it if it is taken; a killed one's is taken up by another. Raises
    what a training raises, with the fold it was of.
    """
    left = [cell for cell in cells if not cell.is_done(corpus)]
    told: set[str] = set()

    def once(line: str) -> None:
        # what is found busy is tried again and again
        if line not in told:
            told.add(line)
            announce(line)

    while left:
        # another order in each process, so that they seldom want the same
        random.shuffle(left)
        worked = False
        for cell in list(left):
            if cell.is_done(corpus):
                left.remove(cell)
                continue
            try:
                if len(cells) > 1:
                    once(f"{len(cells) - len(left)} of {len(cells)} trainings done")
                run_cell(cell, corpus, callbacks=callbacks, announce=once)
            except BusyError:
                continue
            except RaretagError as error:
                raise cell.told(error) from error
            left.remove(cell)
            worked = True
            told.clear()
        if left and not worked:
            once(
                "another process is at this training: waiting"
                if len(cells) == 1
                else f"other processes are at the last {len(left)} of {len(cells)} trainings: waiting"
            )
            time.sleep(_SECONDS)
