"""From a run and documents to its calibration: which documents, out of fold, what is written, what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from raretag.corpus import Corpus
from raretag.corpus.demo import demo_corpus
from raretag.corpus.fingerprints import gold_hash
from raretag.errors import DataError, UsageError
from raretag.probability import Scores, mention_probabilities
from raretag.probability.calibrated import CALIBRATION, Calibrated
from raretag.probability.calibrating import calibrate, cross_calibrated
from raretag.probability.calibration_data import GOLD, held_out_data, load_data, out_of_fold_data, save_data
from raretag.probability.run_context import context_of
from raretag.training import RunFolder, train
from raretag.training.settings import TrainSettings

METHOD = "bias-corrected-temperature"


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    """Forty-two notes: the run splits the first thirty; the others it has never seen."""
    return demo_corpus(documents=42)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, tiny_encoder: Path, corpus: Corpus) -> RunFolder:
    """A run of a tiny encoder on the first thirty notes."""
    settings = {"encoder": str(tiny_encoder), "optimiser": {"epochs": 2, "learning_rate": 0.02}}
    known = Corpus(documents=corpus.documents[:30], format=corpus.format)
    return train(known, out=tmp_path_factory.mktemp("runs") / "run", settings=TrainSettings.model_validate(settings))


def test_documents_of_the_run_are_never_calibrated_on(run: RunFolder, corpus: Corpus) -> None:
    data = held_out_data(run, corpus)
    assert sorted(one.id for one in data.gold) == sorted(document.id for document in corpus.documents[30:])
    known = {text for part in ("train", "validation", "test") for text in run.manifest["data"][part].values()}
    assert not known & {one.fingerprint for one in data.gold}
    with pytest.raises(DataError, match="all 30 documents of these data belong"):
        held_out_data(run, Corpus(documents=corpus.documents[:30]))


def test_what_was_judged_is_read_again_without_text(run: RunFolder, corpus: Corpus) -> None:
    data = held_out_data(run, corpus)
    assert not (run.path / GOLD).exists()
    save_data(run, data)
    again = load_data(run)
    assert again.gold == data.gold
    for one, other, tags, others in zip(data.scores, again.scores, data.tags, again.tags, strict=True):
        assert (one.probabilities == other.probabilities).all()
        assert (tags == others).all()
    texts = [document.text for document in corpus.documents]
    stored = (run.path / GOLD).read_text(encoding="utf-8")
    assert not any(line in stored for text in texts for line in text.splitlines() if len(line) > 12)


def test_a_patient_is_in_one_part(run: RunFolder, corpus: Corpus) -> None:
    data = held_out_data(run, corpus)
    parts = data.parts(5, seed=0)
    assert sorted(number for part in parts for number in part) == list(range(len(data.gold)))
    homes = [{data.gold[number].blank.unit for number in part} for part in parts]
    assert not any(one & other for place, one in enumerate(homes) for other in homes[:place])


def test_calibration_is_written_read_and_applied_alike(run: RunFolder, corpus: Corpus) -> None:
    data = held_out_data(run, corpus)
    fitted = calibrate(data, method=METHOD, options={"ridge": 2.0}, context=context_of(run))
    run.write(CALIBRATION, fitted.to_json())
    again = Calibrated.of(run)
    assert again is not None
    assert again.documents == {one.id: one.fingerprint for one in data.gold}
    assert again.sha256 == gold_hash(data.gold)
    assert again.options == {"ridge": 2.0}
    raw = data.scores[0]
    np.testing.assert_array_equal(fitted.scores(raw).probabilities, again.scores(raw).probabilities)
    found, found_again = fitted.candidates(raw), again.candidates(raw)
    np.testing.assert_allclose(found.probabilities, found_again.probabilities)
    mentions = [found.mention(number, schema=run.schema) for number in range(len(found))]
    told = again.mention_probabilities(raw, mentions)
    np.testing.assert_allclose(np.array(told, dtype=float), found.probabilities, atol=1e-9)
    assert mentions
    assert told != mention_probabilities(raw, mentions, schema=run.schema)


def test_a_damaged_calibration_is_told(run: RunFolder, corpus: Corpus) -> None:
    fitted = calibrate(held_out_data(run, corpus), method=METHOD, options={}, context=context_of(run)).to_json()
    damages: list[dict[str, object]] = [
        {"method": "unheard-of"},
        {"tokens": {"scale": "x"}},
        {"mentions": {}},
        {"fitted_on": {}},
    ]
    for damaged in damages:
        run.write(CALIBRATION, {**fitted, **damaged})
        with pytest.raises(DataError, match="Calibrate again"):
            Calibrated.of(run)
    (run.path / CALIBRATION).unlink()
    assert Calibrated.of(run) is None


def test_no_document_is_calibrated_by_itself(run: RunFolder, corpus: Corpus) -> None:
    data = held_out_data(run, corpus)
    fitted = cross_calibrated(data, method=METHOD, options={}, context=context_of(run))
    assert all(gold.id not in one.documents for gold, one in zip(data.gold, fitted, strict=True))
    assert all(7 <= len(one.documents) < 12 for one in fitted)


def test_out_of_fold_every_training_document_and_no_other(run: RunFolder, corpus: Corpus) -> None:
    data = out_of_fold_data(run, corpus, folds=2)
    assert {one.id: one.fingerprint for one in data.gold} == run.manifest["data"]["train"]
    assert data.folds == 2
    assert not (run.path / ".folds").exists()
    save_data(run, data)
    assert load_data(run).folds == 2
    by_the_run = {one.document: one.probabilities for one in run_scores(run, corpus)}
    assert all((one.probabilities != by_the_run[one.document]).any() for one in data.scores)
    lacking = Corpus(documents=tuple(d for d in corpus.documents if d.id != data.gold[3].id))
    with pytest.raises(DataError, match=f"1 of the run's .* training documents .*{data.gold[3].id}"):
        out_of_fold_data(run, lacking, folds=2)


def run_scores(run: RunFolder, corpus: Corpus) -> list[Scores]:
    from raretag.probability import score

    return list(score(run.predictor(), corpus.documents))


def test_a_run_that_was_not_calibrated_is_told(tmp_path: Path, run: RunFolder) -> None:
    import shutil

    copy = tmp_path / "run"
    shutil.copytree(run.path, copy)
    (copy / GOLD).unlink(missing_ok=True)
    with pytest.raises(UsageError, match="not been calibrated"):
        load_data(RunFolder.open(copy))


def test_other_folds_are_other_models(run: RunFolder, corpus: Corpus) -> None:
    two, three = (out_of_fold_data(run, corpus, folds=folds) for folds in (2, 3))
    assert (two.folds, three.folds) == (2, 3)
    assert any((a.probabilities != b.probabilities).any() for a, b in zip(two.scores, three.scores, strict=True))


@pytest.mark.parametrize("method", ["prior-restore", "expectation-maximisation", "marginal-matching"])
def test_notes_that_nobody_annotated_do_not_say_that_nothing_is_there(
    run: RunFolder, corpus: Corpus, method: str
) -> None:
    plain = Corpus(documents=tuple(replace(one, mentions=()) for one in corpus.documents[30:]))
    data = held_out_data(run, plain)
    assert not data.has_gold
    fitted = calibrate(data, method=method, options={}, context=context_of(run))
    raw = data.scores[0]
    found = fitted.candidates(raw)
    mentions = [found.mention(number, schema=run.schema) for number in range(len(found))]
    own = mention_probabilities(raw, mentions, schema=run.schema)
    np.testing.assert_allclose(found.probabilities, np.array(own, dtype=float), atol=2e-6)
    with pytest.raises(DataError, match="gold tag"):
        calibrate(data, method=METHOD, options={}, context=context_of(run))


def test_one_document_is_too_few_for_a_fit_that_has_not_seen_it(run: RunFolder, corpus: Corpus) -> None:
    data = held_out_data(run, Corpus(documents=corpus.documents[30:31]))
    with pytest.raises(DataError, match="too few"):
        cross_calibrated(data, method=METHOD, options={}, context=context_of(run))
