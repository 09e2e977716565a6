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

from raretag.corpus.formats import read_corpus
from raretag.evaluation.calibration_report import calibration_report
from raretag.experiments.cross_validation import cross_validated
from raretag.probability.calibrating import cross_calibrated
from raretag.probability.run_context import context_of
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
    corpus, settings = read_corpus(arguments.data), load_settings(overrides=arguments.set)
    pooled = cross_validated(corpus, folds=arguments.folds, out=arguments.out, settings=settings)
    data = pooled.data
    run = pooled.runs[0]
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


if __name__ == "__main__":
    main()
