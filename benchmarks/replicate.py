"""Does a recipe's gain hold elsewhere? Each corpus by its own split, every recipe, one table; one JSON object last.

    OMP_NUM_THREADS=1 python benchmarks/replicate.py ../shared/data --recipes plain,inverse-sqrt --out runs/replicate

DATA holds a folder a corpus. Official parts are kept; a corpus without any is split as `raretag train` splits it.
Recipes train on the same documents and mark the most probable tags; what calibration and decisions add is for
`raretag compare`. Finished trainings are kept in --out and interrupted ones go on; the same command beside itself, or
on another machine, takes what nobody is at. `--corpora` names some, `--part 0/2` takes every other training.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from raretag.corpus import Corpus, Document
from raretag.corpus.formats import read_corpus
from raretag.decision import most_probable_mentions
from raretag.evaluation import Counts, count_matches
from raretag.evaluation.significance import holm, paired_p_value
from raretag.experiments.comparison.contestant import Contestant, contestant
from raretag.experiments.comparison.rows import figure
from raretag.probability import ScoreCache, score
from raretag.probability.calibration_data import SCORES
from raretag.tagging import Schema
from raretag.training import RunFolder, train
from raretag.training.exclusive import BusyError

FIGURES = ("micro", "macro", "macro10", "mean_recall", "rare_recall")


@dataclass(frozen=True, kw_only=True)
class Judged:
    """One recipe on one corpus' test documents."""

    counts: Counts
    schema: Schema
    seconds: float

    def figure(self, name: str) -> float:
        totals = self.counts.values.sum(axis=0)[None].astype(np.float64)
        return float(figure(name, self.counts, schema=self.schema)(totals)[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--recipes", default="plain,inverse-sqrt", help="the first is the baseline")
    parser.add_argument("--corpora", default="", help="names of folders, with commas; by default all")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--part", default="0/1")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    wanted = set(filter(None, arguments.corpora.split(",")))
    folders = [one for one in sorted(arguments.data.iterdir()) if one.is_dir() and (not wanted or one.name in wanted)]
    recipes = [contestant(name, overrides=arguments.set) for name in arguments.recipes.split(",")]
    number, of = map(int, arguments.part.split("/"))
    rows: dict[str, Any] = {}
    turn = 0
    for folder in folders:
        corpus = read_corpus(folder)
        judged: dict[str, Judged] = {}
        for recipe in recipes:
            mine = turn % of == number
            turn += 1
            found = judge(recipe, corpus, arguments.out / folder.name / recipe.name) if mine or of == 1 else None
            if found is not None:
                judged[recipe.name] = found
        if len(judged) == len(recipes):
            rows[folder.name] = compared(judged, baseline=recipes[0].name)
            show(folder.name, rows[folder.name])
    print(json.dumps({"set": arguments.set, "corpora": rows, "holds": holds(rows, [one.name for one in recipes])}))


def judge(recipe: Contestant, corpus: Corpus, out: Path) -> Judged | None:
    """None where another process is at it."""
    try:
        run = train(corpus, out=out, settings=recipe.settings, resume=True)
    except BusyError:
        return None
    documents = test_documents(run, corpus)
    cache = ScoreCache(run.path / SCORES, schema=run.schema)
    if any(document not in cache for document in documents):
        predictor = run.predictor()
        cache.add(documents, lambda some: score(predictor, some))
    found = most_probable_mentions(cache.scores(documents), schema=run.schema)
    counts = count_matches(documents, found, labels=run.schema.labels, scheme="strict")
    return Judged(counts=counts, schema=run.schema, seconds=float(run.manifest["seconds"]))


def test_documents(run: RunFolder, corpus: Corpus) -> Sequence[Document]:
    test = run.manifest["data"]["test"]
    return [document for document in corpus.documents if document.id in test]


def compared(judged: dict[str, Judged], *, baseline: str) -> dict[str, Any]:
    """Figures by recipe, and p-values of the differences from the baseline, corrected over the recipes."""
    base = judged[baseline]
    others = [name for name in judged if name != baseline]
    told: dict[str, Any] = {
        name: {**{key: one.figure(key) for key in FIGURES}, "seconds": one.seconds, "p_holm": {}}
        for name, one in judged.items()
    }
    for key in FIGURES:
        p = [
            paired_p_value(
                judged[name].counts.values,
                base.counts.values,
                groups=base.counts.groups,
                figure=figure(key, base.counts, schema=base.schema),
            )
            for name in others
        ]
        adjusted = iter(holm([one for one in p if one is not None]))
        for name, one in zip(others, p, strict=True):
            told[name]["p_holm"][key] = None if one is None else next(adjusted)
    told["documents"] = len(base.counts.documents)
    return told


def show(corpus: str, row: dict[str, Any]) -> None:
    for name, one in row.items():
        if isinstance(one, dict):
            figures = "  ".join(f"{key} {one[key]:.4f}" for key in FIGURES)
            p = "  ".join(f"p {key} {value:.4f}" for key, value in one["p_holm"].items() if value is not None)
            print(f"{corpus:<14}{name:<20}{figures}  {one['seconds']:.0f} s  {p}", flush=True)


def holds(rows: dict[str, Any], recipes: list[str]) -> dict[str, Any]:
    """On how many corpora the macro-F1 is above the baseline's, and the worst change of micro-F1."""
    base = recipes[0]
    return {
        name: {
            "macro_better": sum(row[name]["macro"] > row[base]["macro"] for row in rows.values()),
            "of": len(rows),
            "worst_micro": min((row[name]["micro"] - row[base]["micro"] for row in rows.values()), default=None),
        }
        for name in recipes[1:]
    }


if __name__ == "__main__":
    main()
