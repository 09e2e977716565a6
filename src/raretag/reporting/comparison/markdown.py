"""The comparison as a Markdown table, for a report or a documentation page."""

from __future__ import annotations

from raretag.experiments.comparison.compare import Comparison
from raretag.experiments.comparison.differences import COST
from raretag.experiments.comparison.estimate import Estimate
from raretag.experiments.comparison.rows import FIGURES
from raretag.reporting.comparison.remarks import remarks

_WORDS = {"macro10": "macro >= 10", "mean_recall": "mean recall", "rare_recall": "recall, medium + tail"}


def markdown_table(compared: Comparison) -> str:
    """Figures with 95 % intervals, a recipe a line; then differences from the baseline with Holm's p."""
    priced = compared.currency is not None
    heads = [_WORDS.get(name, name) for name in FIGURES]
    heads += ["mention ECE", "TV", *([f"{compared.currency} per 1,000 notes"] if priced else []), "steps", "s", "MiB"]
    lines = [_line(["recipe", *heads]), _line(["---"] * (1 + len(heads)))]
    for row in compared.rows:
        cells = [_with_interval(row.figures[name]) for name in FIGURES]
        cells += ["-" if row.mention_ece is None else f"{row.mention_ece:.3f}", f"{row.variation:.4f}"]
        if priced:
            cells.append("-" if row.cost is None or row.cost.value is None else f"{row.cost.value:,.0f}")
        cells += [f"{row.steps:,.0f}", f"{row.seconds:,.0f}", f"{row.peak_mib:,}"]
        lines.append(_line([f"`{_plain(row.name)}`", *cells]))
    lines += ["", _line([f"minus `{_plain(compared.baseline)}`", "figure", "difference", "p", "p, Holm"])]
    lines.append(_line(["---"] * 5))
    for one in compared.differences:
        price = one.figure == COST
        name = f"{_plain(str(compared.currency))} per 1,000 notes" if price else _WORDS.get(one.figure, one.figure)
        told = _signed(one.difference, form=",.0f" if price else ".3f")
        lines.append(_line([f"`{_plain(one.recipe)}`", name, told, _p(one.p), _p(one.adjusted)]))
    lines += [
        "",
        f"{compared.documents:,} documents, {compared.mentions:,} gold mentions, {compared.folds} folds, seeds "
        f"{', '.join(map(str, compared.seeds))}. Strict F1 of out-of-fold predictions, pooled; s and MiB of one fold.",
        *(f"\n{_plain(remark[0].upper() + remark[1:])}." for remark in remarks(compared)),
        "",
    ]
    return "\n".join(lines)


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _plain(name: str) -> str:
    """A user's word that breaks neither the table nor the code span."""
    return name.replace("|", "/").replace("`", "'")


def _with_interval(one: Estimate) -> str:
    if one.value is None:
        return "-"
    return f"{one.value:.3f}" + ("" if one.interval is None else " ({:.2f}–{:.2f})".format(*one.interval))


def _signed(one: Estimate, *, form: str) -> str:
    if one.value is None:
        return "-"
    low_high = "" if one.interval is None else f" ({one.interval[0]:+{form}} to {one.interval[1]:+{form}})"
    return f"{one.value:+{form}}{low_high}"


def _p(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
