"""What a policy comes to, beside the most probable tags, for the terminal."""

from __future__ import annotations

from rich.console import Console

from raretag.cli.fitting import Column, print_table
from raretag.cli.wording import counted, shown
from raretag.corpus.inventory import TAIL_GROUPS
from raretag.evaluation.decision_cost import DecisionCost
from raretag.evaluation.decision_figures import DecisionFigures
from raretag.evaluation.decision_report import DecisionReport, KeptPromise


def show_decisions(report: DecisionReport, console: Console) -> None:
    """The policy beside argmax, then each promise, what is refused, and the cost at other ratios."""
    sides = (report.argmax, report.used)
    rows: list[tuple[str, list[str]]] = [
        ("F1 of what is accepted, micro", [_rate(one.strict.micro.f1) for one in sides]),
        ("F1 of what is accepted, macro", [_rate(one.strict.macro.f1) for one in sides]),
        *((f"{group}: found or reviewed", [_found(one, group) for one in sides]) for group in TAIL_GROUPS),
        ("all: found or reviewed", [_rate(one.routes.recall) for one in sides]),
        ("false alarms", [f"{one.routes.false_alarms:,}" for one in sides]),
        ("reviews, of ten tokens each", [f"{one.reviews:,}" for one in sides]),
        ("tokens to review", [_percent(one.reviewed_share) for one in sides]),
    ]
    if report.used.cost is not None:
        rows.append((f"{shown(report.used.cost.currency)} per 1,000 notes", [_cost(one.cost) for one in sides]))
        rows.append(("   95 % CI", [_cost_interval(one.cost) for one in sides]))
    first = Column(heading="decisions", cells=tuple(name for name, _ in rows), justify="left")
    columns = [
        Column(heading=name, cells=tuple(values[side] for _, values in rows))
        for side, name in enumerate(("argmax", "policy"))
    ]
    console.print()
    print_table(console, first, others=columns, least=first.width)
    told = ", ".join(
        f"{name.replace('_', ' ')} {'-' if p is None else f'{p:.4f}'}" for name, p in report.p_values.items()
    )
    console.print(f"p of the differences, documents swapped: {told}", soft_wrap=True)
    _show_promises(report, console)
    _show_curve(report, console)
    _show_reading(report, console)


def _show_promises(report: DecisionReport, console: Console) -> None:
    if report.promises:
        rows = report.promises
        console.print()
        print_table(
            console,
            Column(heading="promise: missed at most", cells=tuple(_labels(one) for one in rows), justify="left"),
            others=(
                Column(heading="alpha", cells=tuple(f"{one.promised.alpha:.3f}" for one in rows)),
                Column(heading="bound", cells=tuple(f"{one.promised.bound:.3f}" for one in rows), leaves=4),
                Column(heading="missed", cells=tuple(_rate(one.realised and one.realised.share) for one in rows)),
                Column(heading="95 % CI", cells=tuple(_missed_interval(one) for one in rows), leaves=3),
                Column(
                    heading="mentions",
                    cells=tuple(_number(one.realised and one.realised.mentions) for one in rows),
                    leaves=2,
                ),
                Column(
                    heading="units", cells=tuple(_number(one.realised and one.realised.units) for one in rows), leaves=1
                ),
            ),
            least=30,
        )
    for one in report.promises:
        if one.realised is None:
            console.print(
                f"{_labels(one)}: some of these documents were decided without the promise, which so few of the others "
                "could not give; so what is reviewed, missed and paid here is not yet that of the policy: raretag "
                "evaluate tells",
                style="yellow",
                soft_wrap=True,
            )
        if one.promised.threshold == 0:
            console.print(
                f"{_labels(one)}: the whole of every note goes to review; "
                f"{counted(one.promised.unreached, 'mention')} of {one.promised.mentions:,} no candidate reaches",
                style="yellow",
                soft_wrap=True,
            )
    for refused in report.refused:
        console.print(
            f"nothing is promised (alpha {refused.alpha:.3f}) for {', '.join(map(shown, refused.labels))}: "
            f"{refused.why}",
            style="yellow",
            soft_wrap=True,
        )


def _show_curve(report: DecisionReport, console: Console) -> None:
    curve = report.curve
    if curve is None:
        return
    console.print()
    print_table(
        console,
        Column(
            heading="a miss costs so many false alarms", cells=tuple(f"{one:g}" for one in curve.ratios), justify="left"
        ),
        others=[
            Column(heading=name, cells=tuple("-" if cost is None else f"{cost:.3f}" for cost in costs))
            for name, costs in curve.rules.items()
        ],
    )
    console.print("cost as a share of that of marking nothing; a review costs as in the costs given", style="dim")


def _show_reading(report: DecisionReport, console: Console) -> None:
    if not report.reading:
        return
    rows = report.reading
    console.print()
    print_table(
        console,
        Column(heading="reading from a doubt of", cells=tuple(f"{one.threshold:g}" for one in rows), justify="left"),
        others=(
            Column(heading="tokens read", cells=tuple(_percent(one.reviewed) for one in rows)),
            Column(heading="found or reviewed", cells=tuple(_rate(one.recall) for one in rows)),
            Column(heading="reviews", cells=tuple(f"{one.reviews:,}" for one in rows), leaves=1),
        ),
    )
    console.print("beside what the policy sends to review; a budget fixes one of them beforehand", style="dim")


def _labels(one: KeptPromise) -> str:
    labels = one.promised.labels
    if len(labels) == 1:
        return shown(labels[0])
    return f"{counted(len(labels), 'label')} together: {', '.join(map(shown, labels))}"


def _found(one: DecisionFigures, group: str) -> str:
    return next(_rate(counts.recall) for name, counts in one.groups.items() if name == group)


def _rate(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _number(value: int | None) -> str:
    return "-" if value is None else f"{value:,}"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"


def _cost(cost: DecisionCost | None) -> str:
    return "-" if cost is None or cost.per_1000_notes is None else f"{cost.per_1000_notes:,.0f}"


def _cost_interval(cost: DecisionCost | None) -> str:
    if cost is None or cost.per_1000_notes_interval is None:
        return "-"
    low, high = cost.per_1000_notes_interval
    return f"{low:,.0f}-{high:,.0f}"


def _missed_interval(one: KeptPromise) -> str:
    interval = one.realised and one.realised.interval
    return "-" if interval is None else "{:.3f}-{:.3f}".format(*interval)
