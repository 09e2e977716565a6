"""What training promises holds with every head: the run folder, resuming, early stopping, closed tags, loading."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file
from transformers import AutoModel

from raretag.corpus import Corpus
from raretag.errors import DataError
from raretag.evaluation.run import evaluate_run
from raretag.training import RunFolder, train
from raretag.training.early_stopping import validation_scores
from raretag.training.heads import HEADS
from raretag.training.settings import TrainSettings

from .conftest import StopAt, weights


@pytest.fixture(params=list(HEADS))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def head_settings(small_settings: dict[str, Any], name: str) -> dict[str, Any]:
    return {**small_settings, "head": {"name": name}}


@pytest.mark.parametrize("stop", [5, 16])
def test_resumes_to_the_very_same_model(
    tmp_path: Path, small_corpus: Corpus, head_settings: dict[str, Any], stop: int
) -> None:
    optimiser = {"epochs": 12, "batch_tokens": 64, "learning_rate": 0.02, "patience": 2}
    settings = TrainSettings.model_validate(
        {**head_settings, "split": {"validation": 0.2}, "optimiser": optimiser, "checkpoint_seconds": 0}
    )
    whole = train(small_corpus, out=tmp_path / "whole", settings=settings)
    with pytest.raises(KeyboardInterrupt):
        train(small_corpus, out=tmp_path / "cut", settings=settings, callbacks=[StopAt(stop)])
    resumed = train(small_corpus, out=tmp_path / "cut", settings=settings, resume=True)
    expected = weights(whole)
    assert expected.keys() == weights(resumed).keys()
    assert all(np.array_equal(expected[key], value) for key, value in weights(resumed).items())
    scores = [validation_scores(run.path / "history.jsonl") for run in (whole, resumed)]
    assert scores[0] == scores[1]
    assert min(scores[0]) < scores[0][0]


def test_what_is_saved_is_what_was_trained(tmp_path: Path, small_corpus: Corpus, head_settings: dict[str, Any]) -> None:
    run = train(small_corpus, out=tmp_path / "run", settings=TrainSettings.model_validate(head_settings))
    schema = run.schema
    assert schema.layered == HEADS[head_settings["head"]["name"]].method.layered
    judged = run.predictor().predict(small_corpus.documents)
    again = RunFolder.open(run.path).predictor().predict(small_corpus.documents)
    for one, other in zip(judged, again, strict=True):
        assert np.array_equal(one.probabilities, other.probabilities)
        assert one.probabilities.dtype == np.float32
        assert one.probabilities.shape == (len(one.tokens), *schema.shape)
        assert np.allclose(one.probabilities.sum(axis=-1), 1, atol=1e-5)
        flat = one.probabilities[:, :, 1:].reshape(len(one.tokens), -1) if schema.layered else one.probabilities[:, 1:]
        assert (flat[:, ~schema.seen[1:]] == 0).all()
    assert not schema.seen.all()
    assert evaluate_run(run, small_corpus.documents, resamples=0).mentions.strict.micro.gold > 0


def test_the_folder_does_not_pretend(tmp_path: Path, small_corpus: Corpus, head_settings: dict[str, Any]) -> None:
    """Where Hugging Face cannot express the head, the folder is an encoder's: no classifier, no names of tags."""
    run = train(small_corpus, out=tmp_path / "run", settings=TrainSettings.model_validate(head_settings))
    encoder = AutoModel.from_pretrained(run.path / "model", add_pooling_layer=False)
    predictor = run.predictor()
    trained = predictor.model.base_model.state_dict()
    assert all(torch.equal(value, trained[key]) for key, value in encoder.state_dict().items())
    plain = HEADS[head_settings["head"]["name"]].method.plain
    assert (run.path / "model" / "head.safetensors").exists() != plain
    assert ("B-Symptom" in encoder.config.id2label.values()) == plain
    assert any("classifier" in key for key in load_file(run.path / "model" / "model.safetensors")) == plain


def test_a_head_of_other_tags_or_cut_in_half_is_refused(
    tmp_path: Path, small_corpus: Corpus, head_settings: dict[str, Any]
) -> None:
    run = train(small_corpus, out=tmp_path / "run", settings=TrainSettings.model_validate(head_settings))
    schema = (run.path / "schema.json").read_text(encoding="utf-8")
    (run.path / "schema.json").write_text(schema.replace("Symptom", "Other"), encoding="utf-8")
    with pytest.raises(DataError, match="tags differ"):
        run.predictor()
    (run.path / "schema.json").write_text(schema, encoding="utf-8")
    if not HEADS[head_settings["head"]["name"]].method.plain:
        file = run.path / "model" / "head.safetensors"
        file.write_bytes(file.read_bytes()[:-8])
        with pytest.raises(DataError, match="cannot be loaded"):
            run.predictor()


@pytest.mark.parametrize(
    ("objective", "regularisers"),
    [
        ({"name": "btl", "weight": "batch"}, {}),
        ({"name": "soft-macro-f1"}, {}),
        ({"name": "weighted"}, {"prior-kl": {}}),
    ],
)
def test_a_loss_for_each_label_resumes_with_all_it_has_gathered(
    tmp_path: Path,
    small_corpus: Corpus,
    small_settings: dict[str, Any],
    objective: dict[str, Any],
    regularisers: dict[str, Any],
) -> None:
    settings = TrainSettings.model_validate(
        {
            **small_settings,
            "head": {"name": "per-label"},
            "objective": {**objective, "start": 0.2},
            "regularisers": regularisers,
            "checkpoint_seconds": 0,
        }
    )
    whole = train(small_corpus, out=tmp_path / "whole", settings=settings)
    with pytest.raises(KeyboardInterrupt):
        train(small_corpus, out=tmp_path / "cut", settings=settings, callbacks=[StopAt(5)])
    expected = weights(whole)
    resumed = weights(train(small_corpus, out=tmp_path / "cut", settings=settings, resume=True))
    assert all(np.array_equal(expected[key], value) for key, value in resumed.items())
    prior = whole.manifest["prior"]["effective"]
    assert list(prior) == list(whole.schema.labels)
    assert all(sum(row.values()) == pytest.approx(1, abs=1e-6) for row in prior.values())
