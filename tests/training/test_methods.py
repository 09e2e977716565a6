"""Objective, sampler, ledger and second stage as settings ask for them, in a training that really runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from raretag.corpus import Corpus
from raretag.errors import UsageError
from raretag.training import train
from raretag.training.history import read_history
from raretag.training.ledger_records import read_ledger
from raretag.training.settings import TrainSettings
from raretag.training.settings_file import load_settings

from .conftest import StopAt, weights


@pytest.mark.parametrize(
    "asked",
    [
        {"objective": {"name": "soft-macro-f1"}},
        {"objective": {"name": "btl", "weight": "batch"}},
        {"objective": {"name": "weighted", "start": 0.5}, "regularisers": {"prior-kl": {}}},
        {"sampler": {"name": "repeat-factor", "start": 0.5}},
        {"sampler": {"name": "outside-thinning"}},
        {"augmentation": {"replacement": 0.5, "masking": 0.2}},
        {"sampler": {"name": "progressive"}, "second_stage": {"name": "crt", "epochs": 2}},
    ],
    ids=[
        "running-counts",
        "per-class",
        "deferred-loss",
        "deferred-sampler",
        "thinning",
        "augmentation",
        "second-stage",
    ],
)
@pytest.mark.parametrize("stop", [3, 8])
def test_resumes_to_the_very_same_model(
    asked: dict[str, Any], stop: int, tmp_path: Path, small_corpus: Corpus, small_settings: dict[str, Any]
) -> None:
    """Also with statistics that a loss has gathered, batches drawn anew, and in the middle of an epoch."""
    settings = TrainSettings.model_validate({**small_settings, **asked, "checkpoint_seconds": 0})
    whole = train(small_corpus, out=tmp_path / "whole", settings=settings)
    with pytest.raises(KeyboardInterrupt):
        train(small_corpus, out=tmp_path / "cut", settings=settings, callbacks=[StopAt(stop)])
    resumed = train(small_corpus, out=tmp_path / "cut", settings=settings, resume=True)
    expected = weights(whole)
    assert all(np.array_equal(expected[name], value) for name, value in weights(resumed).items())
    books = [read_ledger(run.path / "history.jsonl") for run in (whole, resumed)]
    np.testing.assert_array_equal(books[0].steps, books[1].steps)
    np.testing.assert_array_equal(books[0].loss, books[1].loss)


def test_the_ledger_is_in_the_history(tmp_path: Path, small_corpus: Corpus, small_settings: dict[str, Any]) -> None:
    settings = TrainSettings.model_validate({**small_settings, "ledger_steps": 4})
    run = train(small_corpus, out=tmp_path / "run", settings=settings)
    books = read_ledger(run.path / "history.jsonl")
    last = max(record["step"] for record in read_history(run.path / "history.jsonl"))
    assert books.labels == ("O", *run.schema.labels)
    assert books.steps.tolist() == sorted({*range(4, last + 1, 4), last})
    epochs = settings.optimiser.epochs
    assert books.targets.sum() == epochs * sum(run.schema.tag_counts)
    np.testing.assert_allclose(books.gradient_share.sum(axis=1), 1, atol=1e-4)


def test_no_ledger_where_none_is_asked_for(
    tmp_path: Path, small_corpus: Corpus, small_settings: dict[str, Any]
) -> None:
    """It does not change the model either."""
    runs = [
        train(
            small_corpus,
            out=tmp_path / str(steps),
            settings=TrainSettings.model_validate({**small_settings, "ledger_steps": steps}),
        )
        for steps in (0, 3)
    ]
    assert all("ledger" not in record for record in read_history(runs[0].path / "history.jsonl"))
    first, second = map(weights, runs)
    assert all(np.array_equal(first[name], value) for name, value in second.items())


def test_a_second_stage_changes_the_head_alone(
    tmp_path: Path, small_corpus: Corpus, small_settings: dict[str, Any]
) -> None:
    plain = train(small_corpus, out=tmp_path / "plain", settings=TrainSettings.model_validate(small_settings))
    settings = TrainSettings.model_validate({**small_settings, "second_stage": {"name": "tau-norm", "tau": 1.0}})
    staged = train(small_corpus, out=tmp_path / "staged", settings=settings)
    before, after = weights(plain), weights(staged)
    assert {name for name in before if not np.array_equal(before[name], after[name])} == {
        "classifier.weight",
        "classifier.bias",
    }
    norms = np.linalg.norm(before["classifier.weight"], axis=1)
    seen = plain.schema.seen
    np.testing.assert_allclose(
        after["classifier.weight"][seen] * norms[seen, None], before["classifier.weight"][seen], rtol=1e-4
    )
    told = staged.manifest
    assert told["second_stage"]["known_from"] == "measure"
    assert told["prior"]["effective"] == told["second_stage"]["measured"]
    assert "second_stage" not in plain.manifest


def test_the_manifest_tells_the_prior_of_loss_and_sampler_together(
    tmp_path: Path, small_corpus: Corpus, small_settings: dict[str, Any]
) -> None:
    """BTL on masked batches: every batch is half O in loss mass, if weighted within the batch."""
    asked = {"objective": {"name": "btl", "weight": "batch", "reduction": "weighted-mean"}}
    run = train(small_corpus, out=tmp_path / "run", settings=TrainSettings.model_validate({**small_settings, **asked}))
    prior = run.manifest["prior"]
    assert prior["effective"]["O"] == pytest.approx(0.5, abs=0.02)
    assert prior["empirical"]["O"] > 0.6
    assert sum(prior["effective"].values()) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("objective.gama=1", "did you mean gamma"),
        ("sampler.keeps=1", "did you mean keep"),
        ("head.scal=1", "did you mean scale"),
        ("second_stage.tua=1", "did you mean tau"),
        ("regularisers.prior-kl.strenght=1", "did you mean strength"),
        ("regularisers.prior=1", "regularisers.prior"),
        ("regularisers={nothing: {}}", "there are: prior-kl"),
        ("second_stage={epochs: 2}", "without a second stage's name"),
        ("sampler={keep: 0.5}", "sampler.keep: there is no such key; options of length-bucketed: none"),
        ("sampler.start=0.5", "sampler.start: has no effect on length-bucketed"),
        ("objective.start=0.5", "objective.start: has no effect on cross-entropy"),
        ("objective.name=focl", "objective.name: there is no objective 'focl'; did you mean focal?"),
        ("objective.name=unheard", "objective.name: there is no objective 'unheard'; there are: cross-entropy"),
        (
            "second_stage={name: crt, objective: boundary-smoothing}",
            "second_stage.objective: 'boundary-smoothing' looks",
        ),
        ("second_stage={name: crt, objective: focl}", "second_stage.objective: no such objective"),
        (
            "second_stage={name: crt, objective: focal, objective_options: {gama: 1}}",
            "second_stage.objective_options.gama: there is no such key; did you mean gamma?",
        ),
        (
            "second_stage={name: crt, objective: focal, objective_options: {gamma: -1}}",
            "second_stage.objective_options.gamma: Input should be",
        ),
        (
            "second_stage={name: crt, objective_options: {tau: 1}}",
            "second_stage.objective_options.tau: there is no such key; options of cross-entropy: none",
        ),
        ("sampler.name=shuffled", "there are: length-bucketed"),
        ("objective.start=1", "objective.start: Input should be less than 1"),
        ("ledger_steps=-1", "ledger_steps: Input should be greater than or equal to 0"),
    ],
)
def test_a_wrong_setting_is_told_with_what_is_allowed(override: str, told: str) -> None:
    names = {
        "objective.gama": ["objective.name=weighted"],
        "sampler.keeps": ["sampler.name=outside-thinning"],
        "head.scal": ["head.name=cosine"],
        "second_stage.tua": ["second_stage.name=tau-norm"],
    }
    with pytest.raises(UsageError) as caught:
        load_settings(overrides=[*names.get(override.split("=")[0], []), override])
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        (["objective.name=ldam"], "needs head.name to be cosine"),
        (["objective.name=ldam", "head={name: cosine, scale: 8}"], "ldam needs them alike"),
        (["objective.name=btl", "sampler.othrs=relabel"], r"sampler\.othrs: .*did you mean others"),
        (["objective.name=btl", "sampler.others=all"], r"sampler\.others: Input should be 'mask', 'relabel' or 'keep'"),
        (["objective.name=btl", "sampler={name: length-bucketed, start: 0.5}"], r"sampler\.start: has no effect"),
        (["objective.name=seesaw", "head.name=per-label"], "needs head.name to be softmax or cosine"),
        (["second_stage.name=crt", "head.name=per-label"], "needs head.name to be softmax"),
    ],
)
def test_methods_that_do_not_go_together_are_refused(overrides: list[str], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        load_settings(overrides=overrides)


def test_too_little_text_for_a_batch_is_told(
    tmp_path: Path, small_corpus: Corpus, small_settings: dict[str, Any]
) -> None:
    optimiser = {**small_settings["optimiser"], "batch_tokens": 100_000}
    settings = TrainSettings.model_validate({**small_settings, "optimiser": optimiser})
    with pytest.raises(UsageError, match="fewer than a batch of 100000 tokens"):
        train(small_corpus, out=tmp_path / "run", settings=settings)
