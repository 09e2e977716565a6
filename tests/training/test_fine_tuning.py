from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from transformers import TrainerCallback, pipeline

from raretag.corpus import Corpus
from raretag.corpus.formats import write_corpus
from raretag.errors import DataError, UsageError
from raretag.training import RunFolder, early_stopping, fine_tuning, train
from raretag.training.checkpoints import Checkpoints
from raretag.training.early_stopping import validation_scores
from raretag.training.history import read_history
from raretag.training.plan import plan_training
from raretag.training.run_folder import read_json
from raretag.training.settings import SplitSettings, TrainSettings

from .conftest import StopAt, weights


def test_writes_the_run_folder(tmp_path: Path, small_corpus: Corpus, settings: TrainSettings) -> None:
    run = train(small_corpus, out=tmp_path / "run", settings=settings)
    assert sorted(path.name for path in run.path.iterdir()) == [
        "history.jsonl",
        "manifest.json",
        "model",
        "schema.json",
    ]
    manifest = run.manifest
    assert manifest["status"] == "complete"
    assert manifest["settings"] == settings.model_dump(mode="json")
    assert len(manifest["data"]["train"]) == 16
    assert len(manifest["data"]["test"]) == 4
    assert run.schema.labels == ("Dose", "Rare-sign", "Site", "Symptom")
    assert sum(run.schema.mention_counts) == manifest["training"]["mentions"]
    records = read_history(run.path / "history.jsonl")
    history = [record for record in records if "loss" in record]
    assert history[-1]["loss"] < history[0]["loss"]
    assert {"step", "epoch", "seconds", "loss", "learning_rate", "gradient_norm"} <= history[0].keys()


def test_no_note_text_and_no_pickle_in_the_run_folder(
    tmp_path: Path, small_corpus: Corpus, settings: TrainSettings
) -> None:
    run = train(small_corpus, out=tmp_path / "run", settings=settings)
    for path in run.path.rglob("*"):
        assert path.suffix not in {".pt", ".bin", ".pkl", ".pth"}
        if path.is_file() and path.suffix in {".json", ".jsonl"} and path.parent == run.path:
            assert "patient has" not in path.read_text(encoding="utf-8")


def test_the_same_seed_gives_the_same_weights(tmp_path: Path, small_corpus: Corpus, settings: TrainSettings) -> None:
    first = weights(train(small_corpus, out=tmp_path / "a", settings=settings))
    second = weights(train(small_corpus, out=tmp_path / "b", settings=settings))
    other = weights(train(small_corpus, out=tmp_path / "c", settings=settings.model_copy(update={"seed": 14})))
    assert all(np.array_equal(first[name], second[name]) for name in first)
    assert any(not np.array_equal(first[name], other[name]) for name in first)


@pytest.mark.parametrize("stop", [1, 4, 5, 7])
@pytest.mark.parametrize("validation", [0.0, 0.2])
def test_resumes_to_the_very_same_model(
    tmp_path: Path, small_corpus: Corpus, small_settings: dict[str, Any], stop: int, validation: float
) -> None:
    settings = TrainSettings.model_validate(
        {**small_settings, "split": {"validation": validation}, "checkpoint_seconds": 0}
    )
    whole = train(small_corpus, out=tmp_path / "whole", settings=settings)
    with pytest.raises(KeyboardInterrupt):
        train(small_corpus, out=tmp_path / "cut", settings=settings, callbacks=[StopAt(stop)])
    with pytest.raises(DataError, match="not finished"):
        RunFolder.open(tmp_path / "cut")
    resumed = train(small_corpus, out=tmp_path / "cut", settings=settings, resume=True)
    expected = weights(whole)
    assert all(np.array_equal(expected[name], value) for name, value in weights(resumed).items())

    def steps(run: RunFolder) -> list[tuple[int, float | None]]:
        records = read_history(run.path / "history.jsonl")
        return [(record["step"], record.get("validation_brier")) for record in records if "validation_brier" in record]

    assert steps(resumed) == steps(whole)
    assert not (tmp_path / "cut" / ".resume").exists()


def cut(where: str, *, call: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Break off at the given call of a function of training: just before it does its work, or just after."""
    owner, name, after = {
        "after a checkpoint": (Checkpoints, "on_save", True),
        "before a checkpoint is marked": (Checkpoints, "on_save", False),
        "before the best weights": (early_stopping, "save_weights", False),
        "after the best weights": (early_stopping, "save_weights", True),
        "before the model": (fine_tuning, "save_weights", False),
        "after the model": (fine_tuning, "save_weights", True),
    }[where]
    real = getattr(owner, name)
    calls = 0

    def breaking(*arguments: Any, **named: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == call and not after:
            raise KeyboardInterrupt
        real(*arguments, **named)
        if calls == call:
            raise KeyboardInterrupt

    monkeypatch.setattr(owner, name, breaking)


@pytest.mark.parametrize(
    ("where", "call"),
    [
        ("after a checkpoint", 3),
        ("after a checkpoint", 7),
        ("after a checkpoint", 16),
        ("after a checkpoint", 24),
        ("before a checkpoint is marked", 8),
        ("before the best weights", 1),
        ("before the best weights", 2),
        ("after the best weights", 2),
        ("before the model", 1),
        ("after the model", 1),
    ],
)
def test_early_stopping_resumes_to_the_very_same_model(
    tmp_path: Path,
    small_corpus: Corpus,
    small_settings: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    where: str,
    call: int,
) -> None:
    optimiser = {"epochs": 16, "batch_tokens": 64, "learning_rate": 0.02, "patience": 2}
    settings = TrainSettings.model_validate(
        {**small_settings, "split": {"validation": 0.2}, "optimiser": optimiser, "checkpoint_seconds": 0}
    )
    whole = train(small_corpus, out=tmp_path / "whole", settings=settings)
    with monkeypatch.context() as patched:
        cut(where, call=call, monkeypatch=patched)
        with pytest.raises(KeyboardInterrupt):
            train(small_corpus, out=tmp_path / "cut", settings=settings)
    resumed = train(small_corpus, out=tmp_path / "cut", settings=settings, resume=True)
    expected = weights(whole)
    assert all(np.array_equal(expected[name], value) for name, value in weights(resumed).items())

    def scores(run: RunFolder) -> list[float]:
        return validation_scores(run.path / "history.jsonl")

    assert scores(resumed) == scores(whole)
    assert 3 < len(scores(whole)) < 16


def test_a_diverged_run_ends_with_an_error(
    tmp_path: Path, small_corpus: Corpus, small_settings: dict[str, Any]
) -> None:
    optimiser = {"epochs": 30, "batch_tokens": 64, "learning_rate": 0.99, "head_multiplier": 1e38}
    settings = TrainSettings.model_validate({**small_settings, "optimiser": optimiser})
    with pytest.raises(DataError, match=r"finite.*learning_rate"):
        train(small_corpus, out=tmp_path / "run", settings=settings)
    assert "NaN" not in (tmp_path / "run" / "history.jsonl").read_text(encoding="utf-8")
    with pytest.raises(DataError, match="not finished"):
        RunFolder.open(tmp_path / "run")


def test_a_finished_run_refuses_other_documents(tmp_path: Path, small_corpus: Corpus, settings: TrainSettings) -> None:
    train(small_corpus, out=tmp_path / "run", settings=settings)
    fewer = replace(small_corpus, documents=small_corpus.documents[1:])
    with pytest.raises(UsageError, match="other documents"):
        train(fewer, out=tmp_path / "run", settings=settings, resume=True)
    assert train(small_corpus, out=tmp_path / "run", settings=settings, resume=True).path == tmp_path / "run"


def test_refuses_to_resume_on_another_encoder(
    tmp_path: Path, small_corpus: Corpus, small_settings: dict[str, Any], tiny_encoder: Path
) -> None:
    encoder = tmp_path / "encoder"
    shutil.copytree(tiny_encoder, encoder)
    settings = TrainSettings.model_validate({**small_settings, "encoder": str(encoder)})
    with pytest.raises(KeyboardInterrupt):
        train(small_corpus, out=tmp_path / "run", settings=settings, callbacks=[StopAt(2)])
    changed = load_file(encoder / "model.safetensors")
    save_file({name: 2 * value for name, value in changed.items()}, encoder / "model.safetensors")
    with pytest.raises(UsageError, match="another encoder"):
        train(small_corpus, out=tmp_path / "run", settings=settings, resume=True)


def test_one_training_at_a_time(tmp_path: Path, small_corpus: Corpus, settings: TrainSettings) -> None:
    class Rival(TrainerCallback):
        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            if state.global_step == 2:
                with pytest.raises(UsageError, match="another process is at work"):
                    train(small_corpus, out=tmp_path / "run", settings=settings, resume=True)

    run = train(small_corpus, out=tmp_path / "run", settings=settings, callbacks=[Rival()])
    assert run.manifest["status"] == "complete"


def test_the_manifest_tells_what_the_objective_makes_of_the_prior(
    tmp_path: Path, small_corpus: Corpus, small_settings: dict[str, Any]
) -> None:
    settings = TrainSettings.model_validate(
        {**small_settings, "objective": {"name": "weighted", "gamma": 1, "cap": 50}}
    )
    prior = train(small_corpus, out=tmp_path / "run", settings=settings).manifest["prior"]
    assert sum(prior["empirical"].values()) == pytest.approx(1, abs=1e-6)
    assert sum(prior["effective"].values()) == pytest.approx(1, abs=1e-6)
    assert prior["effective"]["O"] < prior["empirical"]["O"]
    assert prior["effective"]["B-Rare-sign"] > prior["empirical"]["B-Rare-sign"]


def test_survives_sigkill_at_any_moment(tmp_path: Path, small_corpus: Corpus, small_settings: dict[str, Any]) -> None:
    """Kill the real command again and again, a little later each time, until a run gets through."""
    notes, out, config = tmp_path / "notes", tmp_path / "run", tmp_path / "settings.yaml"
    write_corpus(small_corpus, notes, format="brat")
    config.write_text(json.dumps({**small_settings, "checkpoint_seconds": 0, "split": {"validation": 0.1}}))
    command = [sys.executable, "-c", "from raretag.cli import main; main()"]
    command += ["train", str(notes), "--out", str(out), "--config", str(config), "--resume"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    kills, patience = 0, 2.5
    while True:
        process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE)
        try:
            _, errors = process.communicate(timeout=patience)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.communicate()
            kills, patience = kills + 1, patience * 1.25
            assert kills < 30, "the run never got through"
            if (out / "manifest.json").exists():
                assert json.loads((out / "manifest.json").read_text())["status"] in {"training", "complete"}
            continue
        assert process.returncode == 0, errors.decode()
        break
    assert kills > 0
    assert RunFolder.open(out).manifest["status"] == "complete"
    assert RunFolder.open(out).predictor() is not None


def test_killed_while_saving_the_model(tmp_path: Path, small_corpus: Corpus, settings: TrainSettings) -> None:
    out = tmp_path / "run"
    run = train(small_corpus, out=out, settings=settings)
    manifest = {**run.manifest, "status": "training"}
    (out / "manifest.json").write_text(json.dumps(manifest))
    (out / "model" / "model.safetensors").unlink()
    (out / ".model.writing").mkdir()
    resumed = train(small_corpus, out=out, settings=settings, resume=True)
    assert (resumed.path / "model" / "model.safetensors").exists()
    assert not (out / ".model.writing").exists()


def test_a_transformers_pipeline_loads_the_model(tmp_path: Path, small_corpus: Corpus, settings: TrainSettings) -> None:
    run = train(small_corpus, out=tmp_path / "run", settings=settings)
    tagger = pipeline("token-classification", model=str(run.path / "model"), aggregation_strategy="simple")
    found = tagger("the patient has fever and cough")
    assert found
    assert {one["entity_group"] for one in found} <= set(run.schema.labels)


def test_tags_never_seen_are_never_predicted(tmp_path: Path, small_corpus: Corpus, settings: TrainSettings) -> None:
    run = train(small_corpus, out=tmp_path / "run", settings=settings)
    unseen = [number for number, tag in enumerate(run.schema.tags) if tag == "I-Symptom"]
    assert not run.schema.seen[unseen].any()
    for judged in run.predictor().predict(small_corpus.documents):
        assert (judged.probabilities[:, unseen] == 0).all()
        assert np.allclose(judged.probabilities.sum(axis=1), 1, atol=1e-5)


def test_early_stopping_keeps_the_best_weights(
    tmp_path: Path, small_corpus: Corpus, small_settings: dict[str, Any]
) -> None:
    settings = TrainSettings.model_validate(
        {
            **small_settings,
            "split": {"validation": 0.2},
            "optimiser": {"epochs": 40, "batch_tokens": 64, "learning_rate": 0.3, "patience": 2},
        }
    )
    run = train(small_corpus, out=tmp_path / "run", settings=settings)
    scores = [r["validation_brier"] for r in read_history(run.path / "history.jsonl") if "validation_brier" in r]
    assert len(scores) < 40
    assert len(scores) - 1 - scores.index(min(scores)) == 2

    from raretag.training.validation import brier_score

    held_out = [d for d in small_corpus.documents if d.id in run.manifest["data"]["validation"]]
    again = brier_score(run.predictor(), held_out, schema=run.schema, overlaps="longest")
    assert again == pytest.approx(min(scores), abs=2e-3)


def test_official_parts_are_kept(tmp_path: Path, small_corpus: Corpus, settings: TrainSettings) -> None:
    parts = ["train"] * 14 + ["validation"] * 2 + ["test"] * 4
    documents = tuple(
        replace(document, metadata={"split": part})
        for document, part in zip(small_corpus.documents, parts, strict=True)
    )
    told: list[str] = []
    corpus = replace(small_corpus, documents=documents)
    run = train(corpus, out=tmp_path / "run", settings=settings, announce=told.append)
    assert told[0] == "documents: 14 to train, 2 to validate, 4 to test (the corpus' own parts)"
    other = settings.model_copy(update={"split": SplitSettings(test=0.5)})
    with pytest.raises(UsageError, match="its own parts"):
        train(corpus, out=tmp_path / "other", settings=other)
    assert list(run.manifest["data"]["test"]) == [d.id for d in documents[16:]]
    assert len(run.manifest["data"]["validation"]) == 2


def test_broken_off_while_the_first_manifest_was_written(
    tmp_path: Path, small_corpus: Corpus, settings: TrainSettings
) -> None:
    out = tmp_path / "run"
    (out / ".resume").mkdir(parents=True)
    (out / ".manifest.json.4242.writing").write_text('{"status": "trai')
    assert train(small_corpus, out=out, settings=settings, resume=True).manifest["status"] == "complete"


def test_what_comes_after_training_is_kept_from_the_start_and_compared(
    tmp_path: Path, small_corpus: Corpus, settings: TrainSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken_off(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    out, asked = tmp_path / "run", {"recipe": "plain", "after": {"policy": {"rule": "thresholds"}}}
    with monkeypatch.context() as patched:
        patched.setattr("raretag.training.fine_tuning.fit", broken_off)
        with pytest.raises(KeyboardInterrupt):
            train(small_corpus, out=out, settings=settings, recipe=asked)
    for other in ({"recipe": "plain", "after": {}}, {"recipe": "plain", "after": {"policy": {"rule": "argmax"}}}):
        with pytest.raises(UsageError, match="another calibration or policy"):
            train(small_corpus, out=out, settings=settings, resume=True, recipe=other)
    run = train(small_corpus, out=out, settings=settings, resume=True, recipe=asked)
    assert json.loads((run.path / "recipe.json").read_text(encoding="utf-8")) == asked
    bare = train(small_corpus, out=tmp_path / "bare", settings=settings, recipe={"recipe": None, "after": {}})
    assert not (bare.path / "recipe.json").exists()


def test_refuses_a_folder_that_is_taken(tmp_path: Path, small_corpus: Corpus, settings: TrainSettings) -> None:
    (tmp_path / "file.txt").write_text("something")
    with pytest.raises(UsageError, match="not empty"):
        train(small_corpus, out=tmp_path, settings=settings)
    with pytest.raises(UsageError, match="not a run folder"):
        train(small_corpus, out=tmp_path, settings=settings, resume=True)
    with pytest.raises(UsageError, match="a file"):
        train(small_corpus, out=tmp_path / "file.txt", settings=settings)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file.txt"]


def test_refuses_to_resume_with_other_settings_or_data(
    tmp_path: Path, small_corpus: Corpus, settings: TrainSettings
) -> None:
    with pytest.raises(KeyboardInterrupt):
        train(small_corpus, out=tmp_path / "run", settings=settings, callbacks=[StopAt(2)])
    with pytest.raises(UsageError, match="other settings"):
        train(small_corpus, out=tmp_path / "run", settings=settings.model_copy(update={"seed": 1}), resume=True)
    fewer = replace(small_corpus, documents=small_corpus.documents[1:])
    with pytest.raises(UsageError, match="other documents"):
        train(fewer, out=tmp_path / "run", settings=settings, resume=True)


def test_nothing_to_learn_from(tmp_path: Path, small_corpus: Corpus, settings: TrainSettings) -> None:
    bare = tuple(replace(document, mentions=()) for document in small_corpus.documents)
    with pytest.raises(DataError, match="no mention at all"):
        train(replace(small_corpus, documents=bare), out=tmp_path / "run", settings=settings)
    assert not (tmp_path / "run").exists()


def test_a_run_that_another_process_finished_meanwhile_is_taken_as_it_is(
    tmp_path: Path, small_corpus: Corpus, settings: TrainSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the first look at the folder and its lock."""
    plan = plan_training
    out = tmp_path / "run"
    finished: list[str] = []

    def while_planning(*arguments: Any, **named: Any) -> Any:
        if not finished:
            finished.append("begun")
            train(small_corpus, out=out, settings=settings)
            finished.append(str(read_json(out / "manifest.json")["finished"]))
        return plan(*arguments, **named)

    monkeypatch.setattr(fine_tuning, "plan_training", while_planning)
    run = train(small_corpus, out=out, settings=settings)
    assert run.manifest["finished"] == finished[1]
    assert not (out / ".resume").exists()


def test_how_often_is_written_down_does_not_make_another_run(
    tmp_path: Path, small_corpus: Corpus, small_settings: dict[str, Any]
) -> None:
    first = TrainSettings.model_validate({**small_settings, "ledger_steps": 5})
    other = TrainSettings.model_validate({**small_settings, "ledger_steps": 0, "checkpoint_seconds": 1})
    run = train(small_corpus, out=tmp_path / "run", settings=first)
    again = train(small_corpus, out=tmp_path / "run", settings=other, resume=True)
    assert again.manifest == run.manifest


def test_a_patience_without_effect_is_refused(
    tmp_path: Path, small_corpus: Corpus, small_settings: dict[str, Any]
) -> None:
    optimiser = {**small_settings["optimiser"], "patience": 1}
    settings = TrainSettings.model_validate({**small_settings, "optimiser": optimiser, "split": {"validation": 0.0}})
    with pytest.raises(UsageError, match=r"optimiser\.patience would have no effect"):
        train(small_corpus, out=tmp_path / "run", settings=settings)
    assert not (tmp_path / "run").exists()
