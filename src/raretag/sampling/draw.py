"""A window's number that remembers what the window was drawn for."""

from __future__ import annotations

from typing import final


@final
class Draw(int):
    """The number of a window: an index like any other, so that any dataset can be asked for it.

    What it remembers survives pickling, on the way to worker processes.

    focus: the group (1 + label) that this batch is about, 0 where it is about all of them.
    visit: a number that differs between visits to the same window, for what is random anew each time.
    stage: which of several samplers that take turns drew it, 0 the first.
    """

    focus: int
    visit: int
    stage: int

    def __new__(cls, window: int, *, focus: int = 0, visit: int = 0, stage: int = 0) -> Draw:
        """A draw of `window`."""
        draw = super().__new__(cls, window)
        draw.focus = focus
        draw.visit = visit
        draw.stage = stage
        return draw

    @staticmethod
    def of(number: int) -> Draw:
        """A plain number as a draw about all labels; a draw as it is."""
        return number if isinstance(number, Draw) else Draw(number)
