"""What the ledger costs: step times of a training with and without it, in turns; one JSON object on the last line.

    OMP_NUM_THREADS=1 taskset -c 1 python benchmarks/ledger_cost.py ../shared/data/maccrobat --out runs/ledger.json

One training of the embedded encoder; blocks of steps with and without the ledger take turns, so that a drift of the
machine hits both alike. The ledger writes a record at the end of each of its blocks. The ratio is that of the median
step times; --out keeps every step.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from torch import Tensor
from transformers import TrainerCallback

from raretag.corpus.formats import read_corpus
from raretag.corpus.splitting import split_corpus
from raretag.objectives.tag_loss import TagLoss
from raretag.training.history import History
from raretag.training.ledger import Ledger
from raretag.training.methods import DrawnWindows
from raretag.training.model import tag_head
from raretag.training.plan import plan_training
from raretag.training.precision import fastest_precision
from raretag.training.settings_file import load_settings
from raretag.training.trainer import build_trainer, quiet


class InTurns(TrainerCallback):
    """The ledger on in every second block of steps, off in the others; the first block is not counted."""

    def __init__(self, ledger: Ledger, objective: TagLoss, *, block: int, blocks: int) -> None:
        self.ledger = ledger
        self.objective = objective
        self.block = block
        self.last = block * (blocks + 1)
        self.on = False
        self.started = 0.0
        self.seconds: dict[str, list[float]] = {"with": [], "without": []}

    def __call__(self, outputs: Any, labels: Tensor, num_items_in_batch: Any = None) -> Tensor:
        return (self.ledger if self.on else self.objective)(outputs, labels, num_items_in_batch)

    def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.on = (state.global_step // self.block) % 2 == 1
        self.started = time.perf_counter()

    def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if self.on:
            self.ledger.on_pre_optimizer_step(args, state, control)

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if self.on:
            self.ledger.on_step_end(args, state, control)
        if state.global_step > self.block:
            self.seconds["with" if self.on else "without"].append(time.perf_counter() - self.started)
        if state.global_step >= self.last:
            control.should_training_stop = True


def main() -> None:
    """Train, and compare the steps."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--block", type=int, default=10, help="steps in a block")
    parser.add_argument("--blocks", type=int, default=40, help="blocks that are counted")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    quiet()
    corpus, settings = read_corpus(arguments.data), load_settings()
    split = split_corpus(corpus, test=settings.split.test, validation=0, seed=settings.seed)
    plan = plan_training(corpus, split=split, settings=settings)
    with tempfile.TemporaryDirectory() as folder:
        history = History(Path(folder) / "history.jsonl", step=0)
        ledger = Ledger(
            plan.learner.objective,
            labels=plan.learner.data.schema.labels,
            head=tag_head(plan.learner.model),
            history=history,
            steps=arguments.block,
        )
        turns = InTurns(ledger, plan.learner.objective, block=arguments.block, blocks=arguments.blocks)
        build_trainer(
            plan.learner.model,
            dataset=DrawnWindows(plan.learner.data.dataset, drawn_by=plan.learner.sampler),
            batches=plan.learner.sampler,
            loss=turns,
            settings=settings.optimiser,
            precision=fastest_precision(),
            seed=settings.seed,
            pad_id=plan.tokenizer.pad_token_id or 0,
            folder=Path(folder),
            callbacks=[turns],
        ).train()
        size = (Path(folder) / "history.jsonl").stat().st_size
    medians = {side: statistics.median(seconds) for side, seconds in turns.seconds.items()}
    summary = {
        "ratio": round(medians["with"] / medians["without"], 4),
        "step_ms": {side: round(1000 * seconds, 2) for side, seconds in medians.items()},
        "steps": {side: len(seconds) for side, seconds in turns.seconds.items()},
        "record_bytes": round(size * arguments.block / len(turns.seconds["with"])),
    }
    if arguments.out is not None:
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        record = json.dumps({**summary, "seconds": turns.seconds}, indent=1)
        arguments.out.write_text(record + "\n", encoding="utf-8")
    print(json.dumps(summary))


if __name__ == "__main__":
    main()
