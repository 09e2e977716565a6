"""Calibrators on out-of-fold scores of a corpus; a table, and one JSON object on the last line.

    python benchmarks/calibration.py ../shared/data/maccrobat --methods temperature,vector --out runs/calibration

Trains one model a fold (kept in --out; interrupted ones are resumed), scores the documents each has not seen, and fits
the calibration of each document on others, in five parts. Models that judge those others have trained on this document,
as it always is out of fold, but no fit looks at its gold.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np

from raretag.corpus.formats import read_corpus
from raretag.evaluation.calibration_report import calibration_report
from raretag.probability import ScoreCache, score_with_hidden
from raretag.probability.calibrating import cross_calibrated
from raretag.probability.calibration_data import CalibrationData
from raretag.probability.calibration_gold import GoldDocument
from raretag.probability.run_context import context_of
from raretag.tagging import encode
from raretag.training import RunFolder
from raretag.training.folding import train_folds
from raretag.training.settings_file import load_settings


def main() -> None:
    """Train, score, calibrate."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--methods", default="bias-corrected-temperature")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    data, run = out_of_fold(arguments)
    rows: dict[str, Any] = {}
    for method in arguments.methods.split(","):
        started = time.perf_counter()
        fitted = cross_calibrated(data, method=method, options={}, context=context_of(run))
        seconds = time.perf_counter() - started
        report = calibration_report(data, fitted)
        rows[method] = {"seconds": round(seconds, 1), **report.to_json()}
        for name, side in (("before", report.before), ("after", report.after)):
            told = side.calibration
            low, high = told.mention_ece_interval or (float("nan"),) * 2
            tail = told.groups["tail"].ece if "tail" in told.groups else None
            print(
                f"{method:<28}{name:<8} mentions: ECE {told.mention_ece:.4f} ({low:.3f}-{high:.3f}), tail {tail:.3f}, "
                f"Brier {told.mention_brier:.4f}; tokens: ECE {told.token_ece:.4f}, Brier {told.brier:.4f}, "
                f"TV soft {side.fidelity['soft'].tv:.4f}; {seconds:.0f} s",
                flush=True,
            )
    (arguments.out / "calibration.json").write_text(json.dumps(rows, indent=1), encoding="utf-8")
    print(
        json.dumps(
            {
                name: {
                    "seconds": row["seconds"],
                    **{
                        side: {key: row[side]["calibration"][key] for key in ("mention_ece", "token_ece", "brier")}
                        | {"tv": row[side]["fidelity"]["soft"]["tv"]}
                        for side in ("before", "after")
                    },
                }
                for name, row in rows.items()
            }
        )
    )


def out_of_fold(arguments: argparse.Namespace) -> tuple[CalibrationData, RunFolder]:
    """All documents, each with the scores of the model that has not seen it, and the last run for its manifest."""
    corpus = read_corpus(arguments.data)
    settings = load_settings(overrides=arguments.set)
    found = []
    for fold, held_out in train_folds(corpus, folds=arguments.folds, out=arguments.out, settings=settings):
        run, cache = fold, ScoreCache(fold.path / "scores", schema=fold.schema)
        missing = [document for document in held_out if not cache.has_hidden(document)]
        if missing:
            predictor = fold.predictor()
            cache.add_with_hidden(missing, lambda some, predictor=predictor: score_with_hidden(predictor, some))
        found += [(document, one) for document, one in zip(held_out, cache.scores(held_out), strict=True)]
    found.sort(key=lambda pair: pair[0].id)
    schema, overlaps = run.schema, settings.tagging.overlaps
    counts = dict(zip(schema.labels, schema.mention_counts, strict=True))
    tags = [encode(d, s.tokens, schema=schema, overlaps=overlaps, counts=counts).tags for d, s in found]
    told = CalibrationData(
        schema=schema,
        gold=tuple(GoldDocument.of(document) for document, _ in found),
        scores=[one for _, one in found],
        tags=tuple(np.asarray(one) for one in tags),
        folds=arguments.folds,
    )
    return told, run


if __name__ == "__main__":
    main()
