"""`raretag inspect`: labels, tail, overlaps and Findings of a corpus."""

from __future__ import annotations

from raretag.cli import options
from raretag.cli.output import STANDARD_OUTPUT, result, status, tell_findings, write_figures
from raretag.cli.targets import check_figures


def inspect(data: options.Data, json: options.Json = None, format: options.Format = None) -> None:
    """Show what a corpus holds: labels, how rare they are, overlaps, and what could not be kept."""
    from raretag.cli.tables import show_inventory
    from raretag.corpus.formats import read_corpus
    from raretag.corpus.inventory import inventory

    check_figures(json, source=data)
    corpus = read_corpus(data, format=format)
    held = inventory(corpus)
    write_figures({"format": corpus.format, **held.to_json()}, json)
    if json != STANDARD_OUTPUT:
        show_inventory(held, result(), format=corpus.format)
        tell_findings(corpus.findings, status())
