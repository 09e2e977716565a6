"""Running means: how a batch is cut and shared does not matter, and nothing is lost by saving in its middle."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from raretag.objectives.running import RunningMean

TOKENS = torch.tensor(np.random.default_rng(0).random((10, 2, 3)))


def mean_of(statistics: RunningMean) -> torch.Tensor:
    return statistics.value(torch.zeros((), dtype=torch.float64))


def start() -> RunningMean:
    return RunningMean(np.full((2, 3), 0.5), decay=0.9)


def test_a_batch_moves_the_mean_by_one_tenth() -> None:
    statistics = start()
    statistics.add(TOKENS.sum(dim=0), tokens=10, items=10)
    torch.testing.assert_close(mean_of(statistics), 0.9 * 0.5 + 0.1 * TOKENS.mean(dim=0))


@settings(deadline=None, derandomize=True)
@given(st.lists(st.integers(0, 10), max_size=6))
def test_parts_of_a_batch_are_the_whole(cuts: list[int]) -> None:
    """Also empty parts; the mean moves with the last token, not before."""
    statistics, whole = start(), start()
    whole.add(TOKENS.sum(dim=0), tokens=10, items=10)
    ends = sorted({*cuts, 10})
    for begin, end in zip([0, *ends], ends, strict=False):
        assert (mean_of(statistics) == 0.5).all()
        statistics.add(TOKENS[begin:end].sum(dim=0), tokens=end - begin, items=10)
    torch.testing.assert_close(mean_of(statistics), mean_of(whole))


def test_a_batch_without_tokens_changes_nothing() -> None:
    statistics = start()
    statistics.add(torch.zeros(2, 3), tokens=0, items=0)
    assert (mean_of(statistics) == 0.5).all()


def test_saving_in_the_middle_of_a_batch_loses_nothing() -> None:
    statistics, restored = start(), start()
    statistics.add(TOKENS.sum(dim=0), tokens=10, items=10)
    statistics.add(TOKENS[:4].sum(dim=0), tokens=4, items=10)
    saved = statistics.state_dict()
    statistics.add(TOKENS[4:].sum(dim=0), tokens=6, items=10)
    assert not torch.equal(saved["mean"], mean_of(statistics))
    restored.load_state_dict(saved)
    restored.add(TOKENS[4:].sum(dim=0), tokens=6, items=10)
    assert torch.equal(mean_of(restored), mean_of(statistics))
    # what was loaded is not shared with what was saved
    assert saved["tokens"].item() == 4


def test_statistics_of_another_schema_are_refused() -> None:
    with pytest.raises(ValueError, match="another schema"):
        start().load_state_dict(RunningMean(np.zeros((2, 4)), decay=0.9).state_dict())


def test_the_mean_comes_in_the_type_of_the_logits() -> None:
    assert start().value(torch.zeros((), dtype=torch.float32)).dtype == torch.float32
    assert start().value(torch.zeros((), dtype=torch.float64)).dtype == torch.float64


def test_gradients_stop_here() -> None:
    statistics = start()
    statistics.add(TOKENS.sum(dim=0).requires_grad_(), tokens=10, items=10)
    assert not mean_of(statistics).requires_grad


# two batches, the first in two passes; the second process has less, once nothing at all
PROCESS = """
import json, sys
import torch
from raretag.objectives.dice import Dice, DiceOptions

rank, meeting = int(sys.argv[1]), sys.argv[2]
torch.set_num_threads(1)
torch.distributed.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=2)
generator = torch.Generator().manual_seed(0)
logits = torch.randn(20, 4, generator=generator, dtype=torch.float64, requires_grad=True)
tags = torch.randint(0, 4, (20,), generator=generator)
dice = Dice([60, 30, 9, 1], options=DiceOptions(decay=0.5))
shares = [((0, 4), (7, 12), (12, 17)), ((4, 4), (4, 7), (17, 20))]
items = (12, 12, 8)
gradient = torch.zeros_like(logits)
for (begin, end), n in zip(shares[rank], items, strict=True):
    gradient += torch.autograd.grad(dice.loss(logits[begin:end], tags[begin:end], items=n), logits)[0]
torch.distributed.all_reduce(gradient)
print(json.dumps({"mean": dice.state_dict()["mean"].tolist(), "gradient": gradient.tolist()}))
torch.distributed.destroy_process_group()
"""


def test_two_processes_hold_the_mean_of_one(tmp_path: Path) -> None:
    """With unequal shares, over gloo: equal means in both, and gradients that add up to those of one process."""
    from raretag.objectives.dice import Dice, DiceOptions

    script = tmp_path / "process.py"
    script.write_text(PROCESS, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}
    processes = [
        subprocess.Popen(
            [sys.executable, script, str(rank), tmp_path / "meeting"],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    said = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], said
    found = [json.loads(out) for out, _ in said]

    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(20, 4, generator=generator, dtype=torch.float64, requires_grad=True)
    tags = torch.randint(0, 4, (20,), generator=generator)
    alone = Dice([60, 30, 9, 1], options=DiceOptions(decay=0.5))
    gradient = torch.zeros_like(logits)
    for begin, end in ((0, 12), (12, 20)):
        gradient += torch.autograd.grad(alone.loss(logits[begin:end], tags[begin:end]), logits)[0]
    assert found[0]["mean"] == found[1]["mean"]
    np.testing.assert_allclose(found[0]["mean"], alone.state_dict()["mean"].numpy(), rtol=1e-12)
    np.testing.assert_allclose(found[0]["gradient"], gradient.numpy(), rtol=1e-9, atol=1e-12)
