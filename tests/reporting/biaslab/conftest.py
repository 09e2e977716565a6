"""Results of a bias lab that was never run: shares are powers of the empirical ones, so that exponents are known."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pytest

from raretag.evaluation import Reading
from raretag.experiments.biaslab.results import (
    PARTS,
    PRIORS,
    READINGS,
    BiasLabResults,
    Cell,
    Conclusion,
    LabText,
    Measurement,
    Phase,
    Prior,
    Run,
    Shares,
    Spread,
    Summary,
    SummaryCell,
    Verdict,
)

Make = Callable[..., BiasLabResults]
LABELS = ("O", "Problem", "Drug", "Device", "Allergy")
MARGINALS = (0.6, 0.25, 0.1, 0.04, 0.01)
STEPS = (0, 10, 30, 80, 160, 240)
MECHANISMS = {"plain": 1.0, "amplifier": 1.5, "flattener": 0.4}


def powered(shares: Sequence[float], exponent: float) -> tuple[float, ...]:
    """Shares in proportion to share ** exponent; 0 stays 0."""
    raised = [share**exponent if share else 0.0 for share in shares]
    return tuple(value / sum(raised) for value in raised)


def predicted(reading: Reading, prior: Prior, *, shares: Sequence[float], exponent: float) -> tuple[float, ...]:
    """Hard readings are the most frequent label alone; restored ones are the shares themselves."""
    if reading == "hard":
        return tuple(float(place == 0) for place in range(len(shares)))
    return tuple(shares) if prior == "restored" else powered(shares, exponent)


def spread(values: Sequence[float | None]) -> Spread:
    defined = [value for value in values if value is not None]
    if not defined:
        return Spread(mean=None, low=None, high=None, seeds=0)
    return Spread(mean=sum(defined) / len(defined), low=min(defined), high=max(defined), seeds=len(defined))


def measurement(step: int, *, labels: Sequence[str], shares: Sequence[float], exponent: float | None) -> Measurement:
    cells = []
    for part in PARTS:
        for reading in READINGS:
            for prior in PRIORS:
                came = predicted(reading, prior, shares=shares, exponent=1.0 if exponent is None else exponent)
                known = None if reading == "hard" or exponent is None else exponent if prior == "raw" else 1.0
                cells.append(
                    Cell(
                        part=part,
                        reading=reading,
                        prior=prior,
                        predicted=came,
                        tv=sum(abs(a - b) for a, b in zip(came, shares, strict=True)) / 2,
                        kl=0.125,
                        relative_error=0.25,
                        amplification=known,
                        amplification_among_labels=known,
                        never_predicted=tuple(
                            label
                            for label, one, share in zip(labels, came, shares, strict=True)
                            if one == 0 and share > 0
                        ),
                        p_value=0.0005,
                    )
                )
    return Measurement(step=step, memorised=min(1.0, step / 400), cells=tuple(cells))


def phase(measurements: Sequence[Measurement]) -> Phase:
    cells = []
    for same in zip(*(one.cells for one in measurements), strict=True):
        first = same[0]
        never = [label for cell in same for label in cell.never_predicted]
        cells.append(
            SummaryCell(
                part=first.part,
                reading=first.reading,
                prior=first.prior,
                predicted=tuple(sum(shares) / len(same) for shares in zip(*(c.predicted for c in same), strict=True)),
                tv=spread([c.tv for c in same]),
                kl=spread([c.kl for c in same]),
                relative_error=spread([c.relative_error for c in same]),
                amplification=spread([c.amplification for c in same]),
                amplification_among_labels=spread([c.amplification_among_labels for c in same]),
                never_predicted={label: never.count(label) for label in dict.fromkeys(never)},
                p_value=spread([c.p_value for c in same]),
            )
        )
    return Phase(
        step=spread([float(one.step) for one in measurements]),
        memorised=spread([one.memorised for one in measurements]),
        cells=tuple(cells),
    )


def ledger(labels: Sequence[str], *, steps: Sequence[int], gap: bool) -> Shares:
    even = tuple(1 / len(labels) for _ in labels)
    falling = powered([1 / (2 + place) for place in range(len(labels))], 1.0)
    nothing = tuple(None for _ in labels)
    ends = tuple(step for step in steps if step > 0)
    loss = tuple(nothing if gap and place == 1 else falling for place in range(len(ends)))
    forces = tuple(even for _ in ends)
    return Shares(labels=tuple(labels), steps=ends, loss=loss, gradient=forces, pull=forces, push=forces)


@pytest.fixture(scope="session")
def make_results() -> Make:
    """Results by labels, shares, mechanisms (name to exponent, None for undefined), sets of marginals and seeds."""

    def make(
        *,
        labels: Sequence[str] = LABELS,
        marginals: Mapping[str, Sequence[float]] | None = None,
        mechanisms: Mapping[str, float | None] = MECHANISMS,
        seeds: Sequence[int] = (1, 2),
        steps: Sequence[int] = STEPS,
        text: str = "demo notes",
        about: str = "what it is",
        before: bool = True,
        gap: bool = True,
        ledger_labels: Sequence[str] | None = None,
    ) -> BiasLabResults:
        runs, summaries, conclusions = [], [], []
        for name, shares in (marginals or {"60/25/10/4/1 %": MARGINALS}).items():
            both = dict.fromkeys(PARTS, tuple(shares))
            for mechanism, exponent in mechanisms.items():
                ends, early = [], []
                for place, seed in enumerate(seeds):
                    # seeds lie apart by a tenth, about the exponent
                    own = None if exponent is None else exponent + 0.1 * (place - (len(seeds) - 1) / 2)
                    curve = [
                        measurement(
                            step,
                            labels=labels,
                            shares=shares,
                            exponent=None if own is None else own * (step + 1) / (steps[-1] + 1),
                        )
                        for step in steps
                    ]
                    ends.append(curve[-1])
                    early.append(curve[0])
                    runs.append(
                        Run(
                            mechanism=mechanism,
                            marginals=name,
                            seed=seed,
                            labels=tuple(labels),
                            tokens={"training": 8000, "held_out": 4000},
                            planted=both,
                            empirical=both,
                            effective_prior=powered(shares, exponent or 1.0),
                            prior_is_unique=True,
                            steps=steps[-1],
                            seconds=1.5,
                            curve=tuple(curve),
                            ledger=ledger(ledger_labels or labels, steps=steps, gap=gap),
                        )
                    )
                summaries.append(
                    Summary(
                        mechanism=mechanism,
                        about=about,
                        marginals=name,
                        labels=tuple(labels),
                        seeds=tuple(seeds),
                        planted=both,
                        empirical=both,
                        effective_prior=powered(shares, exponent or 1.0),
                        prior_is_unique=True,
                        seconds=1.5,
                        before=phase(early) if before else None,
                        end=phase(ends),
                    )
                )
                verdict: Verdict = "preserves"
                if exponent is not None and abs(exponent - 1) > 0.1:
                    verdict = "amplifies" if exponent > 1 else "flattens"
                conclusions.append(
                    Conclusion(
                        mechanism=mechanism,
                        marginals=name,
                        verdict=verdict,
                        sentences=(f"{mechanism} gives back what it gives back.", "It would not do otherwise."),
                    )
                )
        return BiasLabResults(
            raretag="9.9.9",
            text=LabText(
                name=text,
                documents={"training": 20, "held_out": 10},
                tokens={"training": 8000, "held_out": 4000},
                sha256="0" * 64,
            ),
            settings={"design": "token", "model": "full", "windows": {"length": 128, "stride": None}, "seeds": [1, 2]},
            runs=tuple(runs),
            summaries=tuple(summaries),
            conclusions=tuple(conclusions),
        )

    return make
