"""Cross-validation: as many trainings as folds, so that every document is judged by a model that never saw it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from raretag.corpus import Corpus, Document
from raretag.corpus.splitting import OFFICIAL
from raretag.corpus.splitting import folds as cut_folds
from raretag.training.exclusive import refuse_several_processes
from raretag.training.fine_tuning import train
from raretag.training.run_folder import RunFolder
from raretag.training.settings import SplitSettings, TrainSettings

if TYPE_CHECKING:
    from transformers import TrainerCallback


def train_folds(
    corpus: Corpus,
    *,
    folds: int,
    out: Path,
    settings: TrainSettings,
    validation: Sequence[Document] = (),
    callbacks: Callable[[], Sequence[TrainerCallback]] = tuple,
    announce: Callable[[str], None] = lambda _: None,
) -> Iterator[tuple[RunFolder, tuple[Document, ...]]]:
    """Train on all folds of `corpus` but one, in turn; each time give the run and the documents it did not see.

    See `train_fold`. Raises as `folds` and `train`.
    """
    # what cannot be cut is told before the first training
    for number, _ in enumerate(cut_folds(corpus, folds=folds, seed=settings.seed), start=1):
        yield train_fold(
            corpus,
            number=number,
            folds=folds,
            out=out,
            settings=settings,
            validation=validation,
            callbacks=callbacks,
            announce=announce,
        )


def train_fold(
    corpus: Corpus,
    *,
    number: int,
    folds: int,
    out: Path,
    settings: TrainSettings,
    validation: Sequence[Document] = (),
    callbacks: Callable[[], Sequence[TrainerCallback]] = tuple,
    announce: Callable[[str], None] = lambda _: None,
) -> tuple[RunFolder, tuple[Document, ...]]:
    """Train on all folds but `number`, from 1, and give the run and the documents it did not see.

    The run lies in `out`/fold-1 and so on; a finished one is taken as it is, an interrupted one resumed. Parts that
    the corpus or `settings.split` name are ignored; the run stops early by `validation`, documents outside the corpus,
    where there are any, and else has no patience. Folds follow `settings.seed`; a label may be missing from some.
    Raises as `folds` and `train`.
    """
    refuse_several_processes("cross-validation")
    split = cut_folds(corpus, folds=folds, seed=settings.seed)[number - 1]
    announce(f"fold {number} of {folds}")
    parts = {"train": split.train, "validation": tuple(validation), "test": split.test}
    documents = [
        replace(document, metadata={**document.metadata, "split": part})
        for part, members in parts.items()
        for document in members
    ]

    def of_fold(line: str) -> None:
        # to `train` its parts are the corpus' own
        announce(line.removesuffix(f" ({OFFICIAL})"))

    run = train(
        replace(corpus, documents=tuple(documents)),
        out=out / f"fold-{number}",
        settings=(settings if validation else settings.without_patience()).model_copy(
            update={"split": SplitSettings()}
        ),
        resume=True,
        callbacks=callbacks(),
        announce=of_fold,
    )
    return run, split.test
