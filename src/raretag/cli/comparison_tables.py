"""Recipes side by side, then what differs from the baseline, for the terminal."""

from __future__ import annotations

from rich.console import Console

from raretag.cli.fitting import Column, print_table
from raretag.cli.wording import counted, shown
from raretag.experiments.comparison.compare import Comparison
from raretag.experiments.comparison.estimate import Estimate
from raretag.reporting.comparison.remarks import remarks

_HEADINGS = {
    "micro": "micro",
    "macro": "macro",
    "macro10": "macro>=10",
    "head": "head",
    "medium": "medium",
    "tail": "tail",
    "mean_recall": "mean recall",
    "rare_recall": "recall medium+tail",
}
# the first to leave a narrow terminal have the lowest number; those without stay
_LEAVES = {"head": 4, "medium": 5, "mean_recall": 6, "tail": 8}


def show_comparison(compared: Comparison, console: Console) -> None:
    """The table of figures, and the table of differences with p-values."""
    rows = compared.rows
    columns = []
    for name, heading in _HEADINGS.items():
        figures = [row.figures[name] for row in rows]
        columns += [
            Column(heading=heading, cells=tuple(_value(one) for one in figures), leaves=_LEAVES.get(name)),
            Column(heading="95 % CI", cells=tuple(_interval(one) for one in figures), leaves=1),
        ]
    columns += [
        Column(heading="ECE", cells=tuple(_plain(row.mention_ece) for row in rows), leaves=7),
        Column(heading="TV", cells=tuple(f"{row.variation:.4f}" for row in rows), leaves=7),
        Column(heading="steps", cells=tuple(f"{row.steps:,.0f}" for row in rows), leaves=3),
        Column(heading="s a fold", cells=tuple(f"{row.seconds:,.0f}" for row in rows), leaves=9),
        Column(heading="MiB", cells=tuple(f"{row.peak_mib:,}" for row in rows), leaves=2),
    ]
    if compared.currency is not None:
        told = tuple("-" if row.cost is None else f"{row.cost.value or 0:,.0f}" for row in rows)
        columns.append(Column(heading=f"{shown(compared.currency)} per 1,000 notes", cells=told, leaves=10))
    first = Column(heading="recipe", cells=tuple(shown(row.name) for row in rows), justify="left")
    print_table(console, first, others=columns)
    console.print()
    _show_differences(compared, console)
    console.print(
        f"{counted(compared.documents, 'document')}, {counted(compared.mentions, 'gold mention')}, "
        f"{compared.folds} folds, seeds {', '.join(map(str, compared.seeds))}; each document is judged by a model, a "
        "calibration and a policy that never saw it; F1 is strict",
        soft_wrap=True,
    )
    for remark in remarks(compared):
        console.print(shown(remark), style="yellow", soft_wrap=True)


def _show_differences(compared: Comparison, console: Console) -> None:
    rows = compared.differences
    print_table(
        console,
        Column(
            heading=f"minus {shown(compared.baseline)}",
            cells=tuple(f"{shown(one.recipe)}, {_HEADINGS.get(one.figure, one.figure)}" for one in rows),
            justify="left",
        ),
        others=(
            Column(heading="difference", cells=tuple(_signed(one.difference.value) for one in rows)),
            Column(heading="95 % CI", cells=tuple(_signed_interval(one.difference) for one in rows), leaves=2),
            Column(heading="p", cells=tuple("-" if one.p is None else f"{one.p:.4f}" for one in rows), leaves=1),
            Column(
                heading="p, Holm",
                cells=tuple("-" if one.adjusted is None else f"{one.adjusted:.4f}" for one in rows),
            ),
        ),
        least=30,
    )


def _value(one: Estimate) -> str:
    return _plain(one.value)


def _plain(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _interval(one: Estimate) -> str:
    return "-" if one.interval is None else "{:.2f}-{:.2f}".format(*one.interval)


def _signed(value: float | None) -> str:
    # costs are in hundreds and more, shares below 1
    return "-" if value is None else f"{value:+.4f}" if abs(value) < 1 else f"{value:+,.0f}"


def _signed_interval(one: Estimate) -> str:
    return "-" if one.interval is None else f"{_signed(one.interval[0])} to {_signed(one.interval[1])}"
