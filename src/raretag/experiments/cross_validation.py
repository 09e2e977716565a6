"""Out-of-fold scores of a whole corpus: each document as a model judges it that has not seen it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from raretag.corpus import Corpus, Document
from raretag.probability import ScoreCache, Scores, score
from raretag.probability.calibration_data import SCORES, CalibrationData
from raretag.probability.calibration_gold import GoldDocument
from raretag.tagging import Schema, encode
from raretag.training.folding import train_folds
from raretag.training.settings import TrainSettings

if TYPE_CHECKING:
    from transformers import TrainerCallback


def cross_validated(
    corpus: Corpus,
    *,
    folds: int,
    out: Path,
    settings: TrainSettings,
    callbacks: Callable[[], Sequence[TrainerCallback]] = tuple,
    announce: Callable[[str], None] = lambda _: None,
) -> CalibrationData:
    """Train once for each fold and pool what each model says of the documents it has not seen, by document id.

    Trainings and scores are kept in `out`/fold-1 and so on: finished ones are taken as they are, interrupted ones go
    on. The schema's counts, and so the tail groups, are those of the whole corpus. Raises as `train_folds`.
    """
    scores: dict[str, Scores] = {}
    schema: Schema | None = None
    for run, held_out in train_folds(
        corpus, folds=folds, out=out, settings=settings, callbacks=callbacks, announce=announce
    ):
        schema = run.schema
        cache = ScoreCache(run.path / SCORES, schema=schema)
        missing = [document for document in held_out if document not in cache]
        if missing:
            predictor = run.predictor()
            cache.add(missing, lambda some, predictor=predictor: score(predictor, some))
        scores |= {one.document: one for one in cache.scores(held_out)}
    if schema is None:
        raise ValueError(f"{folds} folds")
    documents = sorted(corpus.documents, key=lambda document: document.id)
    return pooled(
        documents, [scores[document.id] for document in documents], schema=schema, settings=settings, folds=folds
    )


def pooled(
    documents: Sequence[Document], scores: Sequence[Scores], *, schema: Schema, settings: TrainSettings, folds: int
) -> CalibrationData:
    """Documents and their scores as data to calibrate and decide on, with counts of their own."""
    mentions = Counter(mention.label for document in documents for mention in document.mentions)
    overlaps = settings.tagging.overlaps
    tags = [
        encode(d, s.tokens, schema=schema, overlaps=overlaps, counts=mentions).tags
        for d, s in zip(documents, scores, strict=True)
    ]
    counts: npt.NDArray[np.int64] = np.sum([schema.count(one) for one in tags], axis=0)
    return CalibrationData(
        schema=replace(
            schema,
            mention_counts=tuple(mentions[label] for label in schema.labels),
            tag_counts=tuple(counts.tolist()),
        ),
        gold=tuple(GoldDocument.of(document) for document in documents),
        scores=scores,
        tags=tuple(np.asarray(one) for one in tags),
        folds=folds,
    )
