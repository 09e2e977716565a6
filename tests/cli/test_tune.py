"""`raretag tune` as a person meets it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from raretag.corpus.demo import demo_corpus
from raretag.corpus.formats import write_corpus
from raretag.experiments.comparison.contestant import contestant
from raretag.training.settings_file import load_recipe

from .conftest import Run

SPACE = """
optimiser.learning_rate: {low: 1e-3, high: 5e-2, log: true}
objective.name: {choices: [cross-entropy, weighted]}
objective.gamma: {low: 0.1, high: 1.0, when: {objective.name: weighted}}
calibration.name: {choices: [temperature, vector]}
"""


@pytest.fixture
def few(tmp_path: Path) -> Path:
    write_corpus(demo_corpus(documents=10), tmp_path / "few", format="brat")
    return tmp_path / "few"


@pytest.fixture
def words(few: Path, tiny_encoder: Path, tmp_path: Path) -> list[object]:
    space = tmp_path / "space.yaml"
    space.write_text(SPACE, encoding="utf-8")
    told: list[object] = ["tune", few, "--out", tmp_path / "out", "--space", space, "--folds", 2]
    return [*told, "--encoder", tiny_encoder, "--set", "optimiser.epochs=1"]


def test_tune_goes_on_and_leaves_a_recipe(raretag: Run, words: list[object], few: Path, tmp_path: Path) -> None:
    done = raretag(*words, "--trials", 2)
    assert done.code == 0, done.err
    assert "2 test documents set aside and not opened" in done.err
    assert "trial 1 of 2: the recipe plain" in done.err
    assert "2 trials: 2 finished" in done.out
    out = tmp_path / "out"
    times = {path: path.stat().st_mtime_ns for path in out.rglob("model.safetensors")}
    more = raretag(*words, "--trials", 3, "--json", "-")
    assert more.code == 0, more.err
    assert {path: path.stat().st_mtime_ns for path in times} == times
    told = json.loads(more.out)
    assert [one["trial"] for one in told["trials"]] == [0, 1, 2]
    assert told["test_documents_not_opened"] == 2
    assert json.loads((out / "tune.json").read_text(encoding="utf-8")) == told
    assert {one.name for one in out.iterdir() if not one.name.startswith(".")} == {
        "best.yaml",
        "slices.svg",
        "study.journal",
        "trainings",
        "tune.json",
    }
    header = (out / "best.yaml").read_text(encoding="utf-8").splitlines()
    assert header[0].startswith("# raretag train DATA")
    assert "raretag tune" in header[1]
    assert told["data_sha256"] in header[2]
    assert load_recipe(config=out / "best.yaml").training == contestant(str(out / "best.yaml")).settings
    trained = raretag("train", few, "--out", tmp_path / "run", "--config", out / "best.yaml")
    assert trained.code == 0, trained.err


def test_constraints_that_no_trial_holds(raretag: Run, words: list[object], tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("optimiser: {learning_rate: 0.02}", encoding="utf-8")
    refused = raretag(*words, "--trials", 1, "--at-least", "tail=1", "--recipe", tmp_path / "mine.yaml")
    assert refused.code == 1
    assert "none of 1 trials holds the constraints" in refused.err
    assert "misses recall of tail" in refused.err
    assert "misses" in refused.out
    assert (tmp_path / "out" / "tune.json").exists()
    assert not (tmp_path / "out" / "best.yaml").exists()


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (["--recipe", "palin"], "did you mean plain?"),
        (["--recipe", "nowhere.yaml"], "nowhere.yaml"),
        (["--space", "haed"], "did you mean head?"),
        (["--goal", "accuracy"], "brier, macro10-f1"),
        (["--at-least", "Drgu=0.5"], "'Drgu'"),
        (["--at-least", "0.5"], "NAME=RECALL"),
        (["--folds", "99"], "cannot fill 99 parts"),
        (["--trials", "0"], "trials"),
        (["--set", "optimiser.epoch=1"], "did you mean epochs?"),
        (["--set", "objective.name=focal"], "--set fixes it"),
        (["--set", "optimiser.patience=1"], "would have no effect"),
        (["--seed", "3", "--set", "seed=4"], "give one of the two"),
    ],
)
def test_bad_input(raretag: Run, words: list[object], tmp_path: Path, wrong: list[str], told: str) -> None:
    refused = raretag(*words, *wrong)
    assert refused.code in {1, 2}
    assert told in refused.err
    assert "Traceback" not in refused.err
    assert not (tmp_path / "out").exists()


def test_a_damaged_study_and_one_of_something_else(raretag: Run, words: list[object], tmp_path: Path) -> None:
    assert raretag(*words, "--trials", 1).code == 0
    other = raretag(*words, "--trials", 1, "--micro-not-below")
    assert other.code == 2
    assert "another goal" in other.err
    journal = tmp_path / "out" / "study.journal"
    journal.write_text("{broken\n" + journal.read_text(encoding="utf-8"), encoding="utf-8")
    damaged = raretag(*words, "--trials", 1)
    assert damaged.code == 1
    assert f"{journal}:1: the study's file is damaged" in damaged.err


def test_interrupted_it_says_how_to_go_on(raretag: Run, words: list[object], monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("raretag.experiments.cross_validation.cells.train_fold", interrupted)
    shown = raretag(*words, "--trials", 2)
    assert shown.code == 130
    assert shown.err.splitlines()[-1] == "raretag: interrupted; the same command goes on"
