"""The shape of `evaluation.json`: its names are an interface. Undefined is None."""

from __future__ import annotations

from abc import ABC
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, final

from raretag.corpus.inventory import TailGroup
from raretag.evaluation.intervals import Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures(ABC):
    """Rates in [0, 1] with 95 % intervals, and the numbers of mentions behind them.

    Precision is correct / predicted, recall correct / gold, F1 2 correct / (gold + predicted); None where the
    denominator is 0. An interval is None where it cannot be told: see `raretag.evaluation.intervals`.
    """

    precision: float | None
    recall: float | None
    f1: float | None
    gold: int
    predicted: int
    correct: int
    precision_interval: Interval | None
    recall_interval: Interval | None
    f1_interval: Interval | None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class MicroFigures(Figures):
    """All labels pooled."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class LabelFigures(Figures):
    """One label, with its number of training mentions and the group that gives it."""

    training: int
    group: TailGroup


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class MacroFigures(Figures):
    """The mean over labels; counts are their sums.

    `labels` are averaged, `excluded` have too little gold. Precision is averaged over `labels_with_precision`
    of them, those that were predicted at all; a label never predicted has F1 0.
    """

    labels: tuple[str, ...]
    excluded: tuple[str, ...]
    labels_with_precision: int


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class GroupFigures(Figures):
    """The labels of a tail group pooled, and their mean F1 over `macro_labels`, those with gold."""

    labels: tuple[str, ...]
    macro_f1: float | None
    macro_f1_interval: Interval | None
    macro_labels: tuple[str, ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class SchemeFigures:
    """All figures of one matching scheme; `macro10` averages labels with at least 10 gold mentions."""

    micro: MicroFigures
    macro: MacroFigures
    macro10: MacroFigures
    groups: Mapping[TailGroup, GroupFigures]
    labels: Mapping[str, LabelFigures]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationCounts:
    """What was evaluated: documents, gold and predicted mentions.

    `inexpressible` gold mentions, which no window or tag can hold, are among `mentions`; None if unknown.
    """

    documents: int
    mentions: int
    predicted: int
    inexpressible: int | None
    inexpressible_by_label: Mapping[str, int] | None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Resampling:
    """How the intervals were made: `units` are documents or patients, and fewer than two give no interval."""

    unit: Literal["document", "group"]
    units: int
    resamples: int
    seed: int
    level: float


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """Everything that mentions alone can tell.

    `mean_recall` is the strict recall averaged over the labels with gold ("unweighted accuracy").
    """

    strict: SchemeFigures
    overlap: SchemeFigures
    type: SchemeFigures
    mean_recall: float | None
    counts: EvaluationCounts
    intervals: Resampling

    def to_json(self) -> dict[str, Any]:
        """The same names with built-in types only; intervals are lists [low, high]."""
        plain: dict[str, Any] = _plain(asdict(self))
        return plain


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(entry) for key, entry in value.items()}
    return [_plain(entry) for entry in value] if isinstance(value, tuple) else value
