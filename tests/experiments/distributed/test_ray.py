"""Trainings on a Ray cluster are those of this machine, and outlive the loss of a node."""

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
from raretag.corpus import Corpus
from raretag.corpus.demo import demo_corpus
from raretag.errors import DataError, UsageError
from raretag.experiments.comparison.compare import compare
from raretag.experiments.comparison.contestant import Contestant, contestant
from raretag.experiments.cross_validation import Cell
from raretag.experiments.distributed import ray_cells, run_cells_on_ray
from raretag.experiments.distributed.cluster import joined
from raretag.training.run_folder import MANIFEST, read_json
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
        until = time.monotonic() + 60
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
        run_cells_on_ray([cell], corpus, address="local", announce=lambda _: None)
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


@pytest.mark.parametrize(("version", "told"), [("0", "not 0"), (raretag.__version__, "does not see")])
def test_machines_must_fit(tmp_path: Path, corpus: Corpus, tiny_encoder: Path, version: str, told: str) -> None:
    settings = TrainSettings.model_validate({"encoder": str(tiny_encoder)})
    cell = Cell(folder=tmp_path / "elsewhere", settings=settings, number=1, folds=2)
    answer = ray_cells._run(cell, corpus, threads=1, started_in=str(tmp_path), version=version)
    assert answer is not None
    assert answer[0] == "UsageError"
    assert told in answer[1]
