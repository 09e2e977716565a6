"""Two real processes, started as torchrun does, train the model that one trains."""

from __future__ import annotations

import json
import signal
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import yaml

from raretag.corpus import Corpus
from raretag.corpus.formats import read_corpus, write_corpus
from raretag.errors import UsageError
from raretag.training import RunFolder, train
from raretag.training.history import read_history
from raretag.training.resumption import check_alike
from raretag.training.settings import TrainSettings

from .conftest import StopAt
from .several import assert_equal_but_for_rounding, ended, figures, remarks, start

SCRIPT = Path(__file__).with_name("trained_by_several.py")


@pytest.fixture
def notes(tmp_path: Path, small_corpus: Corpus) -> Path:
    folder = tmp_path / "notes"
    write_corpus(small_corpus, folder, format="brat")
    return folder


def settings_file(folder: Path, settings: dict[str, Any]) -> Path:
    path = folder / "settings.yaml"
    path.write_text(yaml.safe_dump(settings), encoding="utf-8")
    return path


def test_torchrun_trains_the_model_that_one_process_trains(
    tmp_path: Path, notes: Path, small_settings: dict[str, Any]
) -> None:
    asked = {**small_settings, "split": {"test": 0.2, "validation": 0.2}, "ledger_steps": 4}
    one = train(read_corpus(notes), out=tmp_path / "one", settings=TrainSettings.model_validate(asked))
    command = ("-m", "raretag", "train", notes, "--out", tmp_path / "two", "--config", settings_file(tmp_path, asked))
    code, said = ended(start(*command))
    assert code == 0, said
    # one voice
    assert said.count("saving the model") == 1
    two = RunFolder.open(tmp_path / "two")
    assert sorted(path.name for path in two.path.iterdir()) == sorted(path.name for path in one.path.iterdir())
    assert_equal_but_for_rounding(one, two)
    # steps, losses, gradients, Brier scores and the ledger are those of whole batches
    for mine, theirs in zip(
        figures(read_history(one.path / "history.jsonl")),
        figures(read_history(two.path / "history.jsonl")),
        strict=True,
    ):
        assert flat(theirs) == pytest.approx(flat(mine), rel=1e-3, abs=1e-4)
    unseen = [d for d in read_corpus(notes).documents if d.id in one.manifest["data"]["test"]]
    for judged, also in zip(one.predictor().predict(unseen), two.predictor().predict(unseen), strict=True):
        np.testing.assert_allclose(also.probabilities, judged.probabilities, atol=1e-4)
        assert (also.probabilities.argmax(-1) == judged.probabilities.argmax(-1)).all()


def flat(record: dict[str, Any], before: str = "") -> dict[str, float]:
    """Nested figures by path."""
    found: dict[str, float] = {}
    for name, value in record.items():
        found |= flat(value, f"{before}{name}/") if isinstance(value, dict) else {before + name: value}
    return found


def test_heads_losses_and_samplers_and_runs_that_one_process_began(
    tmp_path: Path, notes: Path, small_settings: dict[str, Any]
) -> None:
    optimiser = small_settings["optimiser"]
    asked: dict[str, dict[str, Any]] = {
        # statistics of whole batches, gathered over processes
        "running": {**small_settings, "objective": {"name": "soft-macro-f1"}},
        "layered": {**small_settings, "head": {"name": "per-label"}, "sampler": {"name": "outside-thinning"}},
        # batches of one window: the second process has none
        "single": {**small_settings, "optimiser": {**optimiser, "epochs": 1, "batch_tokens": 16}},
        "ensemble": {**small_settings, "ensemble": [{"objective": {"name": "weighted"}}], "split": {"validation": 0.2}},
        "begun": {**small_settings, "checkpoint_seconds": 0, "split": {"validation": 0.2}},
    }
    corpus = read_corpus(notes)
    two = tmp_path / "two"
    with pytest.raises(KeyboardInterrupt):
        train(corpus, out=two / "begun", settings=TrainSettings.model_validate(asked["begun"]), callbacks=[StopAt(4)])
    jobs = {
        "notes": str(notes),
        "jobs": [{"out": str(two / name), "settings": settings} for name, settings in asked.items()],
    }
    (tmp_path / "jobs.json").write_text(json.dumps(jobs), encoding="utf-8")
    code, said = ended(start(SCRIPT, tmp_path / "jobs.json"))
    assert code == 0, said
    for name, settings in asked.items():
        one = train(corpus, out=tmp_path / "one" / name, settings=TrainSettings.model_validate(settings))
        both = RunFolder.open(two / name)
        for mine, theirs in zip((one, *one.further), (both, *both.further), strict=True):
            assert_equal_but_for_rounding(mine, theirs)


def test_a_killed_process_ends_the_others_and_one_process_goes_on(
    tmp_path: Path, notes: Path, small_settings: dict[str, Any]
) -> None:
    asked = {**small_settings, "checkpoint_seconds": 0, "optimiser": {**small_settings["optimiser"], "epochs": 40}}
    out = tmp_path / "two"
    launcher = start("-m", "raretag", "train", notes, "--out", out, "--config", settings_file(tmp_path, asked))
    waiting = time.monotonic()
    while not list((out / ".resume").glob("checkpoint-*/complete")):
        assert launcher.poll() is None, launcher.communicate()
        assert time.monotonic() - waiting < 120
        time.sleep(0.05)
    workers = psutil.Process(launcher.pid).children()
    next(worker for worker in workers if worker.environ()["RANK"] == "1").send_signal(signal.SIGKILL)
    code, said = ended(launcher)
    assert code == 1
    assert len(remarks(said)) <= 1
    assert not psutil.wait_procs(workers, timeout=30)[1]
    settings = TrainSettings.model_validate(asked)
    resumed = train(read_corpus(notes), out=out, settings=settings, resume=True)
    whole = train(read_corpus(notes), out=tmp_path / "one", settings=settings)
    assert_equal_but_for_rounding(whole, resumed)


def test_an_error_of_one_process_is_told_once_and_ends_all(
    tmp_path: Path, notes: Path, small_corpus: Corpus, small_settings: dict[str, Any]
) -> None:
    write_corpus(Corpus(documents=small_corpus.documents[:-1], format="test"), tmp_path / "other", format="brat")
    (tmp_path / "data-0").symlink_to(notes)
    (tmp_path / "data-1").symlink_to(tmp_path / "other")
    command = f'exec "$0" -m raretag train {tmp_path}/data-$RANK --out {tmp_path}/run --config "$1"'
    processes = start("--no-python", "sh", "-c", command, sys.executable, settings_file(tmp_path, small_settings))
    code, said = ended(processes)
    assert code == 1
    assert remarks(said) == [
        "raretag: process 1 of 2 reads other documents than process 0. Give every machine the same files and the same "
        "versions"
    ]
    assert "exitcode  : 2" in said


def test_an_error_of_all_processes_is_told_once(tmp_path: Path, notes: Path) -> None:
    code, said = ended(start("-m", "raretag", "evaluate", tmp_path / "run", notes))
    assert code == 1
    assert len(remarks(said)) == 1
    assert "evaluate works in one process, but 2 were started" in remarks(said)[0]


def test_what_a_launcher_tells_must_be_whole(
    tmp_path: Path, small_corpus: Corpus, settings: TrainSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(UsageError, match="RANK and MASTER_ADDR and MASTER_PORT is not set"):
        train(small_corpus, out=tmp_path / "run", settings=settings)
    assert not (tmp_path / "run").exists()


def test_a_process_with_the_manifest_s_data_is_alike() -> None:
    same = {"data": {"sha256": "a"}, "encoder": {"name": "b"}}
    check_alike(same, data=same["data"], encoder=same["encoder"])
