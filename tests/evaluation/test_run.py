"""Evaluating a run: documents are judged once, and a folder that cannot be written costs no figures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from raretag.corpus import Corpus
from raretag.corpus.demo import demo_corpus
from raretag.evaluation.run import evaluate_run
from raretag.probability import ScoreCache, score
from raretag.training import RunFolder, train
from raretag.training.settings import TrainSettings


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return demo_corpus(documents=12)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, tiny_encoder: Path, corpus: Corpus) -> RunFolder:
    settings = {"encoder": str(tiny_encoder), "optimiser": {"epochs": 1}, "precision": "float32"}
    out = tmp_path_factory.mktemp("runs") / "run"
    return train(corpus, out=out, settings=TrainSettings.model_validate(settings))


def test_documents_are_judged_once(run: RunFolder, corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    real = score

    def counted(predictor: Any, documents: Any, **more: Any) -> Any:
        asked.append(len(documents))
        return real(predictor, documents, **more)

    monkeypatch.setattr("raretag.probability.scoring.score", counted)
    first = evaluate_run(run, corpus.documents[:4], resamples=0)
    again = evaluate_run(run, corpus.documents[:4], resamples=0)
    assert asked == [4]
    assert first.to_json() == again.to_json()
    evaluate_run(run, corpus.documents[:6], resamples=0)
    assert asked == [4, 2]


def test_a_folder_that_cannot_be_written_costs_no_figures(
    run: RunFolder, corpus: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    kept = evaluate_run(run, corpus.documents[6:], resamples=0)
    for file in (run.path / "scores").iterdir():
        file.unlink()
    monkeypatch.setattr(ScoreCache, "add", full)
    told = evaluate_run(run, corpus.documents[6:], resamples=0)
    assert told.mentions == kept.mentions
    # float16 logarithms on the way through the cache
    assert told.used.calibration.brier == pytest.approx(kept.used.calibration.brier, rel=1e-2)
