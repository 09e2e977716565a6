"""What each objective costs: its training step against that of cross-entropy, on the same batches, in turns.

    OMP_NUM_THREADS=1 taskset -c 1 python benchmarks/objective_cost.py ../shared/data/maccrobat --out runs/cost.json

A step is forward, loss, backward, clipping and AdamW, at the settings' encoder and budget, on plain batches whatever
sampler an objective is made with. Times are processor time, so that others on the machine disturb less. In each round
all objectives take one step on one batch, in random order, with a step of cross-entropy after every few; each step is
divided by the mean of the two of cross-entropy around it, and the ratio told is the median of all rounds, with its
quartiles. Heads that an objective needs, and regularisers beside cross-entropy, are rows too. The loss alone is forward
and backward of the loss on float32 logits of one such batch. The last line is one JSON object; --out keeps every ratio.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import random
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from raretag.corpus.formats import read_corpus
from raretag.corpus.splitting import split_corpus
from raretag.objectives import OBJECTIVES, REGULARISERS
from raretag.training.dataset import collate
from raretag.training.dropout import use_byte_dropout
from raretag.training.heads import HEADS
from raretag.training.methods import build_objective
from raretag.training.plan import Plan, plan_training
from raretag.training.precision import fastest_precision
from raretag.training.settings import TrainSettings
from raretag.training.settings_file import load_settings
from raretag.training.trainer import quiet

YARDSTICK = "cross-entropy"
PLAIN_HEAD = "softmax"
TOO_DEAR = 1.10
# steps between two of the yardstick
STRETCH = 4


def all_rows() -> dict[str, dict[str, Any]]:
    """Names and the settings that differ from the defaults."""
    rows: dict[str, dict[str, Any]] = {YARDSTICK: {}}
    for name, entry in OBJECTIVES.items():
        head = PLAIN_HEAD if entry.heads is None or entry.fits(PLAIN_HEAD) else entry.heads[0]
        rows[name] = {"objective": {"name": name}, "head": {"name": head}}
    rows |= {f"{YARDSTICK}+{name}": {"regularisers": {name: {}}} for name in REGULARISERS}
    rows |= {f"{YARDSTICK}+{name}": {"head": {"name": name}} for name in HEADS if name != PLAIN_HEAD}
    return rows


@dataclass
class Side:
    """A model with its optimiser, shared by the objectives of one head, and the batches as it sees them."""

    plan: Plan
    precision: str
    batches: list[dict[str, Tensor]] = field(init=False)

    def __post_init__(self) -> None:
        plan, windows = self.plan, self.plan.learner.data.dataset.windows
        self.batches = [
            dict(collate([windows[number] for number in batch], pad_id=plan.learner.pad_id))
            for batch in plan.learner.sampler.epoch_batches(0)
        ]
        use_byte_dropout(plan.learner.model)
        self.model = plan.learner.model.train()
        # fused and clipped as in training; so slow that the model stays what it is
        self.optimiser = torch.optim.AdamW(self.model.parameters(), lr=1e-8, fused=True)

    def step(self, objective: Any, number: int) -> float:
        """Seconds of one training step on batch `number`."""
        batch = self.batches[number % len(self.batches)]
        items = (batch["labels"] != -100).sum()
        started = time.process_time()
        with torch.autocast("cpu", torch.bfloat16, enabled=self.precision == "bfloat16"):
            logits = self.model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits.float()
            loss = objective.loss(logits, batch["labels"], items=items)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimiser.step()
        self.optimiser.zero_grad()
        return time.process_time() - started

    def logits(self) -> Tensor:
        """Logits as large as those of the first batch."""
        batch = self.batches[0]
        with torch.no_grad():
            out = self.model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
        return torch.randn(out.shape, generator=torch.Generator().manual_seed(0))


def loss_seconds(objective: Any, logits: Tensor, tags: Tensor, *, repeats: int = 30) -> float:
    """Median seconds of the loss and its gradient."""
    seconds = []
    for _ in range(repeats):
        leaf = logits.clone().requires_grad_()
        started = time.process_time()
        objective.loss(leaf, tags).backward()
        seconds.append(time.process_time() - started)
    return statistics.median(seconds)


def measure(
    sides: dict[str, Side], methods: dict[str, tuple[str, Any]], *, seconds: float
) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Rounds until the time is up: each method's steps divided by the yardstick's around them, and in seconds."""
    ratios: dict[str, list[float]] = {name: [] for name in methods}
    steps: dict[str, list[float]] = {name: [] for name in methods}
    draw = random.Random(0)

    def step(name: str, number: int) -> float:
        head, objective = methods[name]
        steps[name].append(sides[head].step(objective, number))
        return steps[name][-1]

    for name in methods:
        step(name, 0)
        steps[name].clear()
    started, number = time.monotonic(), 0
    while number < 3 or time.monotonic() - started < seconds:
        order = draw.sample(list(methods), len(methods))
        before = step(YARDSTICK, number)
        for stretch in (order[k : k + STRETCH] for k in range(0, len(order), STRETCH)):
            taken = {name: step(name, number) for name in stretch}
            after = step(YARDSTICK, number)
            for name, one in taken.items():
                ratios[name].append(one / ((before + after) / 2))
            before = after
        number += 1
    return ratios, steps


def chosen(only: str) -> dict[str, TrainSettings]:
    """The rows that the command asks for, the yardstick among them."""
    patterns = [YARDSTICK, *only.split(",")]
    return {
        name: TrainSettings.model_validate({**load_settings().model_dump(exclude_unset=True), **given})
        for name, given in all_rows().items()
        if any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)
    }


def quartiles(values: Sequence[float]) -> list[float]:
    """The first and the third."""
    first, _, third = statistics.quantiles(values, n=4)
    return [round(first, 3), round(third, 3)]


def main() -> None:
    """Measure all rows, print the table and what is above the aim."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--only", default="*", metavar="NAME,...", help="rows by name; * stands for anything: btl*")
    parser.add_argument("--seconds", type=float, default=270, help="how long rounds are repeated")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    quiet()
    corpus, rows, precision = read_corpus(arguments.data), chosen(arguments.only), fastest_precision()
    split = split_corpus(corpus, test=TrainSettings().split.test, validation=0, seed=TrainSettings().seed)
    sides: dict[str, Side] = {}
    methods: dict[str, tuple[str, Any]] = {}
    alone: dict[str, float] = {}
    failed: dict[str, str] = {}
    for name, settings in rows.items():
        head = settings.head.name
        try:
            if head not in sides:
                plan = plan_training(corpus, split=split, settings=TrainSettings(head=settings.head))
                sides[head] = Side(plan, precision)
            objective = build_objective(settings, schema=sides[head].plan.learner.data.schema)
            alone[name] = loss_seconds(objective, sides[head].logits(), sides[head].batches[0]["labels"])
            methods[name] = head, objective
        except Exception as error:  # one must not stop the others
            failed[name] = f"{type(error).__name__}: {error}"[:200]
    ratios, steps = measure(sides, methods, seconds=arguments.seconds)
    print("| objective | head | step / cross-entropy | quartiles | loss alone, ms | loss alone / cross-entropy |")
    print("|---|---|---|---|---|---|")
    summary: dict[str, Any] = {}
    for name, (head, _) in methods.items():
        row = {
            "head": head,
            "ratio": round(statistics.median(ratios[name]), 3),
            "quartiles": quartiles(ratios[name]),
            "loss_ms": round(1000 * alone[name], 2),
            "loss_ratio": round(alone[name] / alone[YARDSTICK], 1),
        }
        summary[name] = row
        low, high = quartiles(ratios[name])
        print(
            f"| `{name}` | {head} | {row['ratio']:.3f} | {low:.3f} to {high:.3f} | {row['loss_ms']:.2f} | "
            f"{row['loss_ratio']:.1f} |"
        )
    dear = [name for name, row in summary.items() if row["ratio"] > TOO_DEAR]
    print(f"\nabove {TOO_DEAR:.2f}: {', '.join(dear) or 'none'}")
    for name, message in failed.items():
        print(f"failed: {name}: {message}")
    result = {
        "precision": precision,
        "rounds": len(ratios[YARDSTICK]),
        "cross_entropy_step_ms": round(1000 * statistics.median(steps[YARDSTICK]), 1),
        "above": dear,
        "failed": failed,
        "rows": summary,
    }
    if arguments.out is not None:
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps({**result, "ratios": ratios, "steps": steps}, indent=1)
        arguments.out.write_text(text + "\n", encoding="utf-8")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
