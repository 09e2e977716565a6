"""`raretag objectives`: how the loss can be calculated, and what can be added to it."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

from raretag.cli import options
from raretag.cli.output import STANDARD_OUTPUT, result, write_figures

if TYPE_CHECKING:
    from raretag.objectives import ObjectiveEntry


def objectives(json: options.Json = None) -> None:
    """List the objectives, how the loss is calculated, and the regularisers that can be added."""
    from raretag.cli.methods import described, show_methods
    from raretag.objectives import OBJECTIVES, REGULARISERS

    registries = {"objectives": OBJECTIVES, "regularisers": REGULARISERS}
    content = {
        role: [
            {**described(name, entry).to_json(), "heads": entry.heads, "sampler": entry.sampler}
            for name, entry in registry.items()
        ]
        for role, registry in registries.items()
    }
    write_figures(content, json)
    if json == STANDARD_OUTPUT:
        return
    console = result()
    width = max(map(len, [*OBJECTIVES, *REGULARISERS]))
    for role, registry in registries.items():
        rows = [described(name, entry, remark=_made_with(entry)) for name, entry in registry.items()]
        show_methods(role.removesuffix("s"), rows, console, name_width=width)
        console.print()
    for use in (
        "raretag train ... --set objective.name=NAME --set objective.OPTION=VALUE",
        "begin late: --set objective.start=SHARE, of the steps, before which it is cross-entropy",
        "a regulariser beside it: --set regularisers.NAME.OPTION=VALUE",
    ):
        console.print(use, style="dim", soft_wrap=True)


def _made_with(entry: ObjectiveEntry) -> str:
    """The heads and the sampler, where they are not the ordinary ones."""
    ordinary = {field.name: field.default for field in fields(entry)}
    heads = "" if entry.heads is None else f"head {' or '.join(entry.heads)}"
    sampler = "" if entry.sampler == ordinary["sampler"] else f"sampler {entry.sampler}"
    return ", ".join(filter(None, (heads, sampler)))
