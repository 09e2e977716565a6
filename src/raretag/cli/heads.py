"""`raretag heads`: what can turn the encoder's view of a token into tags, and what can be done to it afterwards."""

from __future__ import annotations

from raretag.cli import options
from raretag.cli.output import STANDARD_OUTPUT, result, write_figures


def heads(json: options.Json = None) -> None:
    """List the tag heads, and the second stages that make a head anew once the encoder is trained."""
    from raretag.cli.methods import described, show_methods
    from raretag.training.heads import HEADS
    from raretag.training.second_stage import SECOND_STAGES

    heads = [described(name, entry) for name, entry in HEADS.items()]
    stages = [described(name, entry) for name, entry in SECOND_STAGES.items()]
    write_figures({"heads": [row.to_json() for row in heads], "second_stages": [row.to_json() for row in stages]}, json)
    if json == STANDARD_OUTPUT:
        return
    console = result()
    width = max(map(len, [*HEADS, *SECOND_STAGES, "second stage"]))
    show_methods("head", heads, console, name_width=width)
    console.print()
    show_methods("second stage", stages, console, name_width=width)
    console.print()
    for use in (
        "raretag train ... --set head.name=NAME --set head.OPTION=VALUE",
        "a second stage, of a softmax head: --set second_stage.name=NAME --set second_stage.OPTION=VALUE",
    ):
        console.print(use, style="dim", soft_wrap=True)
