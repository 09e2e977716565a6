"""From notes whose mentions overlap to annotations that hold them: what one tag a token cannot express."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from raretag.corpus import Corpus, Document, Mention
from raretag.evaluation.run import evaluate_run
from raretag.serving import annotate
from raretag.training import RunFolder, train
from raretag.training.settings import TrainSettings

# in each: a finding, the site inside it, and a dose across both words or none
LINES = {
    "pain in chest": [("Finding", 0, 13), ("Site", 8, 13)],
    "rash twice daily": [("Finding", 0, 10), ("Dose", 5, 16)],
    "cough and fever": [("Finding", 0, 5), ("Finding", 10, 15)],
    "the patient has no": [],
}


def note(number: int) -> Document:
    lines = list(LINES)[number % 4 :] + list(LINES)[: number % 4]
    text = "\n".join([*lines, str(number)])
    mentions = tuple(
        Mention(label=label, start=text.index(line) + start, end=text.index(line) + end)
        for line in lines
        for label, start, end in LINES[line]
    )
    return Document(id=f"{number:02}", text=text, mentions=mentions)


NOTES = Corpus(documents=tuple(note(number) for number in range(12)))


def settings_with(head: str, *, encoder: Path, epochs: int) -> TrainSettings:
    optimiser = {"epochs": epochs, "batch_tokens": 64, "learning_rate": 0.01}
    content = {"encoder": str(encoder), "precision": "float32", "head": {"name": head}, "optimiser": optimiser}
    return TrainSettings.model_validate(content)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, tiny_encoder: Path) -> RunFolder:
    out = tmp_path_factory.mktemp("layered") / "run"
    return train(NOTES, out=out, settings=settings_with("per-label", encoder=tiny_encoder, epochs=30))


def test_both_of_two_overlapping_mentions_are_found(run: RunFolder) -> None:
    assert run.manifest["training"]["findings"] == {}
    figures = evaluate_run(run, NOTES.documents, resamples=0).mentions
    assert figures.strict.micro.f1 is not None
    assert figures.strict.micro.f1 > 0.95
    assert figures.counts.inexpressible == 0
    annotated = annotate(run, NOTES).corpus.documents[0]
    found = {(m.label, m.start, m.end) for m in annotated.mentions}
    assert {("Finding", 0, 13), ("Site", 8, 13)} <= found
    assert all(m.score is not None and 0 < m.score <= 1 for m in annotated.mentions)


def test_the_manifest_tells_the_prior_of_each_label(run: RunFolder) -> None:
    prior = run.manifest["prior"]
    for kind in ("empirical", "effective"):
        assert list(prior[kind]) == ["Dose", "Finding", "Site"]
        assert all(list(row) == ["O", "B", "I"] for row in prior[kind].values())
        assert all(sum(row.values()) == pytest.approx(1, abs=1e-6) for row in prior[kind].values())
    for label, row in prior["empirical"].items():
        assert prior["effective"][label]["I"] == pytest.approx(row["I"], abs=0.05)


def test_the_softmax_head_cannot(tmp_path: Path, tiny_encoder: Path) -> None:
    run = train(NOTES, out=tmp_path / "run", settings=settings_with("softmax", encoder=tiny_encoder, epochs=1))
    assert run.manifest["training"]["findings"]["tagging.overlap"] > 0
    assert evaluate_run(run, NOTES.documents, resamples=0).mentions.counts.inexpressible == 24


def test_probabilities_of_a_note_do_not_depend_on_its_company(run: RunFolder) -> None:
    predictor = run.predictor()
    together = predictor.predict(NOTES.documents)
    for document, one in zip(NOTES.documents[:3], together, strict=False):
        (alone,) = predictor.predict([document])
        np.testing.assert_allclose(alone.probabilities, one.probabilities, atol=0.01)
    (empty,) = predictor.predict([Document(id="empty", text="")])
    assert empty.probabilities.shape == (0, *run.schema.shape)
