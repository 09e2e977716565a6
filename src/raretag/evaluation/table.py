"""The table per label that commands and reports print, most frequent label in training first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from raretag.corpus.inventory import TailGroup
from raretag.evaluation.figures import Evaluation, SchemeFigures
from raretag.evaluation.intervals import Interval
from raretag.evaluation.matching import Scheme


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class TableRow:
    """One label: mentions in `training`, `gold`, `predicted`, `correct`; rates in [0, 1] or None."""

    label: str
    group: TailGroup
    training: int
    gold: int
    predicted: int
    correct: int
    precision: float | None
    recall: float | None
    f1: float | None
    f1_interval: Interval | None


def table_rows(evaluation: Evaluation, *, scheme: Scheme = "strict") -> tuple[TableRow, ...]:
    """A row for every label, also for those at zero: by training mentions, most first, then by name."""
    by_scheme: dict[Scheme, SchemeFigures] = {
        "strict": evaluation.strict,
        "overlap": evaluation.overlap,
        "type": evaluation.type,
    }
    figures = by_scheme[scheme].labels
    return tuple(
        TableRow(
            label=label,
            group=row.group,
            training=row.training,
            gold=row.gold,
            predicted=row.predicted,
            correct=row.correct,
            precision=row.precision,
            recall=row.recall,
            f1=row.f1,
            f1_interval=row.f1_interval,
        )
        for label, row in sorted(figures.items(), key=lambda item: (-item[1].training, item[0]))
    )
