"""The judge that trains: it sees no test document, and trains once what trains alike."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from raretag.corpus import Corpus
from raretag.corpus.demo import demo_corpus
from raretag.decision.after_training import AfterTraining
from raretag.evaluation import calibration_report as report
from raretag.experiments.cross_validation import TRAININGS, Cell, cross_validated, run_cells
from raretag.experiments.tuning.best import best_text
from raretag.experiments.tuning.cheap import restaged
from raretag.experiments.tuning.tune import contestant_of, folds_of, tune
from raretag.experiments.tuning.verdict import Verdict, verdict_of
from raretag.mapped_arrays import load_arrays
from raretag.probability import ScoreCache
from raretag.probability.calibrating import cross_calibrated
from raretag.probability.calibration_data import SCORES
from raretag.probability.run_context import context_of
from raretag.probability.score_cache import text_key
from raretag.training import train
from raretag.training.run_folder import RunFolder
from raretag.training.settings import TrainSettings
from raretag.training.settings_file import load_recipe

from .conftest import TaskOf

QUICK = ("optimiser.learning_rate=0.02", "precision=float32")
HEADS = """
second_stage.name: {choices: [null, tau-norm]}
second_stage.tau: {low: 0.1, high: 1.0, when: {second_stage.name: tau-norm}}
calibration.name: {choices: [temperature, vector]}
"""


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return demo_corpus(documents=10)


@pytest.fixture
def quick(task: TaskOf, tiny_encoder: Path) -> TaskOf:
    return lambda **other: task(
        encoder=str(tiny_encoder), overrides=(*QUICK, *other.pop("overrides", ("optimiser.epochs=1",))), **other
    )


def seen(out: Path) -> set[str]:
    """Every text that a run in `out` learned from or judged."""
    found: set[str] = set()
    for manifest in out.rglob("manifest.json"):
        for part in RunFolder(manifest.parent).manifest["data"].values():
            if isinstance(part, dict):
                found |= {text for text in part.values() if isinstance(text, str)}
    return found


def test_from_the_search_to_the_run(quick: TaskOf, corpus: Corpus, tmp_path: Path) -> None:
    text = "optimiser.epochs: {low: 1, high: 2}\nobjective.name: {choices: [cross-entropy, weighted]}"
    made = quick(text=text, overrides=())
    tuned = tune(made, trials=3)
    best = tuned.row(tuned.best or 0)
    who = contestant_of(made, best)
    file = tmp_path / "best.yaml"
    file.write_text(best_text(tuned, best, who, command="raretag tune\nx: 1"), encoding="utf-8")
    settings, after, _ = load_recipe(config=file)
    assert (settings, AfterTraining.of(after)) == (who.settings, who.after)
    run = train(corpus, out=tmp_path / "run", settings=settings)
    unopened = {*run.manifest["data"]["test"].values()}
    # the test documents of `raretag train` are those that tuning left, and no run, no cache has met them
    assert len(unopened) == tuned.left == 2
    assert not unopened & seen(made.out)
    assert seen(made.out) == {one.fingerprint for one in made.corpus.documents}
    keys = {key for file in made.out.rglob("*.safetensors") if file.parent.name == SCORES for key in keys_of(file)}
    assert keys == {text_key(one) for one in made.corpus.documents}


def keys_of(file: Path) -> list[str]:
    keys: list[str] = json.loads(load_arrays(file, what="scores").metadata["texts"])
    return keys


def test_official_test_documents_are_left(quick: TaskOf, corpus: Corpus) -> None:
    parts = ("train", "test", "validation", "train", "train")
    official = replace(
        corpus,
        documents=tuple(
            replace(one, metadata={**one.metadata, "split": parts[number % 5]})
            for number, one in enumerate(corpus.documents)
        ),
    )
    made = quick(corpus=official, text=HEADS)
    assert {one.metadata["split"] for one in made.corpus.documents} == {"train", "validation"}
    assert (made.left, made.origin) == (2, "the corpus' own parts")


def test_what_comes_after_training_is_tuned_on_one_training(quick: TaskOf, monkeypatch: pytest.MonkeyPatch) -> None:
    made = quick(text=HEADS)
    assert made.is_cheap
    tuned = tune(made, trials=2)
    assert len(list((made.out / TRAININGS).iterdir())) == 1

    def no_more(*_: object, **__: object) -> None:
        raise AssertionError("trained again")

    monkeypatch.setattr("raretag.experiments.cross_validation.cells.train_fold", no_more)
    more = tune(made, trials=5)
    assert {one.outcome for one in more.rows} <= {"finished", "given up"}
    assert [one.figures for one in more.rows[:2]] == [one.figures for one in tuned.rows]
    assert any(one.settings.get("second_stage.name") == "tau-norm" for one in more.rows)


@pytest.mark.parametrize(
    ("name", "options"), [("tau-norm", {"tau": 0.7}), ("crt", {"epochs": 2}), ("lws", {"epochs": 2})]
)
def test_a_second_stage_is_what_training_with_it_gives(
    tiny_encoder: Path, corpus: Corpus, tmp_path: Path, name: str, options: dict[str, float]
) -> None:
    plain = TrainSettings.model_validate(
        {"encoder": str(tiny_encoder), "optimiser": {"epochs": 1, "learning_rate": 0.02}, "precision": "float32"}
    )
    staged = TrainSettings.model_validate({**plain.model_dump(), "second_stage": {"name": name, **options}})
    cells = [
        Cell(folder=tmp_path / str(place), settings=one, number=1, folds=2) for place, one in enumerate((plain, staged))
    ]
    run_cells(cells, corpus)
    again = restaged(cells[0], corpus, stage=staged.second_stage)
    run = RunFolder.open(cells[1].run_path)
    held_out = cells[1].held_out(corpus)
    for trained in ScoreCache(run.path / SCORES, schema=run.schema).scores(held_out):
        apart = np.abs(again.scores[trained.document].probabilities - trained.probabilities)
        assert apart.max() < 5e-3
        assert apart.mean() < 5e-4
    context = context_of(run)
    assert context.weight is not None
    assert again.context.weight is not None
    np.testing.assert_allclose(again.context.effective, context.effective, atol=1e-3)
    np.testing.assert_allclose(again.context.weight, context.weight, atol=1e-3)


def test_the_brier_score_is_that_of_the_report(tiny_encoder: Path, corpus: Corpus, tmp_path: Path) -> None:
    for head in ("softmax", "per-label"):
        settings = TrainSettings.model_validate(
            {"encoder": str(tiny_encoder), "optimiser": {"epochs": 1, "learning_rate": 0.02}, "head": {"name": head}}
        )
        pooled = cross_validated(corpus, folds=2, out=tmp_path / head, settings=settings)
        context = context_of(pooled.runs[0])
        after = AfterTraining.of({"calibration": {"name": "temperature"}, "policy": {"rule": "argmax"}})
        verdict = verdict_of(pooled.data, after=after, context=context, decides=True, needed=True, resamples=50)
        fitted = cross_calibrated(pooled.data, method="temperature", options={}, context=context)
        figures = report.calibration_report(pooled.data, fitted, resamples=0).after.calibration
        assert verdict.figures["brier"].value == pytest.approx(figures.brier, abs=1e-9)
        interval = verdict.figures["brier"].interval
        assert interval is not None
        assert interval[0] < (verdict.figures["brier"].value or 0) < interval[1]
        gold = sum(len(one.mentions) for one in corpus.documents)
        assert gold
        assert verdict.recalls["head"] is None
        assert set(verdict.figures) == {"brier", "micro", "macro", "macro10-f1"}


def test_a_trial_that_is_given_up_keeps_its_trainings(quick: TaskOf) -> None:
    made = quick(text="optimiser.warmup: {low: 0.0, high: 0.5}", overrides=("optimiser.epochs=1",))
    judge = folds_of(made)
    halfway = judge(made.baseline)
    first = next(halfway)
    assert isinstance(first, Verdict)
    halfway.close()
    cells = judge.cells(made.baseline)
    assert [cell.is_done(made.corpus) for cell in cells] == [True, False]
    times = {path: path.stat().st_mtime_ns for path in made.out.rglob("model.safetensors")}
    assert times
    assert [said is not None for said in judge(made.baseline)] == [True, True]
    assert {path: path.stat().st_mtime_ns for path in times} == times


def test_features_go_where_the_next_trial_trains_anew(quick: TaskOf) -> None:
    made = quick(
        text="optimiser.warmup: {low: 0.0, high: 0.5}",
        recipe="plain",
        overrides=("optimiser.epochs=1", "second_stage.name=tau-norm"),
    )
    assert len(tune(made, trials=1).rows) == 1
    assert not list(made.out.rglob("features.safetensors"))
