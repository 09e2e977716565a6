"""Does a recipe's gain hold elsewhere? Each corpus by its own split, every recipe, one table; one JSON object last.

    OMP_NUM_THREADS=1 python benchmarks/replicate.py ../shared/data --recipes plain,rare --out runs/replicate

DATA holds a folder a corpus. Official parts are kept; a corpus without any is split as `raretag train` splits it.
Recipes train on the same documents for the same steps; then each test document is judged by a calibration and a policy
that were fitted on the other test documents, as `raretag compare` judges by other folds: no document's own gold is
looked at. Finished trainings are kept in --out and interrupted ones go on; the same command beside itself, or on
another machine, takes what nobody is at. `--corpora` names some, `--part 0/2` takes every other training,
`--epochs bc5cdr=3,nubes=1` shortens those of large corpora, for all recipes alike.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from raretag.corpus import Corpus, Document
from raretag.corpus.formats import read_corpus
from raretag.corpus.inventory import mention_counts
from raretag.experiments.comparison.contestant import Contestant, contestant
from raretag.experiments.comparison.differences import Difference, differences
from raretag.experiments.comparison.rows import FIGURES, Row, row_of
from raretag.experiments.cross_validation import Pooled, judged_data, steps_of
from raretag.probability import ScoreCache, score
from raretag.probability.calibration_data import SCORES
from raretag.training import RunFolder, train
from raretag.training.exclusive import BusyError


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--recipes", default="plain,rare", help="the first is the baseline")
    parser.add_argument("--corpora", default="", help="names of folders, with commas; by default all")
    parser.add_argument("--epochs", default="", metavar="CORPUS=N,…")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--part", default="0/1")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    wanted = set(filter(None, arguments.corpora.split(",")))
    folders = [one for one in sorted(arguments.data.iterdir()) if one.is_dir() and (not wanted or one.name in wanted)]
    epochs = dict(one.split("=") for one in filter(None, arguments.epochs.split(",")))
    number, of = map(int, arguments.part.split("/"))
    told: dict[str, Any] = {}
    turn = 0
    for folder in folders:
        own = [f"optimiser.epochs={epochs[folder.name]}"] if folder.name in epochs else []
        corpus = read_corpus(folder)
        recipes = [
            contestant(name, overrides=[*arguments.set, *own], mentions=mention_counts(corpus))
            for name in arguments.recipes.split(",")
        ]
        judged: dict[str, Pooled] = {}
        for recipe in recipes:
            mine = turn % of == number
            turn += 1
            found = judge(recipe, corpus, arguments.out / folder.name / recipe.name) if mine else None
            if found is not None:
                judged[recipe.name] = found
        if len(judged) == len(recipes):
            rows = [row_of(recipe, [judged[recipe.name]], costs=None) for recipe in recipes]
            against = differences(rows, baseline=rows[0].name, schema=judged[rows[0].name].data.schema)
            show(folder.name, rows, against)
            told[folder.name] = {
                "rows": [row.to_json() for row in rows],
                "differences": [one.to_json() for one in against],
            }
    names = arguments.recipes.split(",")
    print(json.dumps({"set": arguments.set, "epochs": epochs, "corpora": told, "holds": holds(told, names[1:])}))


def judge(recipe: Contestant, corpus: Corpus, out: Path) -> Pooled | None:
    """What a recipe's model says of the test documents; None where another process is at its training."""
    try:
        run = train(corpus, out=out, settings=recipe.settings, resume=True)
    except BusyError:
        return None
    documents = test_documents(run, corpus)
    cache = ScoreCache(run.path / SCORES, schema=run.schema)
    if any(document not in cache for document in documents):
        predictor = run.predictor()
        cache.add(documents, lambda some: score(predictor, some))
    schema = run.schema
    return Pooled(
        data=judged_data(
            documents,
            cache.scores(documents),
            mentions=dict(zip(schema.labels, schema.mention_counts, strict=True)),
            schema=schema,
            settings=recipe.settings,
            folds=1,
        ),
        runs=(run,),
        steps=steps_of(run),
        seconds=float(run.manifest["seconds"]),
        peak_mib=int(run.manifest.get("peak_mib", 0)),
    )


def test_documents(run: RunFolder, corpus: Corpus) -> Sequence[Document]:
    test = run.manifest["data"]["test"]
    return sorted((one for one in corpus.documents if one.id in test), key=lambda document: document.id)


def show(corpus: str, rows: Sequence[Row], against: Sequence[Difference]) -> None:
    for row in rows:
        figures = "  ".join(f"{name} {row.figures[name].value or 0:.4f}" for name in FIGURES)
        print(f"{corpus:<12}{row.name:<14}{figures}  {row.steps:.0f} steps  {row.seconds:.0f} s", flush=True)
    for one in against:
        low, high = one.difference.interval or (float("nan"), float("nan"))
        p = "-" if one.adjusted is None else f"{one.adjusted:.4f}"
        print(
            f"{corpus:<12}{one.recipe} {one.figure} {one.difference.value or 0:+.4f} ({low:+.4f} to {high:+.4f}) p {p}"
        )


def holds(told: dict[str, Any], recipes: Sequence[str]) -> dict[str, Any]:
    """On how many corpora the macro-F1 is above the baseline's, and the worst change of micro-F1."""
    found = {}
    for name in recipes:
        changes = {
            figure: [
                one["difference"]["value"]
                for corpus in told.values()
                for one in corpus["differences"]
                if one["recipe"] == name and one["figure"] == figure
            ]
            for figure in ("macro", "micro")
        }
        found[name] = {
            "macro_better": sum(value > 0 for value in changes["macro"]),
            "of": len(told),
            "worst_micro": min(changes["micro"], default=None),
        }
    return found


if __name__ == "__main__":
    main()
