"""Work on a Ray cluster comes to what it comes to on this machine, and outlives the loss of a node."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import torch
from safetensors.numpy import load_file

import raretag
from raretag.cluster import calls, joined
from raretag.corpus import Corpus
from raretag.corpus.demo import demo_corpus
from raretag.errors import DataError, UsageError
from raretag.experiments.comparison.compare import compare
from raretag.experiments.comparison.contestant import Contestant, contestant
from raretag.experiments.cross_validation import Cell, run_cells_on_ray
from raretag.experiments.tuning.goal import goal_of
from raretag.experiments.tuning.space_file import read_space
from raretag.experiments.tuning.task import Task, task_of
from raretag.experiments.tuning.tune import tune
from raretag.serving import annotate, scoring_on_ray
from raretag.training import train
from raretag.training.run_folder import MANIFEST, RunFolder, read_json
from raretag.training.settings import TrainSettings

# loopback only, no usage statistics, a token of its own; read when ray is imported
os.environ |= {
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AUTH_MODE": "token",
    "RAY_AUTH_TOKEN": "0" * 64,
}


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return demo_corpus(documents=12)


@pytest.fixture
def cluster() -> Iterator[Any]:
    from ray.cluster_utils import Cluster

    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    yield made
    made.shutdown()


def recipes(encoder: Path) -> list[Contestant]:
    quick = ("optimiser.epochs=4", "optimiser.learning_rate=0.02", "precision=float32", "checkpoint_seconds=0")
    return [contestant(name, overrides=quick, encoder=str(encoder)) for name in ("plain", "inverse-sqrt")]


def started(out: Path) -> dict[Path, Any]:
    """When each training that has a checkpoint was begun."""
    marks = out.glob("trainings/*/fold-*/.resume/checkpoint-*/complete")
    return {mark.parents[2]: read_json(mark.parents[2] / MANIFEST)["started"] for mark in marks}


def test_a_comparison_outlives_a_node_and_comes_to_the_same(
    tmp_path: Path, corpus: Corpus, tiny_encoder: Path, cluster: Any
) -> None:
    node = cluster.add_node(num_cpus=1)
    begun: dict[Path, Any] = {}

    def lose_a_node() -> None:
        until = time.monotonic() + 240
        while len(begun) < 2 and time.monotonic() < until:
            try:
                begun.update(started(tmp_path / "ray"))
            except (DataError, OSError):
                # caught in the middle of being written
                continue
            time.sleep(0.02)
        cluster.remove_node(node, allow_graceful=False)

    losing = threading.Thread(target=lose_a_node)
    losing.start()
    chosen = recipes(tiny_encoder)
    far = compare(corpus, chosen, folds=2, seeds=[13], out=tmp_path / "ray", resamples=50, ray=cluster.address)
    losing.join()
    assert len(begun) == 2
    with one_thread():
        here = compare(corpus, chosen, folds=2, seeds=[13], out=tmp_path / "here", resamples=50)
    assert without_times(far.to_json()) == without_times(here.to_json())
    for path in (tmp_path / "here").glob("trainings/*/fold-*"):
        other = tmp_path / "ray" / path.relative_to(tmp_path / "here")
        mine, theirs = (load_file(run / "model" / "model.safetensors") for run in (path, other))
        assert all(np.array_equal(theirs[name], values) for name, values in mine.items())
    # what lost its node went on, and was not begun anew
    assert {run: read_json(run / MANIFEST)["started"] for run in begun} == begun


@contextmanager
def one_thread() -> Iterator[None]:
    """As many as a task of one CPU has: how sums are cut up decides how they round."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def without_times(content: Any) -> Any:
    """A record without what a machine has its own of."""
    if isinstance(content, dict):
        return {
            key: without_times(value) for key, value in content.items() if key not in ("seconds_per_fold", "peak_mib")
        }
    return [without_times(value) for value in content] if isinstance(content, list) else content


def test_a_local_cluster_is_reached_by_loopback_only_and_tells_errors(
    tmp_path: Path, tiny_encoder: Path, corpus: Corpus
) -> None:
    lost = TrainSettings.model_validate({"encoder": str(tmp_path / "nowhere")})
    cell = Cell(folder=tmp_path / "cells", settings=lost, number=2, folds=2)
    with pytest.raises((DataError, UsageError), match=r"fold 2: .*nowhere"):
        run_cells_on_ray([cell], corpus, out=tmp_path, address="local")
    with joined("local"):
        mine = {process.pid for process in psutil.Process().children(recursive=True)}
        addresses = {
            one.laddr.ip for one in psutil.net_connections("tcp") if one.pid in mine and one.status == "LISTEN"
        }
    assert addresses
    assert addresses <= {"127.0.0.1", "::ffff:127.0.0.1"}


def test_no_cluster_answers(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no Ray cluster answers at '127.0.0.1:1'"), joined("127.0.0.1:1"):
        pass


def test_ray_is_an_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UsageError, match=r"Install raretag\[distributed\]"), joined("local"):
        pass


def test_jobs_are_of_this_machine(tmp_path: Path, tiny_encoder: Path, corpus: Corpus) -> None:
    with pytest.raises(UsageError, match="Leave out --jobs or --ray"):
        compare(corpus, recipes(tiny_encoder), folds=2, seeds=[13], out=tmp_path, jobs=2, ray="local")


def task(corpus: Corpus, encoder: Path, out: Path) -> Task:
    """Two settings, two folds."""
    file = out.with_suffix(".yaml")
    file.write_text("optimiser.epochs: {low: 2, high: 4}\noptimiser.head_multiplier: {low: 1.0, high: 5.0}\n")
    return task_of(
        corpus,
        recipe="plain",
        space=read_space(str(file)),
        goal=goal_of("brier"),
        folds=2,
        out=out,
        overrides=("optimiser.learning_rate=0.02", "precision=float32"),
        encoder=str(encoder),
    )


def test_a_study_and_an_annotation_on_two_nodes(
    tmp_path: Path, corpus: Corpus, tiny_encoder: Path, cluster: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster.add_node(num_cpus=1)
    far = tune(task(corpus, tiny_encoder, tmp_path / "far"), trials=3, ray=cluster.address)
    with one_thread():
        here = tune(task(corpus, tiny_encoder, tmp_path / "here"), trials=1)
    assert [row.outcome for row in far.rows] == ["finished"] * 3
    # later trials depend on which was finished first; the baseline does not
    assert far.rows[0].figures == here.rows[0].figures
    # a finished study needs no cluster
    again = tune(task(corpus, tiny_encoder, tmp_path / "far"), trials=3, ray="127.0.0.1:1")
    assert [row.figures for row in again.rows] == [row.figures for row in far.rows]

    run = trained(corpus, tiny_encoder, tmp_path / "run")
    monkeypatch.setattr(scoring_on_ray, "_CHARACTERS", 1500)
    windows: list[int] = []
    judged = annotate(run, corpus, ray=cluster.address, advance=windows.append).corpus
    alone: list[int] = []
    expected = annotate(run, corpus, advance=alone.append).corpus
    assert len(windows) > 3
    assert sum(windows) == sum(alone)
    assert [one.id for one in judged.documents] == [one.id for one in corpus.documents]
    for mine, theirs in zip(expected.documents, judged.documents, strict=True):
        assert [(m.label, m.start, m.end) for m in mine.mentions] == [
            (m.label, m.start, m.end) for m in theirs.mentions
        ]
        here_told, far_told = ([m.score or 0.0 for m in one.mentions] for one in (mine, theirs))
        np.testing.assert_allclose(here_told, far_told, atol=1e-4)


def trained(corpus: Corpus, encoder: Path, out: Path) -> RunFolder:
    """Enough to find something."""
    settings = {
        "encoder": str(encoder),
        "optimiser": {"epochs": 6, "learning_rate": 0.02, "batch_tokens": 256},
        "precision": "float32",
    }
    return train(corpus, out=out, settings=TrainSettings.model_validate(settings))


def test_nothing_to_annotate_needs_no_cluster(tmp_path: Path, corpus: Corpus, tiny_encoder: Path) -> None:
    run = trained(corpus, tiny_encoder, tmp_path / "run")
    assert annotate(run, Corpus(documents=(), format="jsonl"), ray="127.0.0.1:1").corpus.documents == ()


def test_parts_are_all_documents_in_order(corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    for characters in (1, 1000, 10**9):
        monkeypatch.setattr(scoring_on_ray, "_CHARACTERS", characters)
        parts = scoring_on_ray._parts(corpus.documents)
        assert [one for part in parts for one in part] == [*corpus.documents]
        assert all(parts)
        assert all(sum(len(one.text) for one in part[:-1]) < characters for part in parts)


def test_a_study_is_not_tuned_by_jobs_and_a_cluster(tmp_path: Path, corpus: Corpus, tiny_encoder: Path) -> None:
    with pytest.raises(UsageError, match="Leave out --jobs or --ray"):
        tune(task(corpus, tiny_encoder, tmp_path / "out"), trials=1, jobs=2, ray="local")


def doubled(shared: int, one: int) -> int:
    """What a worker may be asked."""
    if one < 0:
        raise DataError("below 0", remedy="Ask for more")
    return shared * one


@pytest.mark.parametrize(
    ("version", "folder", "told"), [("0", "", "not 0"), (raretag.__version__, "elsewhere", "does not see")]
)
def test_machines_must_fit(tmp_path: Path, version: str, folder: str, told: str) -> None:
    _, wrong = calls._guarded(doubled, 2, 3, folder=tmp_path / folder, threads=1, started_in=tmp_path, version=version)
    assert wrong is not None
    assert wrong[0] == "UsageError"
    assert told in wrong[1]


def test_a_call_gives_its_result_or_its_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with one_thread():
        own: dict[str, Any] = {"folder": tmp_path, "threads": 1, "started_in": tmp_path, "version": raretag.__version__}
        assert calls._guarded(doubled, 2, 3, **own) == (6, None)
        assert calls._guarded(doubled, 2, -3, **own) == (None, ("DataError", "below 0", "Ask for more", ""))
