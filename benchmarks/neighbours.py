"""What neighbours cost: scoring with and without their votes, in turns; one JSON object on the last line.

    OMP_NUM_THREADS=2 python benchmarks/neighbours.py RUN ../shared/data/maccrobat --out runs/neighbours.json

RUN is a run folder with test documents. A store is made of its training documents. Then its test documents are scored
by the model alone and by the model with votes, in turns, so that a drift of the machine hits both alike. Each ratio is
the median over the repeats of the time with votes over the time without, less one. A `certain` below 1 leaves out the
tokens whose likeliest tag is likelier than that. `agreement` is the share of tokens whose likeliest tag is the one that
the exact search over the whole store leads to, `log_loss` the mean of -ln p(gold).
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from raretag.corpus import Corpus, Document
from raretag.corpus.formats import read_corpus
from raretag.probability import Scores, score, score_with_hidden
from raretag.probability.neighbours import (
    ClusteredSearch,
    Datastore,
    ExactSearch,
    FaissSearch,
    NeighbourSettings,
    StoredNeighbours,
    add_votes,
    faiss_installed,
)
from raretag.tagging import encode
from raretag.training import RunFolder


@dataclass(frozen=True, kw_only=True)
class Way:
    """One way to get votes."""

    store: Datastore
    settings: NeighbourSettings
    certain: float = 1.0

    def add(self, scores: list[Scores]) -> np.ndarray[Any, np.dtype[np.float32]]:
        hidden = np.concatenate([one.hidden for one in scores if one.hidden is not None])
        p = np.concatenate([one.probabilities for one in scores])
        return add_votes(p, hidden, store=self.store, settings=self.settings, certain=self.certain)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--repeats", type=int, default=5)
    given = parser.parse_args()
    run = RunFolder.open(given.run)
    corpus, predictor = read_corpus(given.data), run.predictor()
    training, test = (part_of(corpus, run, part) for part in ("train", "test"))
    scores = score_with_hidden(predictor, training)
    stored = StoredNeighbours.of(scores, gold(training, scores, run), schema=run.schema)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    file = given.out.with_suffix(".safetensors")
    stored.save(file)
    size = file.stat().st_size / sum(len(one.tokens) for one in scores)
    print(f"{len(stored)} stored tokens of width {stored.datastore.keys.shape[1]}, {size:.1f} bytes a token")
    ways = ways_of(file)
    times: dict[str, list[float]] = {name: [] for name in ("alone", "hidden", *ways)}
    judged: list[Scores] = []
    for _ in range(given.repeats):
        times["alone"].append(seconds(lambda: score(predictor, test)))
        started = time.perf_counter()
        judged = score_with_hidden(predictor, test)
        times["hidden"].append(time.perf_counter() - started)
        for name, way in ways.items():
            times[name].append(seconds(partial(way.add, judged)))
    tags = np.concatenate(gold(test, judged, run))
    rows = {}
    exact = ways["exact"].add(judged).argmax(axis=1)
    for name, way in ways.items():
        p = way.add(judged)
        extra = [
            (hidden + votes) / alone - 1
            for alone, hidden, votes in zip(times["alone"], times["hidden"], times[name], strict=True)
        ]
        rows[name] = {
            "extra": round(statistics.median(extra), 4),
            "agreement": round(float((p.argmax(axis=1) == exact).mean()), 5),
            "log_loss": round(log_loss(p, tags), 5),
        }
        print(f"{name:<40} +{rows[name]['extra']:.1%}, agrees {rows[name]['agreement']:.4f}", flush=True)
    result = {
        "tokens": len(tags),
        "stored": len(stored),
        "bytes_per_million": round(size * 1e6),
        "megabytes_per_million": round(size, 1),
        "seconds_alone": round(statistics.median(times["alone"]), 3),
        "log_loss_alone": round(log_loss(np.concatenate([one.probabilities for one in judged]), tags), 5),
        "threads": os.environ.get("OMP_NUM_THREADS"),
        "ways": rows,
        "times": times,
    }
    given.out.write_text(json.dumps(result, indent=1), encoding="utf-8")
    print(json.dumps({name: value for name, value in result.items() if name != "times"}))


def ways_of(file: Path) -> dict[str, Way]:
    """Exact ways first; all of the store on disk."""
    plain, mentions = NeighbourSettings(), NeighbourSettings(store="mentions")
    whole = StoredNeighbours.load(file, search=ExactSearch).datastore
    found = {
        "exact": Way(store=whole, settings=plain),
        "exact, mentions": Way(store=whole.mentions(), settings=mentions),
        "exact, certain 0.99": Way(store=whole, settings=plain, certain=0.99),
    }
    if faiss_installed():
        fast = StoredNeighbours.load(file, search=FaissSearch).datastore
        found["faiss"] = Way(store=fast, settings=plain)
        found["faiss, certain 0.99"] = Way(store=fast, settings=plain, certain=0.99)
    for probes in (8, 16):
        near = StoredNeighbours.load(file, search=partial(ClusteredSearch, probes=probes)).datastore
        found[f"clusters {probes}"] = Way(store=near, settings=plain)
        for certain in (0.99, 0.9):
            found[f"clusters {probes}, certain {certain}"] = Way(store=near, settings=plain, certain=certain)
        few = NeighbourSettings(neighbours=16)
        found[f"clusters {probes}, certain 0.9, 16 neighbours"] = Way(store=near, settings=few, certain=0.9)
    return found


def part_of(corpus: Corpus, run: RunFolder, part: str) -> list[Document]:
    named = run.manifest["data"][part]
    return [document for document in corpus.documents if document.id in named]


def gold(documents: list[Document], scores: list[Scores], run: RunFolder) -> list[np.ndarray[Any, np.dtype[np.int64]]]:
    schema, overlaps = run.schema, run.manifest["settings"]["tagging"]["overlaps"]
    counts = dict(zip(schema.labels, schema.mention_counts, strict=True))
    return [
        encode(document, one.tokens, schema=schema, overlaps=overlaps, counts=counts).tags
        for document, one in zip(documents, scores, strict=True)
    ]


def log_loss(p: np.ndarray[Any, np.dtype[np.float32]], tags: np.ndarray[Any, np.dtype[np.int64]]) -> float:
    judged = np.flatnonzero(tags >= 0)
    return float(-np.log(np.maximum(p[judged, tags[judged]].astype(np.float64), 1e-30)).mean())


def seconds(work: Any) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
