"""The best trials of a study, with what they come to and what they set, for the terminal."""

from __future__ import annotations

from collections import Counter
from typing import Final

from rich.console import Console

from raretag.cli.fitting import Column, print_table
from raretag.cli.wording import counted, shown
from raretag.experiments.comparison.estimate import Estimate
from raretag.experiments.tuning.result import Row, Tuned

_SHOWN: Final = 10
_HEADINGS: Final = {"brier": "Brier", "micro": "micro", "macro": "macro", "macro10-f1": "macro>=10"}


def show_tuning(tuned: Tuned, console: Console) -> None:
    """A line a trial, the best first, the baseline among them; then what became of the others."""
    rows = [*tuned.ranked[:_SHOWN]]
    rows += [one for one in tuned.ranked[_SHOWN:] if one.number == 0]
    goal = tuned.goal.name
    columns = [
        Column(heading=_HEADINGS[goal], cells=tuple(_value(tuned.value(one)) for one in rows)),
        Column(heading="95 % CI", cells=tuple(_interval(tuned.value(one)) for one in rows), leaves=3),
    ]
    columns += [
        Column(
            heading=heading,
            cells=tuple(_value(one.figures.get(name, Estimate(value=None))) for one in rows),
            leaves=4 if name == "macro" else 5,
        )
        for name, heading in _HEADINGS.items()
        if name != goal
    ]
    columns += [
        Column(heading=shown(name), cells=tuple(_missed(one, name) for one in rows), leaves=6)
        for name in sorted({name for one in rows for name in one.missed})
    ]
    columns.append(Column(heading="s", cells=tuple(_seconds(one) for one in rows), leaves=2))
    settings = Column(heading="settings", cells=tuple(_settings(one, tuned) for one in rows), justify="left", leaves=1)
    columns.append(settings)
    first = Column(heading="trial", cells=tuple(_name(one, tuned) for one in rows), justify="left")
    print_table(console, first, others=columns)
    console.print()
    _tell_rest(tuned, console)
    best = None if tuned.best is None else tuned.row(tuned.best)
    if best is not None:
        console.print(f"best: trial {best.number}, {_settings(best, tuned)}", soft_wrap=True)
    if tuned.importance:
        shares = [f"{shown(name)} {share:.0%}" for name, share in tuned.importance.items()]
        console.print(f"what makes trials good: {', '.join(shares)}", soft_wrap=True)


def _tell_rest(tuned: Tuned, console: Console) -> None:
    became = Counter(one.outcome for one in tuned.rows)
    console.print(
        f"{counted(len(tuned.rows), 'trial')}: "
        + ", ".join(f"{number} {outcome}" for outcome, number in became.items())
        + f"; {tuned.folds} folds of {counted(tuned.documents, 'document')}; each document is judged by a model, a "
        "calibration and a policy that never saw it; the best of many flatters itself, so judge it on test documents",
        soft_wrap=True,
    )
    reasons = Counter(one.failed for one in tuned.rows if one.failed is not None)
    for reason, number in reasons.items():
        console.print(f"{number} failed: {shown(reason)}", style="yellow", soft_wrap=True)


def _name(row: Row, tuned: Tuned) -> str:
    return f"{row.number}" + (" best" if row.number == tuned.best else "") + (" baseline" if row.number == 0 else "")


def _settings(row: Row, tuned: Tuned) -> str:
    if row.number == 0:
        return f"recipe {shown(tuned.recipe)}"
    return ", ".join(f"{shown(name)}={_plain(value)}" for name, value in row.settings.items())


def _plain(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else shown(value)


def _value(one: Estimate) -> str:
    return "-" if one.value is None else f"{one.value:.4f}"


def _interval(one: Estimate) -> str:
    return "-" if one.interval is None else "{:.3f}-{:.3f}".format(*one.interval)


def _missed(row: Row, name: str) -> str:
    by = row.missed.get(name)
    return "-" if by is None else "holds" if by <= 0 else f"misses {by:.3f}"


def _seconds(row: Row) -> str:
    return "-" if row.seconds is None else f"{row.seconds:,.0f}"
