"""Train and score recipes on the same split of each corpus; a table, and one JSON object on the last line.

    python benchmarks/recipes.py ../shared/data/maccrobat --recipes plain,inverse-sqrt --seeds 13 --out runs

Finished runs are kept in --out and interrupted ones are resumed, so that the command can be repeated until it is done.
`--set key=value` changes a setting of all recipes alike. `--inner` leaves the default test part of the corpus unopened
and splits its training part once more: what a choice is made by.
"""

from __future__ import annotations

import argparse
import itertools
import json
import resource
import time
from pathlib import Path
from typing import Any

from raretag.corpus import Corpus
from raretag.corpus.formats import read_corpus
from raretag.corpus.splitting import split_corpus
from raretag.evaluation.run import evaluate_run, unseen_documents
from raretag.training import train
from raretag.training.run_folder import read_json
from raretag.training.settings import TrainSettings
from raretag.training.settings_file import load_settings


def main() -> None:
    """Run every recipe with every seed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, nargs="+")
    parser.add_argument("--recipes", default="plain,inverse-sqrt")
    parser.add_argument("--seeds", default="13")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--inner", action="store_true", help="compare within the training part only")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    rows: dict[str, Any] = {}
    print(f"{'run':<36}{'micro':>8}{'macro':>8}{'macro10':>9}{'head':>7}{'medium':>8}{'tail':>7}{'seconds':>9}")
    wanted = itertools.product(arguments.data, arguments.seeds.split(","), arguments.recipes.split(","))
    for data, seed, recipe in wanted:
        name = f"{data.name}-{recipe}-{seed}"
        corpus = read_corpus(data)
        if arguments.inner:
            split = TrainSettings().split
            outer = split_corpus(corpus, test=split.test, validation=split.validation, seed=TrainSettings().seed)
            corpus = Corpus(documents=outer.train, format=corpus.format)
        row = run(corpus, arguments.out / name, recipe=recipe, seed=int(seed), overrides=arguments.set)
        rows[name] = row
        print(
            f"{name:<36}{shown(row['micro']):>8}{shown(row['macro']):>8}{shown(row['macro10']):>9}{shown(row['head']):>7}"
            f"{shown(row['medium']):>8}{shown(row['tail']):>7}{row['train_seconds']:>9.0f}",
            flush=True,
        )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps({"set": arguments.set, "inner": arguments.inner, "peak_mib": peak, "runs": rows}))


def shown(figure: float | None) -> str:
    """A figure, or - where it is undefined."""
    return "-" if figure is None else f"{figure:.4f}"


def run(corpus: Corpus, out: Path, *, recipe: str, seed: int, overrides: list[str]) -> dict[str, Any]:
    """One recipe, one seed: strict F1 figures on the held-out documents, and seconds."""
    settings = load_settings(recipe_name=recipe, overrides=[*overrides, f"seed={seed}"])
    folder = train(corpus, out=out, settings=settings, resume=True)
    if not (out / "evaluation.json").exists():
        started = time.perf_counter()
        figures = evaluate_run(folder, unseen_documents(folder, corpus).documents)
        folder.write("evaluation.json", {**figures.to_json(), "seconds": round(time.perf_counter() - started, 1)})
    manifest, figures_json = folder.manifest, read_json(out / "evaluation.json")
    strict = figures_json["strict"]
    return {
        "micro": strict["micro"]["f1"],
        "micro_interval": strict["micro"]["f1_interval"],
        "macro": strict["macro"]["f1"],
        "macro_interval": strict["macro"]["f1_interval"],
        "macro10": strict["macro10"]["f1"],
        "mean_recall": figures_json["mean_recall"],
        **{group: strict["groups"][group]["f1"] for group in ("head", "medium", "tail")},
        "overlap_micro": figures_json["overlap"]["micro"]["f1"],
        "documents": {part: len(manifest["data"][part]) for part in ("train", "validation", "test")},
        "precision": manifest["precision"],
        "train_seconds": manifest["seconds"],
        "evaluate_seconds": figures_json.get("seconds"),
    }


if __name__ == "__main__":
    main()
