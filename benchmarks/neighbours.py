"""What neighbours cost, and what they are worth; a table each, and one JSON object on the last line.

    OMP_NUM_THREADS=1 python benchmarks/neighbours.py RUN ../shared/data/maccrobat --out runs/neighbours.json

RUN is a run folder with test documents. A store is made of its training documents.

Cost: its test documents are scored by the model alone and by the model with votes, in turns, so that a drift of the
machine hits both alike. Each ratio is the median over the repeats (of exact searches there is one) of the time with
votes over the time without, less one; `microseconds` are those of the votes alone, by token of the documents, which do
not depend on how fast the encoder is. `agreement` is the share of tokens whose likeliest tag is the one that the exact
search over the whole store leads to, `changes` the same among the tokens where those votes change the model's.

Worth: the test documents are parted into two halves. On one of them settings are chosen and temperatures are fitted, on
the other one the result is judged, and the other way round, so that each document is judged once by what was fitted
without it. Votes are those of the training documents, or of the half that is fitted on ("unseen": the encoder was not
trained on it), each of whose documents is left out of its own search. Losses are means over tokens; `difference` is to
the model with its calibration alone, with a 95 % interval by drawing documents (2000 times, two-sided percentiles).
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from raretag.corpus import Corpus, Document
from raretag.corpus.formats import read_corpus
from raretag.corpus.inventory import TAIL_GROUPS, tail_group
from raretag.probability import TINY, Evidence, Scores, gather, score, score_with_hidden
from raretag.probability.calibrators import calibrator
from raretag.probability.neighbours import (
    ClusteredSearch,
    Datastore,
    ExactSearch,
    FaissSearch,
    NeighbourSettings,
    StoredNeighbours,
    add_votes,
    exact_search,
    mixture,
    tune,
)
from raretag.probability.neighbours.stored import MakeSearch
from raretag.probability.run_context import context_of
from raretag.tagging import Schema, Tokens, encode
from raretag.training import RunFolder

Floats = npt.NDArray[np.float32]
Losses = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

# what `worth` calls fast
FAST: Final = ClusteredSearch
FAST_CERTAIN: Final = 0.9
CALIBRATED: Final = "calibrated"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--parts", default="cost,worth")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--method", default="temperature", help="the calibrator")
    given = parser.parse_args()
    run = RunFolder.open(given.run)
    corpus, predictor = read_corpus(given.data), run.predictor()
    training, test = (part_of(corpus, run, part) for part in ("train", "test"))
    scores = score_with_hidden(predictor, training)
    stored = StoredNeighbours.of(scores, gold(training, scores, run), schema=run.schema)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    file = given.out.with_suffix(".safetensors")
    stored.save(file)
    size = file.stat().st_size / len(stored)
    print(f"{len(stored)} stored tokens of width {stored.datastore.keys.shape[1]}, {size:.1f} bytes each")
    result: dict[str, Any] = {
        "stored": len(stored),
        "megabytes_per_million": round(size, 1),
        "threads": os.environ.get("OMP_NUM_THREADS"),
    }
    if "cost" in given.parts.split(","):
        result["cost"] = cost(file, predictor, test, repeats=given.repeats)
    if "worth" in given.parts.split(","):
        judged = score_with_hidden(predictor, test)
        result["worth"] = worth(file, judged, gold(test, judged, run), run=run, method=given.method)
    given.out.write_text(json.dumps(result, indent=1), encoding="utf-8")
    if "cost" in result:
        del result["cost"]["times"]
    print(json.dumps(result))


@dataclass(frozen=True, kw_only=True)
class Way:
    """One way to get votes."""

    store: Datastore
    settings: NeighbourSettings
    certain: float = 1.0
    # timed in the first turn alone
    slow: bool = False

    def add(self, scores: Sequence[Scores]) -> Floats:
        hidden = np.concatenate([one.hidden for one in scores if one.hidden is not None])
        p = np.concatenate([one.probabilities for one in scores])
        return add_votes(p, hidden, store=self.store, settings=self.settings, certain=self.certain)


def cost(file: Path, predictor: Any, test: list[Document], *, repeats: int) -> dict[str, Any]:
    ways = ways_of(file)
    times: dict[str, list[float]] = {name: [] for name in ("alone", "hidden", *ways)}
    judged: list[Scores] = []
    likeliest: dict[str, Integers] = {}
    for turn in range(repeats):
        times["alone"].append(seconds(lambda: score(predictor, test)))
        started = time.perf_counter()
        judged = score_with_hidden(predictor, test)
        times["hidden"].append(time.perf_counter() - started)
        for name, way in ways.items():
            if turn and way.slow:
                continue
            started = time.perf_counter()
            p = way.add(judged)
            times[name].append(time.perf_counter() - started)
            likeliest[name] = p.argmax(axis=1)
    rows = {}
    alone, exact = np.concatenate([one.probabilities for one in judged]).argmax(axis=1), likeliest["exact"]
    changed = exact != alone
    for name, tags in likeliest.items():
        same = tags == exact
        extra = [
            (hidden + votes) / without - 1
            for without, hidden, votes in zip(times["alone"], times["hidden"], times[name], strict=False)
        ]
        rows[name] = {
            "extra": round(statistics.median(extra), 4),
            "microseconds": round(statistics.median(times[name]) / len(alone) * 1e6, 1),
            "agreement": round(float(same.mean()), 5),
            "changes": round(float(same[changed].mean()), 4),
        }
        print(
            f"{name:<46} +{rows[name]['extra']:7.1%}, {rows[name]['microseconds']:7.1f} µs a token, "
            f"agrees {rows[name]['agreement']:.4f}, "
            f"of changes {rows[name]['changes']:.3f}",
            flush=True,
        )
    hidden_alone = [hidden / without - 1 for without, hidden in zip(times["alone"], times["hidden"], strict=True)]
    return {
        "tokens": len(alone),
        "seconds_alone": round(statistics.median(times["alone"]), 3),
        "extra_of_hidden_states": round(statistics.median(hidden_alone), 4),
        "ways": rows,
        "times": times,
    }


def ways_of(file: Path) -> dict[str, Way]:
    """Exact ways first; all of the store on disk."""
    plain, few = NeighbourSettings(), NeighbourSettings(neighbours=16)
    whole, numpy_alone = (StoredNeighbours.load(file, search=one).datastore for one in (FaissSearch, ExactSearch))
    found = {
        "exact": Way(store=whole, settings=plain, slow=True),
        "exact, without faiss": Way(store=numpy_alone, settings=plain, slow=True),
        "exact, certain 0.99": Way(store=whole, settings=plain, certain=0.99, slow=True),
    }
    for width, probes in ((384, 16), (384, 8), (192, 16), (192, 8), (64, 8), (64, 4)):
        near = StoredNeighbours.load(file, search=partial(ClusteredSearch, probes=probes, width=width)).datastore
        for certain in (1.0, 0.99, 0.9):
            found[f"width {width}, probes {probes}, certain {certain}"] = Way(
                store=near, settings=plain, certain=certain
            )
        name = f"width {width}, probes {probes}, certain 0.9, 16 neighbours"
        found[name] = Way(store=near, settings=few, certain=0.9)
    return found


def worth(
    file: Path, scores: list[Scores], tags: list[Integers], *, run: RunFolder, method: str
) -> dict[str, dict[str, Any]]:
    """Losses of every way to combine votes and calibration, cross-fitted over two halves of the documents."""
    order = np.random.default_rng(0).permutation(len(scores))
    halves = [np.sort(order[::2]), np.sort(order[1::2])]
    stores = {
        "all": StoredNeighbours.load(file).datastore,
        "mentions": StoredNeighbours.load(file).datastore.mentions(),
        "fast": StoredNeighbours.load(file, search=FAST).datastore,
    }
    found: dict[str, list[Losses]] = {}
    chosen: dict[str, list[Any]] = {}
    judged: list[Evidence] = []
    for fitting, judging in (halves, halves[::-1]):
        given = [
            gather([scores[n] for n in half], [tags[n] for n in half], schema=run.schema) for half in (fitting, judging)
        ]
        judged.append(given[1])
        fit = Fit(run=run, method=method, fitting=given[0], judging=given[1])
        for name, (p, settings) in fit.ways(stores).items():
            found.setdefault(name, []).append(losses_of(p, given[1]))
            if settings is not None:
                chosen.setdefault(name, []).append(settings.model_dump(mode="json"))
    return told(
        {name: np.concatenate(parts) for name, parts in found.items()},
        tags=np.concatenate([one.tags[one.judged] for one in judged]),
        owners=np.concatenate([one.owners[one.judged] + 10**6 * side for side, one in enumerate(judged)]),
        schema=run.schema,
        chosen=chosen,
    )


# probabilities of the tokens of both halves: fitted on the first, judged on the second
Pair = tuple[Floats, Floats]


@dataclass(frozen=True, kw_only=True)
class Fit:
    """One half to fit on, the other one to judge."""

    run: RunFolder
    method: str
    fitting: Evidence
    judging: Evidence

    def ways(self, stores: dict[str, Datastore]) -> dict[str, tuple[Floats, NeighbourSettings | None]]:
        """What each way says of the half to judge, and the settings it chose."""
        model: Pair = (self.fitting.probabilities, self.judging.probabilities)
        calibrated, whole = self.calibrated(model), stores["all"]
        found: dict[str, tuple[Floats, NeighbourSettings | None]] = {
            "model": (model[1], None),
            CALIBRATED: (calibrated[1], None),
        }
        default = NeighbourSettings()
        mixed = self.mixed(model, whole, default)
        found["votes at default settings"] = (mixed[1], default)
        found["votes at default settings, calibrated"] = (self.calibrated(mixed)[1], default)
        settings = self.tuned(model, whole)
        mixed = self.mixed(model, whole, settings)
        found["tuned votes"] = (mixed[1], settings)
        found["tuned votes, calibrated"] = (self.calibrated(mixed)[1], settings)
        # a fit for every setting: of other methods that takes minutes
        if self.method == "temperature":
            settings = self.jointly(model, whole)
            found["votes tuned for what calibration makes of them"] = (
                self.calibrated(self.mixed(model, whole, settings))[1],
                settings,
            )
        settings = self.tuned(calibrated, whole)
        mixed = self.mixed(calibrated, whole, settings)
        found["calibrated, tuned votes"] = (mixed[1], settings)
        found["calibrated, tuned votes, calibrated"] = (self.calibrated(mixed)[1], settings)
        settings = self.tuned(calibrated, stores["mentions"])
        found["calibrated, tuned votes of mentions"] = (
            self.mixed(calibrated, stores["mentions"], settings)[1],
            settings,
        )
        settings = self.tuned(calibrated, stores["fast"])
        found["calibrated, tuned votes, fast"] = (self.mixed(calibrated, stores["fast"], settings)[1], settings)
        fast = self.mixed(calibrated, stores["fast"], settings, certain=FAST_CERTAIN)
        found["calibrated, tuned votes, fast, certain tokens left"] = (fast[1], settings)
        # states that the encoder was not fitted to
        unseen = self.unseen()
        for name, store in (("", unseen), (" in mentions", unseen.mentions())):
            settings = self.tuned(calibrated, store, owners=self.fitting.owners)
            mixed = self.mixed(calibrated, store, settings)
            found[f"calibrated, tuned votes of unseen{name}"] = (mixed[1], settings)
        store = self.unseen(search=FAST)
        settings = self.tuned(calibrated, store, owners=self.fitting.owners)
        for certain in (1.0, 0.99, FAST_CERTAIN):
            mixed = self.mixed(calibrated, store, settings, certain=certain)
            found[f"calibrated, tuned votes of unseen, fast, certain {certain}"] = (mixed[1], settings)
        return found

    def unseen(self, *, search: MakeSearch = exact_search) -> Datastore:
        """The half to fit on."""
        one, kept = self.fitting, self.fitting.judged
        return Datastore(states(one)[kept], one.tags[kept], owners=one.owners[kept], search=search)

    def calibrated(self, pair: Pair) -> Pair:
        fitted = calibrator(self.method).fit(replace(self.fitting, probabilities=pair[0]), context=context_of(self.run))
        none = np.zeros(0, np.int64)
        tokens = Tokens(ids=none, starts=none, ends=none)
        first, second = (
            fitted.apply(
                Scores(document="", tokens=tokens, probabilities=p, hidden=one.hidden), schema=one.schema
            ).probabilities
            for p, one in zip(pair, (self.fitting, self.judging), strict=True)
        )
        return first, second

    def tuned(self, pair: Pair, store: Datastore, *, owners: Integers | None = None) -> NeighbourSettings:
        one = self.fitting
        nearest = store.look_up(states(one), tags=len(one.schema.tags), neighbours=64, owners=owners)
        return tune(nearest, pair[0], one.tags, owners=one.owners)

    def jointly(self, pair: Pair, store: Datastore) -> NeighbourSettings:
        """The settings with the least log-loss once a calibration was fitted on the mixture."""
        one = self.fitting
        nearest = store.look_up(states(one), tags=len(one.schema.tags), neighbours=64)
        best = (np.inf, NeighbourSettings(weight=0))
        for neighbours, temperature, exponent in product((16, 64), (0.03, 0.1, 0.3), (0.0, 0.25)):
            for weight in (0.0, 0.05, 0.1, 0.3):
                settings = NeighbourSettings(
                    neighbours=neighbours, temperature=temperature, prior_exponent=exponent, weight=weight
                )
                p = mixture(pair[0], nearest.votes(settings=settings), settings=settings)
                loss = losses_of(self.calibrated((p, pair[1]))[0], one)[:, 0].mean()
                best = min(best, (float(loss), settings), key=lambda pair: pair[0])
        return best[1]

    def mixed(self, pair: Pair, store: Datastore, settings: NeighbourSettings, *, certain: float = 1.0) -> Pair:
        first, second = (
            add_votes(p, states(one), store=store, settings=settings, certain=certain)
            for p, one in zip(pair, (self.fitting, self.judging), strict=True)
        )
        return first, second


def told(
    found: dict[str, Losses], *, tags: Integers, owners: Integers, schema: Schema, chosen: dict[str, list[Any]]
) -> dict[str, dict[str, Any]]:
    groups = np.array(["O", *(tail_group(count) for count in schema.mention_counts)])[schema.groups[tags]]
    _, number = np.unique(owners, return_inverse=True)
    drawn = np.random.default_rng(0).multinomial(
        number.max() + 1, np.full(number.max() + 1, 1 / (number.max() + 1)), 2000
    )
    lengths = np.bincount(number)
    rows: dict[str, dict[str, Any]] = {}
    for name, losses in found.items():
        row: dict[str, Any] = {}
        for column, what in enumerate(("log_loss", "brier")):
            apart = losses[:, column] - found[CALIBRATED][:, column]
            sums = drawn @ np.bincount(number, weights=apart) / (drawn @ lengths)
            row[what] = round(float(losses[:, column].mean()), 5)
            row[f"{what}_difference"] = round(float(apart.mean()), 5)
            row[f"{what}_interval"] = [round(float(one), 5) for one in np.percentile(sums, [2.5, 97.5])]
        row["log_loss_by_group"] = {
            group: round(float(losses[groups == group, 0].mean()), 4)
            for group in ("O", *TAIL_GROUPS)
            if (groups == group).any()
        }
        row["settings"] = chosen.get(name)
        rows[name] = row
        print(
            f"{name:<52} log-loss {row['log_loss']:.4f} ({row['log_loss_difference']:+.4f}, "
            f"{row['log_loss_interval'][0]:+.4f} to {row['log_loss_interval'][1]:+.4f}), "
            f"Brier {row['brier']:.4f} ({row['brier_difference']:+.4f}, "
            f"{row['brier_interval'][0]:+.4f} to {row['brier_interval'][1]:+.4f})  {row['log_loss_by_group']}",
            flush=True,
        )
    return rows


def losses_of(p: Floats, evidence: Evidence) -> Losses:
    """−ln p(gold) and Σ (p − gold)² of the tokens with a gold tag, float64 (tokens, 2)."""
    rows = np.flatnonzero(evidence.judged)
    wide, gold_tags = p[rows].astype(np.float64), evidence.tags[rows]
    of_gold = wide[np.arange(len(rows)), gold_tags]
    return np.stack([-np.log(np.maximum(of_gold, TINY)), (wide**2).sum(axis=1) - 2 * of_gold + 1], axis=1)


def states(evidence: Evidence) -> Floats:
    assert evidence.hidden is not None
    return np.asarray(evidence.hidden)


def part_of(corpus: Corpus, run: RunFolder, part: str) -> list[Document]:
    named = run.manifest["data"][part]
    return [document for document in corpus.documents if document.id in named]


def gold(documents: list[Document], scores: list[Scores], run: RunFolder) -> list[Integers]:
    schema, overlaps = run.schema, run.manifest["settings"]["tagging"]["overlaps"]
    counts = dict(zip(schema.labels, schema.mention_counts, strict=True))
    return [
        encode(document, one.tokens, schema=schema, overlaps=overlaps, counts=counts).tags
        for document, one in zip(documents, scores, strict=True)
    ]


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
