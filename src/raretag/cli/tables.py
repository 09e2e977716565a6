"""Tables for the terminal."""

from __future__ import annotations

from rich.console import Console

from raretag.cli.fitting import Column, print_table
from raretag.cli.wording import counted, shown
from raretag.corpus.inventory import TAIL_GROUPS, Inventory
from raretag.evaluation import Evaluation, Interval, table_rows
from raretag.evaluation.calibration_report import CalibrationReport
from raretag.evaluation.figures import Figures
from raretag.evaluation.run import RunEvaluation


def show_inventory(held: Inventory, console: Console, *, format: str) -> None:
    """Labels from the most frequent to the rarest."""
    rows = held.labels
    print_table(
        console,
        Column(heading="label", cells=tuple(shown(row.label) for row in rows), justify="left"),
        others=(
            Column(heading="mentions", cells=tuple(f"{row.mentions:,}" for row in rows)),
            Column(heading="notes", cells=tuple(f"{row.documents:,}" for row in rows), leaves=6),
            Column(heading="share", cells=tuple(f"{row.share:.2%}" for row in rows), leaves=5),
            Column(heading="length", cells=tuple(f"{row.mean_length:.1f}" for row in rows), leaves=3),
            Column(heading="overlap", cells=tuple(f"{row.overlapping:,}" for row in rows), leaves=2),
            Column(heading="parts", cells=tuple(f"{row.discontinuous:,}" for row in rows), leaves=1),
            Column(heading="group", cells=tuple(row.group for row in rows), leaves=4, justify="left"),
        ),
    )
    ratio = ""
    if held.ratio is not None and len(rows) > 1:
        ratio = f"; the most frequent has {held.ratio:,.{0 if held.ratio >= 10 else 1}f} times the rarest"
    console.print(
        f"{counted(held.documents, 'document')} ({format}), {counted(held.characters, 'character')}, "
        f"{counted(held.mentions, 'mention')} of {counted(len(rows), 'label')}{ratio}"
    )
    console.print(
        f"mentions that overlap another: {held.overlapping:,}; discontinuous: {held.discontinuous:,}; "
        f"documents without a mention: {held.documents_without_mention:,}"
        + (f"; patients: {held.groups:,}" if held.groups else "")
    )
    if held.splits:
        parts = ", ".join(f"{shown(part)} {number:,}" for part, number in held.splits.items())
        console.print(f"official parts: {parts}")


def show_evaluation(figures: Evaluation, console: Console) -> None:
    """Every label with counts, strict figures and the interval; then the means and the other schemes."""
    rows = table_rows(figures)
    print_table(
        console,
        Column(heading="label", cells=tuple(shown(row.label) for row in rows), justify="left"),
        others=(
            Column(heading="group", cells=tuple(row.group for row in rows), leaves=1, justify="left"),
            Column(heading="train", cells=tuple(f"{row.training:,}" for row in rows), leaves=4),
            Column(heading="gold", cells=tuple(f"{row.gold:,}" for row in rows)),
            Column(heading="found", cells=tuple(f"{row.predicted:,}" for row in rows), leaves=3),
            Column(heading="right", cells=tuple(f"{row.correct:,}" for row in rows), leaves=2),
            Column(heading="prec", cells=tuple(_rate(row.precision) for row in rows), leaves=5),
            Column(heading="recall", cells=tuple(_rate(row.recall) for row in rows), leaves=7),
            Column(heading="F1", cells=tuple(_rate(row.f1) for row in rows)),
            Column(heading="95 % CI", cells=tuple(_interval(row.f1_interval) for row in rows), leaves=6),
        ),
    )
    console.print()
    _show_means(figures, console)
    console.print()
    counts = figures.counts
    console.print(
        f"{counted(counts.documents, 'document')}, {counted(counts.mentions, 'gold mention')} "
        f"({counts.inexpressible or 0:,} that tags cannot express, counted as missed); "
        f"mean recall per label {_rate(figures.mean_recall)}; - is undefined (0 of 0)"
    )


def _show_means(figures: Evaluation, console: Console) -> None:
    strict = figures.strict
    names = (
        "micro, all mentions",
        f"macro over {counted(len(strict.macro.labels), 'label')} with gold",
        f"macro over {counted(len(strict.macro10.labels), 'label')} with >= 10",
        *(f"{group} (micro over {counted(len(strict.groups[group].labels), 'label')})" for group in TAIL_GROUPS),
    )
    columns = []
    # the other schemes leave before the strict one
    for scheme, one, (mean_leaves, interval_leaves) in (
        ("strict", figures.strict, (None, 5)),
        ("overlap", figures.overlap, (4, 2)),
        ("type", figures.type, (3, 1)),
    ):
        means: tuple[Figures, ...] = (one.micro, one.macro, one.macro10, *(one.groups[group] for group in TAIL_GROUPS))
        columns += [
            Column(heading=scheme, cells=tuple(_rate(mean.f1) for mean in means), leaves=mean_leaves),
            Column(
                heading=f"{scheme} CI",
                cells=tuple(_interval(mean.f1_interval) for mean in means),
                leaves=interval_leaves,
            ),
        ]
    first = Column(heading="F1", cells=names, justify="left")
    print_table(console, first, others=columns, least=first.width)


def _rate(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _interval(value: Interval | None) -> str:
    return "-" if value is None else f"{value[0]:.2f}-{value[1]:.2f}"


def show_calibration(report: CalibrationReport, console: Console, *, documents: int) -> None:
    """Errors before and after, each document judged by a fit that did not see it."""
    sides = [(one.calibration, one.fidelity["soft"]) for one in (report.before, report.after)]
    rows = (
        ("mention ECE", [_rate(one.mention_ece) for one, _ in sides]),
        ("mention ECE, 95 % CI", [_fine_interval(one.mention_ece_interval) for one, _ in sides]),
        ("mention Brier score", [_rate(one.mention_brier) for one, _ in sides]),
        ("token ECE", [_rate(one.token_ece) for one, _ in sides]),
        ("token Brier score", [_rate(one.brier) for one, _ in sides]),
        ("total variation of label shares", [f"{told.tv:.4f}" for _, told in sides]),
        *(
            (f"mention ECE, {group}", [_rate(one.groups[group].ece) for one, _ in sides])
            for group in TAIL_GROUPS
            if group in sides[0][0].groups
        ),
    )
    first = Column(heading="lower is better", cells=tuple(name for name, _ in rows), justify="left")
    before, after = (tuple(values[side] for _, values in rows) for side in (0, 1))
    print_table(
        console,
        first,
        others=(Column(heading="before", cells=before), Column(heading="after", cells=after)),
        least=first.width,
    )
    console.print(
        f"{counted(documents, 'document')}; each is judged by a calibration fitted on the others; "
        f"mentions are those of the most probable tags"
    )


def show_probabilities(figures: RunEvaluation, console: Console) -> None:
    """Two lines on how true the probabilities are, and whether they were calibrated."""
    for name, told in (("calibrated", figures.used), ("the model's own", figures.uncalibrated)):
        if told is None:
            continue
        one = told.calibration
        soft = f"{told.fidelity['soft'].tv:.4f}" if "soft" in told.fidelity else "-"
        which = "" if figures.uncalibrated is None else f", {name}"
        console.print(
            f"probabilities{which}: mention ECE {_rate(one.mention_ece)}, "
            f"token ECE {_rate(one.token_ece)}, token Brier score {_rate(one.brier)}, "
            f"total variation of label shares {soft}"
        )
    if figures.uncalibrated is None:
        console.print("they are the model's own: raretag calibrate makes them truer", style="dim")


def _fine_interval(value: Interval | None) -> str:
    return "-" if value is None else f"{value[0]:.3f}-{value[1]:.3f}"
