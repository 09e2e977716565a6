"""Cross-validation: as many trainings as folds, so that every document is judged by a model that never saw it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from raretag.corpus import Corpus, Document
from raretag.corpus.splitting import folds as cut_folds
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

    The runs lie in `out`/fold-1 and so on; finished ones are taken as they are, interrupted ones resumed. Parts that
    the corpus or `settings.split` name are ignored; each run stops early by `validation`, documents outside the corpus,
    where there are any. Folds follow `settings.seed`; a label may be missing from some. Raises as `folds` and `train`.
    """
    same = settings.model_copy(update={"split": SplitSettings()})
    for number, split in enumerate(cut_folds(corpus, folds=folds, seed=settings.seed), start=1):
        announce(f"fold {number} of {folds}")
        parts = {"train": split.train, "validation": tuple(validation), "test": split.test}
        documents = [
            replace(document, metadata={**document.metadata, "split": part})
            for part, members in parts.items()
            for document in members
        ]
        run = train(
            replace(corpus, documents=tuple(documents)),
            out=out / f"fold-{number}",
            settings=same,
            resume=True,
            callbacks=callbacks(),
            announce=announce,
        )
        yield run, split.test
