from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from raretag.corpus import Corpus, Document, Mention
from raretag.evaluation.run import evaluate_run, unseen_documents
from raretag.training import Predictor, RunFolder, train
from raretag.training.settings import TrainSettings


@pytest.fixture
def run(tmp_path: Path, small_corpus: Corpus, settings: TrainSettings) -> RunFolder:
    return train(small_corpus, out=tmp_path / "run", settings=settings)


def test_long_notes_are_judged_to_their_end(run: RunFolder) -> None:
    text = "fever and cough, " * 400
    (judged,) = run.predictor().predict([Document(id="long", text=text)])
    assert judged.probabilities.shape == (len(judged.tokens), len(run.schema.tags))
    assert judged.tokens.ends[-1] == len(text.rstrip())
    assert np.allclose(judged.probabilities.sum(axis=1), 1, atol=1e-4)


def test_gold_beyond_a_window_is_counted(run: RunFolder) -> None:
    """The truncation trap: what a shorter reader would cut off is still a miss."""
    text = "no rash " * 500
    mentions = tuple(Mention(label="Rare-sign", start=8 * n + 3, end=8 * n + 7) for n in range(500))
    figures = evaluate_run(run, (Document(id="long", text=text, mentions=mentions),), resamples=0).mentions
    assert figures.strict.labels["Rare-sign"].gold == 500


def test_a_document_is_judged_alike_alone_and_in_company(run: RunFolder, small_corpus: Corpus) -> None:
    predictor = run.predictor()
    exact = Predictor(
        model=predictor.model,
        tokenizer=predictor.tokenizer,
        windows=predictor.windows,
        capacity=predictor.capacity,
        precision="float32",
    )
    together = exact.predict(small_corpus.documents)
    for document, one in zip(small_corpus.documents, together, strict=True):
        (alone,) = exact.predict([document])
        assert np.allclose(alone.probabilities, one.probabilities, atol=1e-5)


def test_no_documents_and_empty_documents(run: RunFolder) -> None:
    predictor = run.predictor()
    assert predictor.predict([]) == []
    (judged,) = predictor.predict([Document(id="empty", text=" \n ")])
    assert judged.probabilities.shape == (0, len(run.schema.tags))


def test_progress_counts_every_window(run: RunFolder, small_corpus: Corpus) -> None:
    seen: list[int] = []
    run.predictor().predict(small_corpus.documents, advance=seen.append)
    assert sum(seen) == sum(document.text.count("\n") + 1 for document in small_corpus.documents)


def test_unseen_documents_go_by_text(run: RunFolder, small_corpus: Corpus) -> None:
    unseen = unseen_documents(run, small_corpus)
    assert {document.id for document in unseen.documents} == set(run.manifest["data"]["test"])
    assert unseen.seen == 16
    renamed = Corpus(documents=tuple(Document(id=f"x{d.id}", text=d.text) for d in small_corpus.documents))
    assert unseen_documents(run, renamed).seen == 16


def test_a_label_training_never_saw_counts_as_missed(run: RunFolder) -> None:
    gold = Document(id="new", text="a b", mentions=(Mention(label="New", start=0, end=1),))
    figures = evaluate_run(run, (gold,), resamples=0).mentions
    assert (figures.strict.labels["New"].gold, figures.strict.labels["New"].recall) == (1, 0.0)
    assert figures.counts.inexpressible == 1
