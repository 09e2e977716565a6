from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from raretag.corpus import Corpus
from raretag.errors import DataError, UsageError
from raretag.tagging import Schema
from raretag.training import RunFolder, TrainSettings, train
from raretag.training.model import tag_head
from raretag.training.second_stage import SECOND_STAGES, Features, retrain_head, second_stage_run


@pytest.fixture
def run(tmp_path: Path, small_corpus: Corpus, settings: TrainSettings) -> RunFolder:
    return train(small_corpus, out=tmp_path / "run", settings=settings)


def test_a_run_gets_another_head(tmp_path: Path, run: RunFolder, small_corpus: Corpus) -> None:
    before = load_file(run.path / "model" / "model.safetensors")
    run.write("recipe.json", {"recipe": "plain", "after": {"policy": {"rule": "argmax"}}})
    for name in SECOND_STAGES:
        new = second_stage_run(run, small_corpus, out=tmp_path / name, name=name)
        after = load_file(new.path / "model" / "model.safetensors")
        changed = {key for key in before if not np.array_equal(before[key], after[key])}
        assert changed == {"classifier.weight", "classifier.bias"}
        manifest = new.manifest
        assert manifest["second_stage"]["name"] == name
        assert manifest["second_stage"]["parent"]["name"] == "run"
        assert manifest["settings"]["second_stage"] == {"name": name}
        assert (new.path / "recipe.json").read_text() == (run.path / "recipe.json").read_text()
        assert manifest["prior"]["empirical"] == run.manifest["prior"]["empirical"]
        assert manifest["prior"]["effective"] != run.manifest["prior"]["effective"]
        assert sum(manifest["prior"]["effective"].values()) == pytest.approx(1, abs=1e-6)
        assert new.schema == run.schema
        judged = new.predictor().predict(small_corpus.documents[:2])
        np.testing.assert_allclose(judged[0].probabilities.sum(axis=1), 1, rtol=1e-5)
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_without_effect_it_is_the_run_itself(tmp_path: Path, run: RunFolder, small_corpus: Corpus) -> None:
    new = second_stage_run(run, small_corpus, out=tmp_path / "new", name="tau-norm", options={"tau": 0})
    before, after = (load_file(one.path / "model" / "model.safetensors") for one in (run, new))
    assert all(np.array_equal(before[key], after[key]) for key in before)


def test_other_documents_are_refused(tmp_path: Path, run: RunFolder, small_corpus: Corpus) -> None:
    documents = small_corpus.documents
    name = next(iter(run.manifest["data"]["train"]))
    place = next(number for number, document in enumerate(documents) if document.id == name)
    fewer = replace(small_corpus, documents=documents[:place] + documents[place + 1 :])
    with pytest.raises(DataError, match="1 of the run's 16 training documents"):
        second_stage_run(run, fewer, out=tmp_path / "new", name="crt")
    bare = replace(documents[place], mentions=())
    other = replace(small_corpus, documents=(*documents[:place], bare, *documents[place + 1 :]))
    with pytest.raises(DataError, match="other annotations"):
        second_stage_run(run, other, out=tmp_path / "new", name="crt")
    # as many mentions and tags of each label, but not the same ones
    first = min(documents[place].mentions, key=lambda one: one.start)
    moved = replace(first, start=first.start - 4, end=first.end - 4)
    turned = replace(documents[place], mentions=tuple(moved if m is first else m for m in documents[place].mentions))
    other = replace(small_corpus, documents=(*documents[:place], turned, *documents[place + 1 :]))
    with pytest.raises(DataError, match="other annotations"):
        second_stage_run(run, other, out=tmp_path / "new", name="crt")
    with pytest.raises(UsageError, match="exists already"):
        second_stage_run(run, small_corpus, out=run.path, name="crt")
    with pytest.raises(UsageError, match="no second stage"):
        second_stage_run(run, small_corpus, out=tmp_path / "new", name="ncm")
    assert not (tmp_path / "new").exists()


def test_only_the_softmax_head(run: RunFolder, features: Features, schema: Schema) -> None:
    model = run.predictor().model
    with pytest.raises(UsageError, match="needs the softmax head"):
        retrain_head(model, features, schema=schema, name="crt")
    assert tag_head(model).out_features == len(run.schema.tags)
