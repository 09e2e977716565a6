"""`raretag heads`: what can turn the encoder's view of a token into tags."""

from __future__ import annotations

from raretag.cli import options
from raretag.cli.output import STANDARD_OUTPUT, result, write_figures


def heads(json: options.Json = None) -> None:
    """List the tag heads."""
    from raretag.cli.methods import described, show_methods
    from raretag.training.heads import HEADS

    rows = [described(name, entry) for name, entry in HEADS.items()]
    write_figures({"heads": [row.to_json() for row in rows]}, json)
    if json == STANDARD_OUTPUT:
        return
    console = result()
    show_methods("head", rows, console)
    console.print("\nraretag train ... --set head.name=NAME --set head.OPTION=VALUE", style="dim", soft_wrap=True)
