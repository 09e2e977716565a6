"""Trainings of folds: done once, taken up, shared between processes, and pooled without a document lost."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from raretag.corpus import Corpus
from raretag.corpus.demo import demo_corpus
from raretag.errors import DataError, UsageError
from raretag.experiments.cross_validation import Cell, cross_validated, pool, run_cells
from raretag.experiments.cross_validation import cells as module
from raretag.probability.calibration_data import SCORES
from raretag.training.exclusive import alone
from raretag.training.run_folder import RESUME
from raretag.training.settings import TrainSettings


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return demo_corpus(documents=12)


@pytest.fixture(scope="module")
def settings(tiny_encoder: Path) -> TrainSettings:
    content = {"encoder": str(tiny_encoder), "optimiser": {"epochs": 1, "learning_rate": 0.02}, "precision": "float32"}
    return TrainSettings.model_validate(content)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, corpus: Corpus, settings: TrainSettings) -> Path:
    out = tmp_path_factory.mktemp("folds")
    cross_validated(corpus, folds=2, out=out, settings=settings)
    return out


def cells(folder: Path, settings: TrainSettings) -> list[Cell]:
    return [Cell(folder=folder, settings=settings, number=number, folds=2) for number in (1, 2)]


def test_every_document_is_judged_once_by_a_model_that_never_saw_it(
    trained: Path, corpus: Corpus, settings: TrainSettings
) -> None:
    pooled = pool(cells(trained, settings), corpus)
    assert [one.id for one in pooled.data.gold] == sorted(document.id for document in corpus.documents)
    for run, cell in zip(pooled.runs, cells(trained, settings), strict=True):
        learned = set(run.manifest["data"]["train"])
        held_out = {document.id for document in cell.held_out(corpus)}
        assert not learned & held_out
        assert learned | held_out == {document.id for document in corpus.documents}
    assert pooled.data.folds == 2
    assert pooled.steps > 0
    assert pooled.peak_mib > 50
    every = [mention.label for document in corpus.documents for mention in document.mentions]
    assert dict(zip(pooled.data.schema.labels, pooled.data.schema.mention_counts, strict=True)) == {
        label: every.count(label) for label in corpus.labels
    }


def test_what_is_done_is_not_done_again(
    trained: Path, corpus: Corpus, settings: TrainSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: Any, **__: Any) -> None:
        raise AssertionError("trained again")

    monkeypatch.setattr(module, "run_cell", never)
    run_cells(cells(trained, settings), corpus)


@pytest.mark.parametrize("stage", ["training", "judging"])
def test_a_training_that_another_process_is_at_is_left_to_it(
    stage: str, trained: Path, tmp_path: Path, corpus: Corpus, settings: TrainSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = cells(tmp_path / "runs", settings)
    busy = shutil.copytree(trained / "fold-1", both[0].run_path)
    shutil.rmtree(busy / SCORES)
    locked = busy / (RESUME if stage == "training" else SCORES)
    locked.mkdir()
    if stage == "training":
        manifest = json.loads((busy / "manifest.json").read_text(encoding="utf-8"))
        (busy / "manifest.json").write_text(json.dumps({**manifest, "status": "training"}), encoding="utf-8")
    held = alone(locked)
    held.__enter__()
    waits = iter(range(3))

    def waited(_: float) -> None:
        # the other process finishes while this one waits for the third time
        if next(waits) == 2:
            held.__exit__(None, None, None)
            shutil.rmtree(busy)
            shutil.copytree(trained / "fold-1", busy)

    monkeypatch.setattr("time.sleep", waited)
    told: list[str] = []
    run_cells(both, corpus, announce=told.append)
    assert all(cell.is_done(corpus) for cell in both)
    assert "fold 2 of 2" in told
    assert next(waits, None) is None
    # nothing was prepared for the busy one, and waiting is told once
    assert told.count("preparing the documents and the encoder") == 1
    assert told.count("other processes are at the last 1 of 2 trainings: waiting") == 1


def test_a_label_in_a_single_document_keeps_its_place(tmp_path: Path, corpus: Corpus, settings: TrainSettings) -> None:
    from dataclasses import replace

    first = corpus.documents[0]
    alone_there = replace(first.mentions[0], label="Only_here")
    documents = (replace(first, mentions=(alone_there, *first.mentions[1:])), *corpus.documents[1:])
    data = cross_validated(Corpus(documents=documents), folds=2, out=tmp_path / "runs", settings=settings).data
    assert "Only_here" in data.schema.labels
    assert {one.probabilities.shape[1] for one in data.scores} == {len(data.schema.tags)}


def test_more_folds_than_documents(tmp_path: Path, corpus: Corpus, settings: TrainSettings) -> None:
    with pytest.raises(DataError, match="documents"):
        cross_validated(corpus, folds=13, out=tmp_path, settings=settings)
    with pytest.raises(UsageError):
        cross_validated(corpus, folds=1, out=tmp_path, settings=settings)


def test_damage_is_told_with_its_fold(trained: Path, tmp_path: Path, corpus: Corpus, settings: TrainSettings) -> None:
    shutil.copytree(trained, tmp_path / "runs")
    (tmp_path / "runs" / "fold-2" / "manifest.json").write_text("{", encoding="utf-8")
    with pytest.raises(DataError, match=r"fold-2.*fold 2: .*Delete .*fold-2: the same command trains this fold again"):
        run_cells(cells(tmp_path / "runs", settings), corpus)
    shutil.rmtree(tmp_path / "runs" / "fold-2")
    run_cells(cells(tmp_path / "runs", settings), corpus)
