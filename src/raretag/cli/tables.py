"""Tables for the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from raretag.corpus.inventory import Inventory
from raretag.evaluation import Evaluation, table_rows
from raretag.evaluation.figures import Figures


def show_inventory(held: Inventory, console: Console, *, format: str) -> None:
    """Labels from the most frequent to the rarest."""
    table = Table(box=None, pad_edge=False)
    table.add_column("label", no_wrap=True)
    for column in ("mentions", "notes", "share", "length", "overlap", "parts"):
        table.add_column(column, justify="right")
    table.add_column("group")
    for row in held.labels:
        table.add_row(
            row.label,
            f"{row.mentions:,}",
            f"{row.documents:,}",
            f"{row.share:.2%}",
            f"{row.mean_length:.1f}",
            f"{row.overlapping:,}",
            f"{row.discontinuous:,}",
            row.group,
        )
    console.print(table)
    ratio = "" if held.ratio is None else f"; the most frequent has {held.ratio:,.0f} times the rarest"
    console.print(
        f"{held.documents:,} documents ({format}), {held.characters:,} characters, {held.mentions:,} mentions of "
        f"{len(held.labels)} labels{ratio}"
    )
    console.print(
        f"{held.overlapping:,} mentions overlap another, {held.discontinuous:,} are discontinuous, "
        f"{held.documents_without_mention:,} documents have none"
        + (f", {held.groups:,} patients" if held.groups else "")
    )
    if held.splits:
        console.print("official parts: " + ", ".join(f"{part} {number:,}" for part, number in held.splits.items()))


def show_evaluation(figures: Evaluation, console: Console) -> None:
    """Every label with counts, strict figures and the interval; then the means and the other schemes."""
    table = Table(box=None, pad_edge=False)
    table.add_column("label", no_wrap=True)
    table.add_column("group")
    for column in ("train", "gold", "found", "right", "prec", "recall", "F1", "95 % interval"):
        table.add_column(column, justify="right")
    for row in table_rows(figures):
        interval = "-" if row.f1_interval is None else f"{row.f1_interval[0]:.2f}-{row.f1_interval[1]:.2f}"
        table.add_row(
            row.label,
            row.group,
            f"{row.training:,}",
            f"{row.gold:,}",
            f"{row.predicted:,}",
            f"{row.correct:,}",
            _rate(row.precision),
            _rate(row.recall),
            _rate(row.f1),
            interval,
        )
    console.print(table)
    console.print()
    means = Table(box=None, pad_edge=False)
    means.add_column("F1")
    for column in ("strict", "overlap", "type"):
        means.add_column(column, justify="right")
    schemes = (figures.strict, figures.overlap, figures.type)
    means.add_row("micro, all mentions", *(_with_interval(one.micro) for one in schemes))
    averaged = len(figures.strict.macro.labels)
    means.add_row(f"macro over {averaged} labels with gold", *(_with_interval(one.macro) for one in schemes))
    averaged = len(figures.strict.macro10.labels)
    means.add_row(f"macro over {averaged} labels with >= 10", *(_with_interval(one.macro10) for one in schemes))
    for group in ("head", "medium", "tail"):
        held = len(figures.strict.groups[group].labels)
        means.add_row(f"{group}, {held} labels", *(_with_interval(one.groups[group]) for one in schemes))
    console.print(means)
    console.print()
    counts = figures.counts
    console.print(
        f"{counts.documents:,} documents, {counts.mentions:,} gold mentions ({counts.inexpressible or 0:,} that tags "
        f"cannot express count as missed); mean recall per label {_rate(figures.mean_recall)}; - is undefined (0 of 0)"
    )


def _rate(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _with_interval(figures: Figures) -> str:
    interval = figures.f1_interval
    return _rate(figures.f1) + ("" if interval is None else f" ({interval[0]:.2f} to {interval[1]:.2f})")
