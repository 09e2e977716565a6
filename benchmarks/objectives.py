"""Train with every registered objective, regulariser, sampler and head at equal steps, score all alike; one table.

    OMP_NUM_THREADS=1 python benchmarks/objectives.py ../shared/data/maccrobat --part 0/2 --out runs/objectives

Rows come from the registries, so a new method appears by itself. Finished rows are kept in --out and interrupted ones
resumed: repeat the command until it is done, with `--table` to see what there is so far. Each row is claimed by a lock;
`--part 0/2` and `--part 1/2` begin at different rows, then help each other. A row whose settings have changed is
trained anew, a failed one with `--retry`. Precision is measured once a run unless `--set precision=...` fixes it.

TV is the total variation distance, over tags, between what the model predicts on the test tokens and their true shares:
`soft` from the mean probabilities, `hard` from the most probable tag of each token; `theory` is what `effective_prior`
says of the training part if no text explained any tag. Nothing is restored. Heads that keep labels apart: the mean over
labels of each label's own TV, marked *, no measure to compare with the others.
"""

from __future__ import annotations

import argparse
import fnmatch
import itertools
import json
import shutil
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from filelock import FileLock, Timeout

from raretag.corpus import Corpus
from raretag.corpus.formats import read_corpus
from raretag.decision import most_probable_mentions
from raretag.errors import RaretagError
from raretag.evaluation import evaluate
from raretag.evaluation.run import unseen_documents
from raretag.objectives import OBJECTIVES, REGULARISERS
from raretag.probability import score
from raretag.sampling import SAMPLERS
from raretag.tagging import IGNORE, encode
from raretag.training import train
from raretag.training.heads import HEADS
from raretag.training.history import read_history
from raretag.training.run_folder import HISTORY, MANIFEST, RunFolder, read_json, read_manifest, write_json
from raretag.training.settings import TrainSettings
from raretag.training.settings_file import load_settings

Floats = npt.NDArray[np.float64]
PLAIN_HEAD = "softmax"
# what settings raise that name a method which is not there, or methods that do not go together
UNUSABLE = (RaretagError, ValueError, KeyError)

# what BTL leaves open: what becomes of other labels' tokens, and how tags are weighted; none of them: see `others`
BTL_WEIGHTS: Mapping[str, Mapping[str, str]] = {
    "none": {"weight": "none"},
    "batch": {"weight": "batch"},
    "batch-mean": {"weight": "batch", "reduction": "weighted-mean"},
    "global": {"weight": "global"},
}

COLUMNS = (
    ("micro", "micro"),
    ("macro", "macro"),
    ("macro >= 10", "macro10"),
    ("tail recall", "tail_recall"),
    ("mean recall", "mean_recall"),
    ("TV soft", "tv_soft"),
    ("TV hard", "tv_hard"),
    ("TV theory", "tv_theory"),
)


class Row(NamedTuple):
    """A line of the table: a name that is also its folder's, and the settings that differ from the defaults."""

    name: str
    settings: dict[str, Any]


def all_rows() -> Iterator[Row]:
    """Objectives, what can be added to one, BTL's variants, samplers, heads."""
    for name, entry in OBJECTIVES.items():
        head = {} if entry.heads is None or entry.fits(PLAIN_HEAD) else {"head": {"name": entry.heads[0]}}
        yield Row(name, {"objective": {"name": name}, **head})
    # as published; with cross-entropy beside it, it is among the objectives
    yield Row("self-adjusting-dice+alone", {"objective": {"name": "self-adjusting-dice", "cross_entropy": 0.0}})
    yield Row("inverse-count+deferred", {"objective": {"name": "inverse-count", "start": 0.8}})
    for name in REGULARISERS:
        # added to a loss that moves the prior, so that there is something to bring back
        yield Row(f"inverse-sqrt+{name}", {"objective": {"name": "inverse-sqrt"}, "regularisers": {name: {}}})
    for others, (weight, options) in itertools.product(("relabel", "mask"), BTL_WEIGHTS.items()):
        sampler = {"name": "per-class", "others": others}
        yield Row(f"btl+{others}+{weight}", {"objective": {"name": "btl", **options}, "sampler": sampler})
    yield Row("btl+per-label", {"objective": {"name": "btl"}, "head": {"name": "per-label"}})
    for name in SAMPLERS:
        yield Row(f"cross-entropy+{name}", {"sampler": {"name": name}})
    for name in HEADS:
        yield Row(f"cross-entropy+{name}", {"head": {"name": name}})


class Bench:
    """The rows on one corpus, and where each is kept."""

    def __init__(self, data: Path, *, out: Path, epochs: int, seed: int, overrides: Sequence[str]) -> None:
        self.data = data
        self.folder = out / f"{data.name}-{epochs}-{seed}"
        self.overrides = [*overrides, f"optimiser.epochs={epochs}", f"seed={seed}"]
        self.folder.mkdir(parents=True, exist_ok=True)
        self._corpus: Corpus | None = None

    @property
    def corpus(self) -> Corpus:
        self._corpus = self._corpus or read_corpus(self.data)
        return self._corpus

    def settings(self, row: Row) -> TrainSettings:
        """Raises RaretagError or ValueError for methods that are not there, or do not go together."""
        common = load_settings(overrides=self.overrides).model_dump(exclude_unset=True)
        return TrainSettings.model_validate({**common, **row.settings})

    def record(self, row: Row) -> dict[str, Any] | None:
        """What is known of a row; None where it is still to be trained, or was trained with other settings."""
        path = self.folder / f"{row.name}.json"
        if not path.exists():
            return None
        record = read_json(path)
        try:
            now = described(self.settings(row))
        except UNUSABLE:
            return record
        # without settings: the method was not there then, but is now
        same = (
            record.get("overrides") == self.overrides
            and "settings" in record
            and all(now.get(key) == value for key, value in record["settings"].items())
        )
        return record if same else None

    def run(self, row: Row) -> None:
        """Train and score one row unless another process is at it; what goes wrong is its record."""
        try:
            with FileLock(self.folder / f".{row.name}.lock").acquire(timeout=0):
                if self.record(row) is None:
                    write_json(self.folder / f"{row.name}.json", self._record(row))
        except Timeout:
            return

    def _record(self, row: Row) -> dict[str, Any]:
        tell(f"{row.name}: begun")
        record: dict[str, Any] = {"row": row.name, "overrides": self.overrides}
        try:
            settings = self.settings(row)
            record |= {"settings": described(settings), "sampler": settings.sampler_name, "head": settings.head.name}
            record |= self._trained(row, settings)
        except Exception as error:  # one row must not stop the others
            record["failed"] = f"{type(error).__name__}: {error}".replace("\n", " ").replace("|", "/")[:200]
        tell(f"{row.name}: {record.get('failed') or 'macro ' + shown(record['macro'])}")
        return record

    def _trained(self, row: Row, settings: TrainSettings) -> dict[str, Any]:
        out = self.folder / row.name
        if (out / MANIFEST).exists() and read_manifest(out)["settings"] != settings.model_dump(mode="json"):
            # begun before the code or the defaults changed
            shutil.rmtree(out)
        folder = train(self.corpus, out=out, settings=settings, resume=True)
        started = time.perf_counter()
        figures = judged(folder, self.corpus)
        manifest, steps = folder.manifest, read_history(out / HISTORY)[-1]["step"]
        told = {"steps": steps, "precision": manifest["precision"], "train_seconds": manifest["seconds"]}
        return {**figures, **told, "evaluate_seconds": round(time.perf_counter() - started, 1)}


def described(settings: TrainSettings) -> dict[str, Any]:
    """Objective, regularisers, sampler and head with all their options, also those left at their defaults."""
    objective, sampler = settings.objective, settings.sampler
    return {
        "objective": {
            "name": objective.name,
            "start": objective.start,
            **OBJECTIVES[objective.name].options.model_validate(objective.options).model_dump(mode="json"),
        },
        "regularisers": {
            name: REGULARISERS[name].options.model_validate(options).model_dump(mode="json")
            for name, options in settings.regularisers.items()
        },
        "sampler": {
            "name": settings.sampler_name,
            "start": sampler.start,
            **SAMPLERS[settings.sampler_name].options.model_validate(sampler.options).model_dump(mode="json"),
        },
        "head": {
            "name": settings.head.name,
            **HEADS[settings.head.name].options.model_validate(settings.head.options).model_dump(mode="json"),
        },
    }


def judged(run: RunFolder, corpus: Corpus) -> dict[str, Any]:
    """All figures of one run's test documents, from one pass of the model over them."""
    schema, documents = run.schema, unseen_documents(run, corpus).documents
    counts = dict(zip(schema.labels, schema.mention_counts, strict=True))
    scores = score(run.predictor(), documents)
    figures = evaluate(
        documents, most_probable_mentions(scores, schema=schema), labels=schema.labels, training_counts=counts
    )
    run.write("evaluation.json", figures.to_json())
    overlaps = run.manifest["settings"]["tagging"]["overlaps"]
    gold = [
        encode(document, one.tokens, schema=schema, overlaps=overlaps, counts=counts).tags
        for document, one in zip(documents, scores, strict=True)
    ]
    soft, hard = distances([one.probabilities for one in scores], gold)
    strict = figures.strict
    return {
        "micro": strict.micro.f1,
        "micro_interval": strict.micro.f1_interval,
        "macro": strict.macro.f1,
        "macro_interval": strict.macro.f1_interval,
        "macro10": strict.macro10.f1,
        "tail_recall": strict.groups["tail"].recall,
        "tail_gold": strict.groups["tail"].gold,
        "mean_recall": figures.mean_recall,
        **{f"{group}_f1": one.f1 for group, one in strict.groups.items()},
        "tv_soft": soft,
        "tv_hard": hard,
        "tv_theory": theory(run.manifest["prior"]),
        "tv_over": "tags" if scores[0].probabilities.ndim == 2 else "labels",
    }


def distances(probabilities: Sequence[npt.NDArray[np.float32]], gold: Sequence[Any]) -> tuple[float, float]:
    """TV of the mean probabilities, and of the most probable tags, from the shares of the true tags.

    probabilities: (tokens, tags) with gold tags (tokens,), or (tokens, labels, tags of a label) with (tokens, labels):
    then the mean over labels. Tokens without a true tag are left out.
    """
    layers = probabilities[0].shape[1:-1]
    size = probabilities[0].shape[-1]
    soft, hard, true = (np.zeros((int(np.prod(layers)), size)) for _ in range(3))
    for p, tags in zip(probabilities, gold, strict=True):
        p, tags = p.reshape(len(p), -1, size), tags.reshape(len(tags), -1)
        for layer in range(tags.shape[1]):
            kept = tags[:, layer] != IGNORE
            own, truth = p[kept, layer].astype(np.float64), tags[kept, layer]
            soft[layer] += own.sum(axis=0)
            hard[layer] += np.bincount(own.argmax(axis=1), minlength=size)
            true[layer] += np.bincount(truth, minlength=size)
    return total_variation(soft, true), total_variation(hard, true)


def total_variation(found: Floats, true: Floats) -> float:
    """½ Σ |p − q| of the shares in each row, the mean over rows that hold any token."""
    kept = true.sum(axis=1) > 0
    p, q = (one[kept] / one[kept].sum(axis=1, keepdims=True) for one in (found, true))
    return float(0.5 * np.abs(p - q).sum(axis=1).mean())


def theory(prior: Mapping[str, Any]) -> float | None:
    """TV between the effective and the empirical prior of a manifest; None where they are told by label."""
    effective, empirical = prior["effective"], prior["empirical"]
    if effective.keys() != empirical.keys() or any(isinstance(value, dict) for value in effective.values()):
        return None
    return 0.5 * float(sum(abs(effective[tag] - empirical[tag]) for tag in empirical))


def table(rows: Sequence[Row], bench: Bench) -> dict[str, Any]:
    """Print what is finished, as Markdown; return it by name, None for what is still to come."""
    print(f"| method | sampler | head | {' | '.join(title for title, _ in COLUMNS)} | steps | training, s |")
    print("|---" * (len(COLUMNS) + 5) + "|")
    records = {row.name: bench.record(row) for row in rows}
    for name, record in records.items():
        if record is None:
            continue
        cells = [f"`{name}`", record.get("sampler", "-"), record.get("head", "-")]
        if "failed" in record:
            cells += [f"failed: {record['failed']}", *[""] * (len(COLUMNS) + 1)]
        else:
            mark = "*" if record["tv_over"] == "labels" else ""
            cells += [shown(record[key]) + (mark if key in {"tv_soft", "tv_hard"} else "") for _, key in COLUMNS]
            cells += [f"{record['steps']:,}", f"{record['train_seconds']:.0f}"]
        print(f"| {' | '.join(cells)} |")
    waiting = [name for name, record in records.items() if record is None]
    if waiting:
        print(f"\nnot finished: {', '.join(waiting)}")
    return records


def shown(figure: float | None) -> str:
    """A figure, or - where it is undefined."""
    return "-" if figure is None else f"{figure:.3f}"


def tell(line: str) -> None:
    """Progress, apart from the result."""
    print(time.strftime("%H:%M:%S"), line, file=sys.stderr, flush=True)


def distinct(rows: Iterator[Row], bench: Bench) -> list[Row]:
    """Without those that only spell out what an earlier one does by default."""
    kept: dict[str, Row] = {}
    for row in rows:
        try:
            key = json.dumps(described(bench.settings(row)), sort_keys=True)
        except UNUSABLE:
            key = row.name
        kept.setdefault(key, row)
    return list(kept.values())


def part_of(text: str) -> tuple[int, int]:
    """`0/2` is the first of two parts."""
    number, _, parts = text.partition("/")
    if not (number.isdecimal() and parts.isdecimal() and int(number) < int(parts)):
        raise argparse.ArgumentTypeError(f"{text} is no part such as 0/2")
    return int(number), int(parts)


def main() -> None:
    """Train what is not finished, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", default="*", metavar="NAME,...", help="rows by name; * stands for anything: btl*")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--seed", type=int, default=13)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a setting of all rows alike")
    parser.add_argument("--part", type=part_of, default=(0, 1), metavar="I/N", help="of N processes at once, the I-th")
    parser.add_argument("--retry", action="store_true", help="train failed rows anew")
    parser.add_argument("--table", action="store_true", help="only print what is finished")
    arguments = parser.parse_args()
    bench = Bench(
        arguments.data, out=arguments.out, epochs=arguments.epochs, seed=arguments.seed, overrides=arguments.set
    )
    wanted = arguments.only.split(",")
    rows = [
        row for row in distinct(all_rows(), bench) if any(fnmatch.fnmatchcase(row.name, pattern) for pattern in wanted)
    ]
    if not arguments.table:
        for row in rows if arguments.retry else ():
            if "failed" in (bench.record(row) or {}):
                (bench.folder / f"{row.name}.json").unlink()
                shutil.rmtree(bench.folder / row.name, ignore_errors=True)
        number, parts = arguments.part
        # its own part first, then what others have not begun
        for row in sorted(rows, key=lambda row: (rows.index(row) - number) % parts):
            bench.run(row)
    records = table(rows, bench)
    write_json(bench.folder / "table.json", records)
    print(json.dumps({"data": arguments.data.name, "set": bench.overrides, "rows": records}))


if __name__ == "__main__":
    main()
