"""Does a recipe's gain hold elsewhere? Each corpus by its own split, every recipe, one table; one JSON object last.

    OMP_NUM_THREADS=1 python benchmarks/replicate.py ../shared/data --recipes plain,rare --out runs/replicate

DATA holds a folder a corpus. Official parts are kept; a corpus without any is split as `raretag train` splits it, with
15 % of the documents to validate. Recipes train on the same documents, whatever seed and split their files name;
calibration and policy are fixed on the validation documents, which also stop a training early, and decide the test
documents once. Recipes that train alike share a training, finished ones are kept in --out, and interrupted ones go on;
the same command beside itself, or on another machine, takes what nobody is at. macro10 is over labels with at least
ten mentions in the test documents.
Progress is told on standard error.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from raretag.cli.output import status
from raretag.cli.overrides import check_used
from raretag.cli.progress import TrainingProgress
from raretag.cli.targets import check_outside
from raretag.corpus import Corpus, Document
from raretag.corpus.fingerprints import drawn_hash
from raretag.corpus.formats import read_corpus
from raretag.corpus.inventory import mention_counts
from raretag.corpus.splitting import OFFICIAL, split_corpus
from raretag.decision import most_probable_mentions
from raretag.decision.deciding import Deciding
from raretag.errors import DataError, RaretagError
from raretag.evaluation import GOLD, Counts, count_matches
from raretag.evaluation.significance import holm, paired_p_value
from raretag.experiments.comparison.contestant import Contestant, contestant
from raretag.experiments.comparison.rows import figure
from raretag.experiments.cross_validation import judged_data, steps_of
from raretag.probability import ScoreCache, score
from raretag.probability.calibration_data import SCORES
from raretag.probability.mention_calibration import fit_mention_calibration, judge_candidates
from raretag.tagging import Schema
from raretag.training import RunFolder, train
from raretag.training.exclusive import BusyError, alone
from raretag.training.settings import SplitSettings, TrainSettings

FIGURES = ("micro", "macro", "macro10", "head", "medium", "tail", "rare_recall")
VALIDATION = 0.15


@dataclass(frozen=True, kw_only=True)
class Judged:
    """One recipe on one corpus' test documents."""

    counts: Counts
    schema: Schema
    steps: int
    seconds: float

    def figure(self, name: str) -> float | None:
        value = float(figure_of(name, self)(self.counts.values.sum(axis=0)[None].astype(np.float64))[0])
        return None if np.isnan(value) else value


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--recipes", default="plain,rare", help="the first is the baseline")
    parser.add_argument("--corpora", default="", help="names of folders, with commas; by default all")
    parser.add_argument(
        "--share", default="", metavar="CORPUS=SHARE,…", help="of every recipe's epochs, for large ones"
    )
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    if not arguments.data.is_dir():
        parser.error(f"{arguments.data} is no folder; name one that holds a folder a corpus")
    there = {one.name: one for one in sorted(arguments.data.iterdir()) if one.is_dir()}
    wanted = [*filter(None, arguments.corpora.split(","))] or [*there]
    try:
        shares = {
            name: float(share) for name, share in (one.split("=") for one in filter(None, arguments.share.split(",")))
        }
    except ValueError:
        parser.error(f"--share {arguments.share!r}: write CORPUS=SHARE, with commas")
    for name in (*wanted, *shares):
        if name not in there:
            parser.error(f"there is no corpus {name!r}; there are: {', '.join(there)}")
    if any(not 0 < share <= 1 for share in shares.values()):
        parser.error("a share of the epochs is above 0 and at most 1")
    names = arguments.recipes.split(",")
    told: dict[str, Any] = {}
    failed: dict[str, str] = {}
    try:
        check_outside(arguments.out, name="--out", source=arguments.data, source_name="DATA")
        check_used(
            arguments.set, own={"split": "Parts are the corpus' own, or drawn alike for all"}, by="a replication"
        )
        labels = [contestant(name, overrides=arguments.set).name for name in names]
        if len({*labels}) < len(labels):
            parser.error("a recipe is named twice; name each once, and give files different names")
    except RaretagError as error:
        parser.exit(error.exit_code, f"{error}\n")
    for name in wanted:
        try:
            found = on_corpus(
                there[name], names, overrides=arguments.set, share=shares.get(name, 1.0), out=arguments.out / name
            )
            if found is not None:
                told[name] = compared(found, baseline=labels[0])
                show(name, told[name])
        except RaretagError as error:
            # the others are told all the same
            failed[name] = str(error)
    left = [name for name in wanted if name not in {*told, *failed}]
    print(
        json.dumps(
            {
                "set": arguments.set,
                "share": shares,
                "left": left,
                "failed": failed,
                "corpora": told,
                "holds": holds(told, labels),
            }
        )
    )
    problems = [f"{name}: {why}" for name, why in failed.items()]
    if left:
        problems.append(f"others are at: {', '.join(left)}; the same command tells them once they are done")
    if problems:
        parser.exit(1, "\n".join(problems) + "\n")


def on_corpus(
    folder: Path, names: Sequence[str], *, overrides: Sequence[str], share: float, out: Path
) -> dict[str, Judged] | None:
    """None where another process is at one of the trainings."""
    corpus = read_corpus(folder)
    mentions = mention_counts(corpus)
    recipes = [contestant(name, overrides=overrides, mentions=mentions) for name in names]
    # a recipe with documents of its own could not be compared
    seed, shares = recipes[0].settings.seed, SplitSettings(validation=VALIDATION)
    parts = split_corpus(corpus, test=shares.test, validation=shares.validation, seed=seed)
    if not parts.validation or not parts.test:
        raise DataError(
            f"it has {len(parts.validation)} documents to validate and {len(parts.test)} to test",
            remedy="Give it both parts, or name the other corpora by --corpora",
        )
    alike = {"seed": seed, "split": SplitSettings() if parts.origin == OFFICIAL else shares}
    data = drawn_hash(corpus.documents)
    judged = {}
    for recipe in recipes:
        if (recipe.settings.seed, recipe.settings.split) != (seed, SplitSettings()):
            status().print(f"{recipe.name}: its seed and split are not looked at: all recipes have the same")
        recipe = replace(recipe, settings=shortened(recipe.settings, share=share).model_copy(update=alike))
        try:
            judged[recipe.name] = judge(recipe, corpus, out / recipe.key(seed=recipe.settings.seed, data=data, folds=1))
        except BusyError:
            continue
        except RaretagError as error:
            raise type(error)(f"recipe {recipe.name}: {error.what}", remedy=error.remedy, file=error.file) from error
    return judged if len(judged) == len(names) else None


def shortened(settings: TrainSettings, *, share: float) -> TrainSettings:
    """With this share of the epochs of each of its models, at least one."""

    def of(optimiser: dict[str, Any]) -> dict[str, Any]:
        scaled = {"epochs": max(1, round(optimiser["epochs"] * share))} if "epochs" in optimiser else {}
        return {**optimiser, **scaled}

    ensemble = [
        {name: of(part) if name == "optimiser" else part for name, part in parts.items()} for parts in settings.ensemble
    ]
    told = settings.model_dump()
    return TrainSettings.model_validate({**told, "optimiser": of(told["optimiser"]), "ensemble": ensemble})


def judge(recipe: Contestant, corpus: Corpus, out: Path) -> Judged:
    """Train, fix calibration and policy on the validation documents, decide the test documents."""
    console = status()
    with TrainingProgress.shown(console) as progress:
        run = train(
            corpus,
            out=out,
            settings=recipe.settings,
            resume=True,
            callbacks=[progress],
            announce=lambda stage: console.print(f"{out.parent.name}, {recipe.name}: {stage}"),
        )
    cache = ScoreCache(run.path / SCORES, schema=run.schema)
    fixing, test = (part(run, corpus, name) for name in ("validation", "test"))
    missing = [one for one in (*fixing, *test) if one not in cache]
    if missing:
        # as it was trained, whichever machine judges
        predictor = replace(run.predictor(), precision=run.manifest["precision"])
        (run.path / SCORES).mkdir(exist_ok=True)
        with alone(run.path / SCORES):
            cache.add(missing, lambda some: score(predictor, some))
    schema = run.schema
    counts = dict(zip(schema.labels, schema.mention_counts, strict=True))
    data = judged_data(fixing, cache.scores(fixing), mentions=counts, schema=schema, settings=recipe.settings, folds=1)
    policy = Deciding(data).policy(recipe.asked(None, schema=schema))
    known = [
        judge_candidates(one, gold.mentions, schema=data.schema)
        for one, gold in zip(data.scores, data.gold, strict=True)
    ]
    mentions = fit_mention_calibration(known, schema=data.schema)
    found = {}
    for one in cache.scores(test):
        argmax = most_probable_mentions([one], schema=schema)[one.document]
        decision = policy.decide(mentions.candidates(one, schema=data.schema), schema=data.schema, argmax=argmax)
        found[one.document] = decision.accepted
    return Judged(
        counts=count_matches(test, found, labels=schema.labels, scheme="strict"),
        schema=schema,
        steps=steps_of(run),
        seconds=float(run.manifest["seconds"]),
    )


def part(run: RunFolder, corpus: Corpus, name: str) -> Sequence[Document]:
    members = run.manifest["data"][name]
    return sorted((one for one in corpus.documents if one.id in members), key=lambda document: document.id)


def figure_of(name: str, judged: Judged) -> Any:
    """As `raretag compare` has it; but macro10 asks the gold of these test documents."""
    schema = judged.schema
    if name == "macro10":
        gold = dict(zip(judged.counts.labels, judged.counts.values.sum(axis=0)[:, GOLD].tolist(), strict=True))
        schema = replace(schema, mention_counts=tuple(gold[label] for label in schema.labels))
    return figure(name, judged.counts, schema=schema)


def compared(judged: dict[str, Judged], *, baseline: str) -> dict[str, Any]:
    """Figures by recipe, and p-values of the differences from the baseline, corrected over the recipes."""
    base = judged[baseline]
    others = [name for name in judged if name != baseline]
    if any(judged[name].counts.documents != base.counts.documents for name in others):
        raise DataError("recipes have been tested on different documents", remedy="Choose another --out")
    told: dict[str, Any] = {
        name: {**{key: one.figure(key) for key in FIGURES}, "steps": one.steps, "seconds": one.seconds, "p_holm": {}}
        for name, one in judged.items()
    }
    for key in FIGURES:
        p = [
            paired_p_value(
                judged[name].counts.values, base.counts.values, groups=base.counts.groups, figure=figure_of(key, base)
            )
            for name in others
        ]
        adjusted = iter(holm([one for one in p if one is not None]))
        for name, one in zip(others, p, strict=True):
            told[name]["p_holm"][key] = None if one is None else next(adjusted)
    return told


def show(corpus: str, rows: dict[str, Any]) -> None:
    for name, row in rows.items():
        figures = "  ".join(f"{key} {'-' if row[key] is None else format(row[key], '.4f')}" for key in FIGURES)
        p = "  ".join(f"p {key} {value:.4f}" for key, value in row["p_holm"].items() if value is not None)
        print(f"{corpus:<12} {name:<12} {figures}  {row['steps']} steps  {row['seconds']:.0f} s  {p}", flush=True)


def holds(told: dict[str, Any], recipes: Sequence[str]) -> dict[str, Any]:
    """On how many corpora the macro-F1 is above the baseline's, and the worst change of micro-F1."""
    found = {}
    for name in recipes[1:]:
        changes = {
            key: [
                row[name][key] - row[recipes[0]][key]
                for row in told.values()
                if None not in (row[name][key], row[recipes[0]][key])
            ]
            for key in ("macro", "micro")
        }
        found[name] = {
            "macro_better": sum(value > 0 for value in changes["macro"]),
            "of": len(changes["macro"]),
            "worst_micro": min(changes["micro"], default=None),
        }
    return found


if __name__ == "__main__":
    main()
