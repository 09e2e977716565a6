"""The bias lab in full on one corpus: five trainings of the paper's six mechanisms, three seeds; the tables of docs.

    OMP_NUM_THREADS=2 python benchmarks/bias_lab.py ../shared/data/maccrobat --out runs/bias-lab

Goes on where it was interrupted, and leaves in --out what `raretag biaslab` does. Tables are means over seeds, of
expected shares (soft) on held-out text unless a heading says else. `--set` takes any setting of the lab.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from raretag.corpus.formats import read_corpus
from raretag.errors import RaretagError
from raretag.evaluation import Reading
from raretag.experiments import BiasLabResults, bias_lab
from raretag.experiments.biaslab.results import Part, Phase, Prior, Spread, Summary
from raretag.experiments.biaslab.settings_file import load_lab_settings
from raretag.reporting.biaslab import write_bias_lab_report

HEADINGS = (
    "mechanism", "verdict", "memorised", "TV before", "TV end", "TV end, training", "exponent before", "exponent end",
    "exponent end, training", "restored: TV before", "restored: TV end", "TV hard, end", "never decided",
)  # fmt: skip


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("data", type=Path)
    options.add_argument("--out", type=Path, required=True)
    options.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", dest="overrides")
    given = options.parse_args()
    try:
        settings = load_lab_settings(named={"model": "full", "seeds": (13, 14, 15)}, overrides=given.overrides)
        (given.out / "runs").mkdir(parents=True, exist_ok=True)
        results = bias_lab(
            read_corpus(given.data),
            out=given.out,
            name=given.data.name,
            settings=settings,
            resume=True,
            announce=lambda stage: print(stage, file=sys.stderr),
        )
    except RaretagError as error:
        sys.exit(str(error))
    write_bias_lab_report(results, folder=given.out)
    for line in tables(results):
        print(line)
    print(json.dumps(record(results)))


def tables(results: BiasLabResults) -> Iterator[str]:
    """Markdown: one table for each set of marginals, then predicted shares."""
    verdicts = {(one.mechanism, one.marginals): one.verdict for one in results.conclusions}
    for marginals in dict.fromkeys(one.marginals for one in results.summaries):
        rows = [one for one in results.summaries if one.marginals == marginals]
        yield f"\nplanted {marginals}\n"
        yield "| " + " | ".join(HEADINGS) + " |"
        yield "|---" * len(HEADINGS) + "|"
        for row in rows:
            cells = (f"`{row.mechanism}`", verdicts[row.mechanism, marginals], *figures(row))
            yield "| " + " | ".join(cells) + " |"
        yield "\n| mechanism | effective prior | before | end | end, restored |"
        yield "|---" * 5 + "|"
        for row in rows:
            before = None if row.before is None else row.before.cell("held_out", "soft", "raw").predicted
            end = row.end.cell("held_out", "soft", "raw").predicted
            restored = row.end.cell("held_out", "soft", "restored").predicted
            told = [shares(one) for one in (row.effective_prior, before, end, restored)]
            yield f"| `{row.mechanism}` | {' | '.join(told)} |"


def figures(row: Summary) -> tuple[str, ...]:
    def tv(phase: Phase | None, part: Part = "held_out", reading: Reading = "soft", prior: Prior = "raw") -> str:
        return "-" if phase is None else told(phase.cell(part, reading, prior).tv)

    def exponent(phase: Phase | None, part: Part = "held_out") -> str:
        return "-" if phase is None else told(phase.cell(part, "soft", "raw").amplification, digits=2)

    lost = row.end.cell("held_out", "hard", "raw").never_predicted
    return (
        told(row.end.memorised, digits=2),
        tv(row.before),
        tv(row.end),
        tv(row.end, "training"),
        exponent(row.before),
        exponent(row.end),
        exponent(row.end, "training"),
        tv(row.before, prior="restored"),
        tv(row.end, prior="restored"),
        tv(row.end, reading="hard"),
        ", ".join(f"{label} ({number} of {len(row.seeds)})" for label, number in lost.items()) or "-",
    )


def told(spread: Spread, *, digits: int = 3) -> str:
    return "-" if spread.mean is None else f"{spread.mean:.{digits}f}"


def shares(values: tuple[float, ...] | None) -> str:
    return "-" if values is None else " ".join(f"{100 * one:.1f}" for one in values)


def record(results: BiasLabResults) -> dict[str, object]:
    trainings = {(run.marginals, run.seed, run.seconds) for run in results.runs}
    return {
        "corpus": results.text.name,
        "tokens": results.text.tokens,
        "trainings": len(trainings),
        "training_seconds": round(sum(seconds for _, _, seconds in trainings)),
        "exponents": {
            f"{one.mechanism}, {one.marginals}": one.end.cell("held_out", "soft", "raw").amplification.mean
            for one in results.summaries
        },
    }


if __name__ == "__main__":
    main()
