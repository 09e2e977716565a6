"""Whether documents can be cut into folds, and whether what is fitted on their scores can then be judged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from raretag.corpus import Corpus
from raretag.corpus.splitting import folds as cut_folds
from raretag.corpus.splitting import separable
from raretag.errors import DataError

# one is judged by what is fitted on a second and checked on a third
_LEAST: Final = 3


def check_cut(corpus: Corpus, *, folds: int, seeds: Sequence[int]) -> None:
    """Raises UsageError or DataError for what cannot be cut or, once cut and trained, could not be decided."""
    for seed in seeds:
        cut_folds(corpus, folds=folds, seed=seed)
    units = len(separable(corpus))
    if units < _LEAST:
        raise DataError(
            f"{len(corpus.documents)} documents of {units} patients are too few: each is to be calibrated and decided "
            "by what others tell",
            remedy=f"Give documents of at least {_LEAST} patients; those of one patient or with one text count once",
        )
