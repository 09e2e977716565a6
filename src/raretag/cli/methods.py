"""Lists of named methods: one line each on a wide terminal, a short block each on a narrow one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, final

from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from raretag.objectives import Entry

# below it, columns would be too narrow to read
_TABLE_WIDTH = 150
_HEADINGS = ("what it does", "options and defaults", "made for", "source")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """A line of the list: what it does, what it can be told, what else to know, and where it comes from."""

    name: str
    about: str
    source: str
    options: Mapping[str, Any] = field(default_factory=dict)
    remark: str = ""

    @property
    def told(self) -> str:
        """Its options with their defaults, as `--set` takes them."""
        return ", ".join(f"{name}={_plain(option['default'])}" for name, option in self.options.items())

    def to_json(self) -> dict[str, Any]:
        """Everything, each option with its default, meaning and range as JSON Schema tells it."""
        return {"name": self.name, "about": self.about, "options": dict(self.options), "source": self.source}


def described(name: str, entry: Entry[Any], *, remark: str = "") -> Method:
    """The line of a registered method."""
    properties = entry.options.model_json_schema().get("properties", {})
    options = {key: {fact: one[fact] for fact in one if fact != "title"} for key, one in properties.items()}
    return Method(name=name, about=entry.about, source=entry.source, options=options, remark=remark)


def show_methods(title: str, methods: Sequence[Method], console: Console, *, name_width: int = 0) -> None:
    """Print the methods under `title`: a table on a wide terminal or into a pipe, else blocks beside the names."""
    wide = console.width >= _TABLE_WIDTH
    remark = "{}" if wide else "for {}"
    rows = [
        (method.about, method.told, remark.format(method.remark) if method.remark else "", method.source)
        for method in methods
    ]
    used = [number for number, column in enumerate(zip(*rows, strict=True)) if any(column)]
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(title, no_wrap=True, min_width=name_width, style="bold")
    for number in used if wide else used[:1]:
        table.add_column(_HEADINGS[number], overflow="fold")
    for method, row in zip(methods, rows, strict=True):
        about, *facts = (row[number] for number in used)
        block = Text.assemble(about, *(("\n" + fact, "dim") for fact in facts if fact))
        table.add_row(method.name, *((about, *facts) if wide else (block,)))
    console.print(table)


def _plain(value: Any) -> str:
    """A default as YAML reads it."""
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    return f"{value:g}" if isinstance(value, float) else str(value)
