"""One batch shared out among processes: each takes some of its windows, and the step is that of the whole batch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, final

from raretag.errors import UsageError
from raretag.objectives.base import processes
from raretag.objectives.tag_loss import TagLoss
from raretag.tagging import IGNORE
from raretag.training.dataset import TaggedWindow, collate


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """The windows of a batch of `windows` that process `rank` of `processes` takes: every `processes`-th.

    A process for which there is none takes the first window, with nothing to learn from it.
    """

    windows: int
    rank: int
    processes: int

    @property
    def idle(self) -> bool:
        """Whether nothing is left for this process."""
        return self.rank >= self.windows

    @property
    def rows(self) -> slice:
        """Which rows of the whole batch it takes, at least one."""
        return slice(0, 1) if self.idle else slice(self.rank, None, self.processes)

    @property
    def size(self) -> int:
        """How many rows."""
        return len(range(self.windows)[self.rows])


def refuse_parts(loss: TagLoss, *, name: str) -> None:
    """Raises UsageError where several processes cannot share a batch: the loss called `name` needs it whole."""
    if processes() > 1 and loss.whole_batch:
        raise UsageError(
            f"objective {name!r} with these options is defined on a whole batch: its loss is no sum over windows, so "
            f"that the shares of {processes()} processes do not add up to it",
            remedy="Start raretag without torchrun, or choose options whose loss is a sum (raretag objectives)",
        )


# the share of the step that is being taken, for what must be drawn as for the whole batch
_current: Share | None = None


def current_share() -> Share | None:
    """The share that is learned from now; None outside a step, and where one process takes whole batches."""
    return _current


@contextmanager
def taking(share: Share) -> Iterator[None]:
    """While a step is taken with `share`."""
    global _current
    _current = share
    try:
        yield
    finally:
        _current = None


def collate_share(windows: Sequence[TaggedWindow], *, pad_id: int, rank: int, of: int) -> Mapping[str, Any]:
    """The rows that process `rank` of `of` takes of the whole batch that `collate` makes, and `share`, the Share.

    Rows are as long as in the whole batch, so that nothing depends on who else is in the share.
    """
    share = Share(windows=len(windows), rank=rank, processes=of)
    batch = {name: values[share.rows] for name, values in collate(windows, pad_id=pad_id).items()}
    if share.idle:
        batch["labels"].fill_(IGNORE)
    return {**batch, "share": share}
