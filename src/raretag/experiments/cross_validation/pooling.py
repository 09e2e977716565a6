"""The trainings of one recipe and seed, pooled: every document as the model judged it that has not seen it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import final

import numpy as np
import numpy.typing as npt

from raretag.corpus import Corpus, Document
from raretag.errors import DataError
from raretag.experiments.cross_validation.cells import Cell
from raretag.probability import ScoreCache, Scores
from raretag.probability.calibration_data import SCORES, CalibrationData
from raretag.probability.calibration_gold import GoldDocument
from raretag.tagging import Schema, encode
from raretag.training.run_folder import HISTORY, RunFolder
from raretag.training.settings import TrainSettings


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pooled:
    """data: all documents with their out-of-fold scores. steps, seconds: of all folds; peak_mib: of the largest."""

    data: CalibrationData
    runs: tuple[RunFolder, ...]
    steps: int
    seconds: float
    peak_mib: int


def pool(cells: Sequence[Cell], corpus: Corpus) -> Pooled:
    """Read what folds of one recipe and seed left; all of `cells` are done.

    Where they are not all folds, these are the documents that they held out; labels count, and so belong to their tail
    group, as in the whole corpus.
    """
    scores: dict[str, Scores] = {}
    runs = []
    for cell in cells:
        run = RunFolder.open(cell.run_path)
        held_out = cell.held_out(corpus)
        scores |= {one.document: one for one in ScoreCache(run.path / SCORES, schema=run.schema).scores(held_out)}
        runs.append(run)
    documents = sorted((one for one in corpus.documents if one.id in scores), key=lambda document: document.id)
    manifests = [run.manifest for run in runs]
    return Pooled(
        data=judged_data(
            documents,
            [scores[document.id] for document in documents],
            mentions=Counter(mention.label for document in corpus.documents for mention in document.mentions),
            schema=runs[0].schema,
            settings=cells[0].settings,
            folds=len(cells),
        ),
        runs=tuple(runs),
        steps=sum(steps_of(run) for run in runs),
        seconds=sum(float(manifest["seconds"]) for manifest in manifests),
        peak_mib=max(int(manifest.get("peak_mib", 0)) for manifest in manifests),
    )


def steps_of(run: RunFolder) -> int:
    """How many steps the models of a run took, of older runs by its history. Raises DataError where that is damaged."""
    if "steps" in run.manifest:
        return int(run.manifest["steps"])
    file = run.path / HISTORY
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    try:
        return max((int(json.loads(line)["step"]) for line in lines), default=0)
    except (ValueError, KeyError, TypeError) as error:
        raise DataError("the history of this run is damaged", remedy="Train again", file=file) from error


def judged_data(
    documents: Sequence[Document],
    scores: Sequence[Scores],
    *,
    mentions: Mapping[str, int],
    schema: Schema,
    settings: TrainSettings,
    folds: int,
) -> CalibrationData:
    """Documents, by id, and their scores as data to calibrate and decide on.

    mentions: by label, of the documents that labels belong to their tail group by. folds: how many models judged.
    """
    overlaps = settings.tagging.overlaps
    tags = [
        encode(d, s.tokens, schema=schema, overlaps=overlaps, counts=mentions).tags
        for d, s in zip(documents, scores, strict=True)
    ]
    counts: npt.NDArray[np.int64] = np.sum([schema.count(one) for one in tags], axis=0)
    return CalibrationData(
        schema=replace(
            schema,
            mention_counts=tuple(mentions.get(label, 0) for label in schema.labels),
            tag_counts=tuple(counts.tolist()),
        ),
        gold=tuple(GoldDocument.of(document) for document in documents),
        scores=scores,
        tags=tuple(np.asarray(one) for one in tags),
        folds=folds,
    )
