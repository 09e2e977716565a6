"""`raretag samplers`: how the loss can be propagated."""

from __future__ import annotations

from raretag.cli import options
from raretag.cli.output import STANDARD_OUTPUT, result, write_figures


def samplers(json: options.Json = None) -> None:
    """List the samplers, how the loss is propagated: which windows share a batch, and how often each comes."""
    from raretag.cli.methods import described, show_methods
    from raretag.sampling import SAMPLERS

    rows = [described(name, entry) for name, entry in SAMPLERS.items()]
    write_figures({"samplers": [row.to_json() for row in rows]}, json)
    if json == STANDARD_OUTPUT:
        return
    console = result()
    show_methods("sampler", rows, console)
    console.print()
    for use in (
        "raretag train ... --set sampler.name=NAME --set sampler.OPTION=VALUE",
        "begin late: --set sampler.start=SHARE, of the steps, before which it is length-bucketed",
    ):
        console.print(use, style="dim", soft_wrap=True)
