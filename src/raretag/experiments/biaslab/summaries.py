"""Over the seeds of a mechanism: means with least and greatest."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np

from raretag.experiments.biaslab.mechanisms import Mechanism
from raretag.experiments.biaslab.results import (
    PARTS,
    PRIORS,
    READINGS,
    Cell,
    Measurement,
    Phase,
    Run,
    Spread,
    Summary,
    SummaryCell,
)

# below this share of what there is to know of the training labels, nothing is memorised yet
_MEMORISED: Final = 0.1


def summarise(runs: Sequence[Run], *, mechanisms: Mapping[str, Mechanism]) -> tuple[Summary, ...]:
    """One summary for each set of marginals and mechanism, in the order in which they are first met."""
    groups: dict[tuple[str, str], list[Run]] = {}
    for run in runs:
        groups.setdefault((run.marginals, run.mechanism), []).append(run)
    order = {name: place for place, name in enumerate(mechanisms)}
    sets = list(dict.fromkeys(run.marginals for run in runs))
    return tuple(
        _summary(found, about=mechanisms[mechanism].about)
        for (_, mechanism), found in sorted(
            groups.items(), key=lambda item: (sets.index(item[0][0]), order[item[0][1]])
        )
    )


def _summary(runs: Sequence[Run], *, about: str) -> Summary:
    first = runs[0]
    before = [[one for one in run.curve if one.memorised < _MEMORISED] for run in runs]
    return Summary(
        mechanism=first.mechanism,
        about=about,
        marginals=first.marginals,
        labels=first.labels,
        seeds=tuple(run.seed for run in runs),
        planted={part: _mean([run.planted[part] for run in runs]) for part in PARTS},
        empirical={part: _mean([run.empirical[part] for run in runs]) for part in PARTS},
        effective_prior=_mean([run.effective_prior for run in runs]),
        prior_is_unique=first.prior_is_unique,
        seconds=round(sum(run.seconds for run in runs), 2),
        before=_phase([found[-1] for found in before], labels=first.labels) if all(before) else None,
        end=_phase([run.curve[-1] for run in runs], labels=first.labels),
    )


def _phase(measured: Sequence[Measurement], *, labels: Sequence[str]) -> Phase:
    cells = [
        [next(c for c in one.cells if (c.part, c.reading, c.prior) == (part, reading, prior)) for one in measured]
        for prior in PRIORS
        for part in PARTS
        for reading in READINGS
    ]
    return Phase(
        step=_spread([one.step for one in measured]),
        memorised=_spread([one.memorised for one in measured]),
        cells=tuple(_cell(found, labels=labels) for found in cells),
    )


def _cell(cells: Sequence[Cell], *, labels: Sequence[str]) -> SummaryCell:
    def over(figure: Callable[[Cell], float | None]) -> Spread:
        return _spread([figure(cell) for cell in cells])

    first = cells[0]
    return SummaryCell(
        part=first.part,
        reading=first.reading,
        prior=first.prior,
        predicted=_mean([cell.predicted for cell in cells]),
        tv=over(lambda cell: cell.tv),
        kl=over(lambda cell: cell.kl),
        relative_error=over(lambda cell: cell.relative_error),
        amplification=over(lambda cell: cell.amplification),
        amplification_among_labels=over(lambda cell: cell.amplification_among_labels),
        never_predicted={
            label: number for label in labels if (number := sum(label in cell.never_predicted for cell in cells))
        },
        p_value=over(lambda cell: cell.p_value),
    )


def _mean(rows: Sequence[Sequence[float]]) -> tuple[float, ...]:
    return tuple(np.mean(rows, axis=0).tolist())


def _spread(values: Sequence[float | None]) -> Spread:
    known = [value for value in values if value is not None]
    if not known:
        return Spread(mean=None, low=None, high=None, seeds=0)
    return Spread(mean=float(np.mean(known)), low=min(known), high=max(known), seeds=len(known))
