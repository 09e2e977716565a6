"""Folds: every document is judged by one run that did not learn from it, and nothing finished is trained again."""

from __future__ import annotations

from pathlib import Path

import pytest

from raretag.corpus import Corpus
from raretag.errors import DataError
from raretag.training.folding import train_folds
from raretag.training.settings import TrainSettings


def test_every_document_is_left_out_once(tmp_path: Path, small_corpus: Corpus, settings: TrainSettings) -> None:
    # the shares of a split play no part here
    settings = settings.model_copy(update={"split": settings.split.model_copy(update={"test": 0.5})})
    validation, learned = small_corpus.documents[:4], Corpus(documents=small_corpus.documents[4:], format="test")
    told: list[str] = []
    runs = list(
        train_folds(learned, folds=3, out=tmp_path, settings=settings, validation=validation, announce=told.append)
    )
    assert sorted(d.id for _, held_out in runs for d in held_out) == [d.id for d in learned.documents]
    for run, held_out in runs:
        data = run.manifest["data"]
        assert data["test"].keys() == {document.id for document in held_out}
        assert data["validation"].keys() == {document.id for document in validation}
        assert len(data["train"]) == 16 - len(held_out)
    assert [line for line in told if line.startswith("fold")] == ["fold 1 of 3", "fold 2 of 3", "fold 3 of 3"]
    assert not any("own parts" in line for line in told)
    finished = [run.manifest["finished"] for run, _ in runs]
    again = train_folds(learned, folds=3, out=tmp_path, settings=settings, validation=validation)
    assert [run.manifest["finished"] for run, _ in again] == finished


def test_a_fold_that_no_document_stops_has_no_patience(
    tmp_path: Path, small_corpus: Corpus, settings: TrainSettings
) -> None:
    further = {"optimiser": {"patience": 1}, "objective": {"name": "inverse-sqrt"}}
    content = {**settings.model_dump(), "ensemble": [further]}
    hasty = TrainSettings.model_validate({**content, "optimiser": {**content["optimiser"], "patience": 2}})
    run, _ = next(train_folds(small_corpus, folds=2, out=tmp_path, settings=hasty))
    assert run.manifest["settings"]["optimiser"]["patience"] == 3
    assert run.manifest["settings"]["ensemble"][0]["objective"] == {"name": "inverse-sqrt"}
    assert [one.manifest["settings"]["optimiser"]["patience"] for one in run.further] == [3]


def test_more_folds_than_documents_are_refused(tmp_path: Path, small_corpus: Corpus, settings: TrainSettings) -> None:
    with pytest.raises(DataError, match="cannot fill 21 parts"):
        next(train_folds(small_corpus, folds=21, out=tmp_path, settings=settings))
