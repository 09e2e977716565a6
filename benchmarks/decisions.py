"""Decisions on out-of-fold scores: argmax, thresholds, least cost, a promise; one JSON object on the last line.

    python benchmarks/decisions.py ../shared/data/maccrobat --out runs/calibration

Trains one model a fold (kept in --out; finished ones are taken as they are, so that the folder of
benchmarks/calibration.py serves both). Each document is decided about by a calibration and a policy fixed on others, in
five parts. Nothing is chosen by what comes out.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

from raretag.corpus.formats import read_corpus
from raretag.decision.costs import Costs, DefaultCosts
from raretag.decision.deciding import Deciding
from raretag.decision.policy_fitting import Asked
from raretag.evaluation.decision_figures import DecisionFigures
from raretag.evaluation.decision_report import DecisionReport, decision_report
from raretag.experiments.cross_validation import cross_validated
from raretag.training.settings_file import load_settings

# of recall, found or reviewed
FLOORS = (0.95, 0.9, 0.8, 0.7, 0.6)


def costs_of(review: float | None, *, miss: float = 10.0) -> Costs:
    return Costs(currency="false alarms", default=DefaultCosts(miss=miss, false_alarm=1.0), review=review)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    corpus, settings = read_corpus(arguments.data), load_settings(overrides=arguments.set)
    pooled = cross_validated(corpus, folds=arguments.folds, out=arguments.out, settings=settings)
    data = pooled.data
    asked = {
        "thresholds": Asked(rule="thresholds"),
        "costs, equal": Asked(rule="costs", costs=costs_of(None, miss=1.0)),
        "costs, miss 10": Asked(rule="costs", costs=costs_of(None)),
        "costs, miss 10, review 2": Asked(rule="costs", costs=costs_of(2.0)),
        "costs, miss 10, review 1": Asked(rule="costs", costs=costs_of(1.0)),
        **{f"argmax, tail {floor:g}": Asked(rule="argmax", floors={"tail": floor}) for floor in FLOORS},
        **{f"argmax, medium {floor:g}": Asked(rule="argmax", floors={"medium": floor}) for floor in FLOORS},
        "costs, miss 10, review 2, tail 0.95": Asked(rule="costs", costs=costs_of(2.0), floors={"tail": 0.95}),
        "argmax, budget 5 %": Asked(rule="argmax", budget=0.05),
        "argmax, budget 20 %": Asked(rule="argmax", budget=0.2),
    }
    started = time.perf_counter()
    deciding = Deciding(data)
    read = time.perf_counter() - started
    decided = deciding.cross_decided({**asked, "argmax": Asked(rule="argmax")})
    seconds = {"candidates": read, "cross_decided": time.perf_counter() - started - read}
    rows: dict[str, Any] = {}
    for name, one in asked.items():
        promise = deciding.policy(one).promise
        report = decision_report(
            deciding.gold,
            used=decided[name].decisions,
            argmax=decided["argmax"].decisions,
            schema=data.schema,
            costs=one.costs,
            promises=() if promise is None else promise.units,
            promised=decided[name].promised,
            refused=() if promise is None else promise.refused,
        )
        rows[name] = report.to_json()
        show(name, report)
    (arguments.out / "decisions.json").write_text(json.dumps({"seconds": seconds, **rows}, indent=1), encoding="utf-8")
    print(json.dumps({"seconds": seconds, **{name: brief(row) for name, row in rows.items()}}))


def show(name: str, report: DecisionReport) -> None:
    if name == "thresholds":
        print(line("argmax", report.argmax))
    print(line(name, report.used), flush=True)
    if report.used.cost is not None and report.argmax.cost is not None:
        mine, plain = report.used.cost, report.argmax.cost
        print(f"    cost per 1,000 notes {mine.per_1000_notes:,.0f} against argmax {plain.per_1000_notes:,.0f}")
    print(f"    p {json.dumps(report.p_values)}")
    for one in report.promises:
        promised, told = one.promised, one.realised
        came = (
            "some documents were decided without it"
            if told is None
            else f"missed {told.share} {told.interval}, {told.missed} of {told.mentions} mentions in {told.units} units"
        )
        print(
            f"    promised {promised.alpha:.2f} to {len(promised.labels)} labels ({promised.labels[0]} ...), bound "
            f"{promised.bound:.3f}: {came}"
        )
    for refused in report.refused:
        print(f"    refused to {len(refused.labels)} labels: {refused.why}")


def line(name: str, one: DecisionFigures) -> str:
    strict = one.strict
    return (
        f"{name:<34} micro {strict.micro.f1:.4f} macro {strict.macro.f1:.4f} macro10 {strict.macro10.f1:.4f}; "
        f"recall with review: all {one.routes.recall:.3f}, tail {one.groups['tail'].recall:.3f}; "
        f"false alarms {one.routes.false_alarms}; read {one.reviewed_share:.1%} of tokens, {one.reviews} stretches"
    )


def brief(row: dict[str, Any]) -> dict[str, Any]:
    sides = {}
    for side in ("argmax", "used"):
        one = row[side]
        sides[side] = {
            "micro": one["strict"]["micro"]["f1"],
            "macro": one["strict"]["macro"]["f1"],
            "macro10": one["strict"]["macro10"]["f1"],
            "reviewed_share": one["reviewed_share"],
            "per_1000_notes": None if one["cost"] is None else one["cost"]["per_1000_notes"],
        }
    promises = [{"alpha": p["alpha"], "missed": p["realised"] and p["realised"]["share"]} for p in row["promises"]]
    return {**sides, "p_values": row["p_values"], "promises": promises}


if __name__ == "__main__":
    main()
