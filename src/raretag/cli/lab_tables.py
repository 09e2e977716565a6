"""What the bias lab says on the terminal: a table for each set of probabilities, then the conclusions."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from raretag.cli.fitting import Column, print_table
from raretag.cli.wording import shown
from raretag.experiments.biaslab.results import BiasLabResults, Spread, Summary, SummaryCell


def show_bias_lab(results: BiasLabResults, console: Console) -> None:
    """Held-out text, at the end of training, means over the seeds."""
    for marginals in dict.fromkeys(one.marginals for one in results.summaries):
        console.print(Text.assemble(("planted: ", "bold"), shown(marginals)))
        _table([one for one in results.summaries if one.marginals == marginals], results, console)
        console.print()
    console.print(
        "Held-out text, end of training. Exponent: 1 preserves, above 1 amplifies, below 1 flattens. TV: total "
        "variation between predicted and true shares, of expected (soft), decided (hard) and restored probabilities.\n"
        "p: how often shares learned from other text would be as far off by chance. - is undefined.",
        style="dim",
        soft_wrap=True,
    )


def _table(rows: list[Summary], results: BiasLabResults, console: Console) -> None:
    verdicts = {(one.mechanism, one.marginals): one.verdict for one in results.conclusions}
    soft = [row.end.cell("held_out", "soft", "raw") for row in rows]
    hard = [row.end.cell("held_out", "hard", "raw") for row in rows]
    restored = [row.end.cell("held_out", "soft", "restored") for row in rows]
    print_table(
        console,
        Column(heading="mechanism", cells=tuple(shown(row.mechanism) for row in rows), justify="left"),
        others=(
            Column(
                heading="verdict",
                cells=tuple(verdicts[row.mechanism, row.marginals] for row in rows),
                justify="left",
            ),
            Column(heading="exponent", cells=tuple(_figure(one.amplification, 2) for one in soft)),
            Column(
                heading="labels'", cells=tuple(_figure(one.amplification_among_labels, 2) for one in soft), leaves=2
            ),
            Column(heading="TV soft", cells=tuple(_figure(one.tv, 3) for one in soft)),
            Column(heading="restored", cells=tuple(_figure(one.tv, 3) for one in restored), leaves=6),
            Column(heading="TV hard", cells=tuple(_figure(one.tv, 3) for one in hard), leaves=5),
            Column(
                heading="never decided",
                cells=tuple(_never(one, len(row.seeds)) for one, row in zip(hard, rows, strict=True)),
                leaves=4,
                justify="left",
            ),
            Column(heading="p", cells=tuple(_figure(one.p_value, 3) for one in soft), leaves=3),
            Column(heading="memorised", cells=tuple(_figure(row.end.memorised, 2) for row in rows), leaves=1),
        ),
    )


def _never(cell: SummaryCell, seeds: int) -> str:
    """Labels that were decided for no token, with the number of seeds where that is not all of them."""
    found = [
        shown(label) if number == seeds else f"{shown(label)} ({number} of {seeds})"
        for label, number in cell.never_predicted.items()
    ]
    return " ".join(found) or "-"


def _figure(spread: Spread, digits: int) -> str:
    return "-" if spread.mean is None else f"{spread.mean:.{digits}f}"
