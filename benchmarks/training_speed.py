"""raretag's training against an unmodified Hugging Face Trainer with its default arguments: speed, memory, F1.

    python benchmarks/training_speed.py ../shared/data/maccrobat --epochs 3 --out runs/speed.json

Both sides train the same encoder on the same windows for the same epochs, each in its own process; they take turns
epoch by epoch, so that a drift of the machine hits both alike. Tokens are those of the windows, padding excluded.
The last line is one JSON object; --out keeps every epoch.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import statistics
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from transformers import DataCollatorForTokenClassification, Trainer, TrainerCallback, TrainingArguments

from raretag.corpus.formats import read_corpus
from raretag.corpus.splitting import split_corpus
from raretag.decision import most_probable_mentions
from raretag.evaluation import evaluate
from raretag.probability import score
from raretag.training.inference import Predictor
from raretag.training.plan import Plan, plan_training
from raretag.training.precision import fastest_precision
from raretag.training.settings_file import load_settings
from raretag.training.trainer import build_trainer


class Turns(TrainerCallback):
    """Wait for one's turn before each epoch, and tell how long it took after it."""

    def __init__(self, line: Connection) -> None:
        self.line = line
        self.started = 0.0

    def on_epoch_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.line.recv()
        self.started = time.perf_counter()

    def on_epoch_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.line.send(time.perf_counter() - self.started)


def baseline(plan: Plan, *, epochs: int, folder: str, turns: Turns) -> Trainer:
    """The Trainer as its documentation shows it."""
    windows = plan.learner.data.dataset.windows
    return Trainer(
        model=plan.learner.model,
        args=TrainingArguments(output_dir=folder, num_train_epochs=epochs, save_strategy="no", disable_tqdm=True),
        train_dataset=[{"input_ids": w.input_ids.tolist(), "labels": w.labels.tolist()} for w in windows],
        data_collator=DataCollatorForTokenClassification(plan.tokenizer),
        callbacks=[turns],
    )


def ours(plan: Plan, *, folder: str, turns: Turns) -> Trainer:
    """What raretag train builds."""
    return build_trainer(
        plan.learner.model,
        dataset=plan.learner.data.dataset,
        batches=plan.learner.sampler,
        loss=plan.learner.objective,
        settings=plan.learner.settings.optimiser,
        precision=fastest_precision(),
        seed=plan.learner.settings.seed,
        pad_id=0,
        folder=Path(folder),
        callbacks=[turns],
    )


def side(name: str, data: Path, epochs: int, line: Connection) -> None:
    """One side, in its own process."""
    corpus, settings = read_corpus(data), load_settings(overrides=[f"optimiser.epochs={epochs}"])
    split = split_corpus(corpus, test=settings.split.test, validation=0, seed=settings.seed)
    plan = plan_training(corpus, split=split, settings=settings)
    if name == "baseline":
        # the default attention, not the one raretag chooses
        plan.learner.model.set_attn_implementation("sdpa")
    turns = Turns(line)
    with tempfile.TemporaryDirectory() as folder:
        trainer = (
            baseline(plan, epochs=epochs, folder=folder, turns=turns)
            if name == "baseline"
            else ours(plan, folder=folder, turns=turns)
        )
        trainer.train()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    predictor = Predictor(
        model=plan.learner.model.eval(),
        tokenizer=plan.tokenizer,
        windows=plan.learner.settings.windows,
        capacity=plan.capacity,
        precision="float32",
    )
    schema = plan.learner.data.schema
    counts = dict(zip(schema.labels, schema.mention_counts, strict=True))
    predicted = most_probable_mentions(score(predictor, plan.split.test), schema=schema)
    figures = evaluate(plan.split.test, predicted, labels=schema.labels, training_counts=counts, resamples=0)
    tokens = sum(plan.learner.data.dataset.lengths)
    line.send({"tokens": tokens, "peak_mib": peak, "micro": figures.strict.micro.f1, "macro": figures.strict.macro.f1})


def main() -> None:
    """Let the sides take turns and compare them epoch by epoch."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    names = ("baseline", "raretag")
    lines: dict[str, Connection] = {}
    for name in names:
        lines[name], theirs = context.Pipe()
        context.Process(target=side, args=(name, arguments.data, arguments.epochs, theirs), daemon=True).start()
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for epoch in range(arguments.epochs):
        for name in names:
            lines[name].send("your turn")
            seconds[name].append(lines[name].recv())
            print(f"epoch {epoch + 1} {name}: {seconds[name][-1]:.1f} s", flush=True)
    results: dict[str, Any] = {name: lines[name].recv() for name in names}
    ratios = [round(a / b, 2) for a, b in zip(seconds["baseline"], seconds["raretag"], strict=True)]
    for name in names:
        results[name]["tokens_per_second"] = round(results[name]["tokens"] * arguments.epochs / sum(seconds[name]))
    summary = {
        "epochs": arguments.epochs,
        "ratios": ratios,
        "median_ratio": round(statistics.median(ratios), 2),
        **results,
    }
    if arguments.out is not None:
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        arguments.out.write_text(json.dumps({**summary, "seconds": seconds}, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(summary))


if __name__ == "__main__":
    main()
