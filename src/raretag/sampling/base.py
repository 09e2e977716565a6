"""The contract of every sampler: batches within a budget of tokens, alike in every process, and their tag marginals."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Generic, TypeVar, cast, final

import numpy as np
from torch.utils.data import Sampler

from raretag.options import Options
from raretag.sampling.draw import Draw
from raretag.sampling.marginals import Array, Kind, completed
from raretag.sampling.packing import pack
from raretag.sampling.windows import Integers, Windows

OptionsT = TypeVar("OptionsT", bound=Options)

# what the marginals are measured on: as many batches, in whole epochs, but not more epochs
_EPOCHS_DRAWN = 8
_BATCHES_DRAWN = 1024


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What every sampler is held to, so that their results can be compared.

    tokens: of a batch, padding included. epochs: how many there will be, for samplers that change on the way.
    rank of processes: this process takes every `processes`-th batch, beginning with number `rank`. Leave them alone
    where accelerate, and so a Hugging Face Trainer, shares the batches out: it would share out a share.
    """

    tokens: int
    seed: int
    epochs: int = 1
    rank: int = 0
    processes: int = 1

    def __post_init__(self) -> None:
        if min(self.tokens, self.epochs) < 1 or self.seed < 0 or not 0 <= self.rank < self.processes:
            raise ValueError(
                f"a budget needs tokens >= 1, epochs >= 1, seed >= 0 and 0 <= rank < processes, not "
                f"{self.tokens}, {self.epochs}, {self.seed} and rank {self.rank} of {self.processes}"
            )


class WindowSampler(Sampler[list[int]], ABC, Generic[OptionsT]):
    """A batch sampler: the same number of batches every epoch, whatever it draws.

    An epoch depends only on (seed, epoch): a resumed run goes on with the same batches, and every process knows them
    all and takes its share, so that none is repeated and none is lost. The number of batches is that of a plain
    epoch within the budget, rounded up to a multiple of the processes.
    """

    options_type: ClassVar[type[Options]] = Options

    def __init__(self, windows: Windows, *, budget: Budget, options: OptionsT | None = None) -> None:
        """Raises ValueError for fewer windows than a batch, or than processes, and for windows without a target."""
        if len(windows) < budget.processes or int(windows.lengths.sum()) < budget.tokens * budget.processes:
            raise ValueError(
                f"{len(windows)} windows of {int(windows.lengths.sum())} tokens are fewer than a batch of "
                f"{budget.tokens} tokens for each of {budget.processes} processes: choose a smaller batch"
            )
        if not windows.counts.any():
            raise ValueError(f"none of {len(windows)} windows has a target: at least one tag count must be above 0")
        self.windows = windows
        self.budget = budget
        self.options: OptionsT = cast("OptionsT", self.options_type()) if options is None else options
        self.epoch = 0
        plain = len(pack(windows.lengths, tokens=budget.tokens))
        most = len(windows) // budget.processes
        self.batches_in_epoch = min(-(-plain // budget.processes), most) * budget.processes

    @property
    @final
    def sampler(self) -> WindowSampler[OptionsT]:
        """Itself: where accelerate, sharing batches out among processes, looks for `set_epoch`."""
        return self

    @final
    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch, counted from 0, that the next iteration gives."""
        self.epoch = epoch

    @final
    def __len__(self) -> int:
        """The number of this process's batches in any epoch."""
        return self.batches_in_epoch // self.budget.processes

    @final
    def __iter__(self) -> Iterator[list[int]]:
        batches = self.epoch_batches(self.epoch)
        yield from batches[self.budget.rank :: self.budget.processes]

    @final
    def epoch_batches(self, epoch: int) -> Sequence[list[int]]:
        """All batches of an epoch, those of every process. Epochs may be more than the budget says."""
        return self._batches(epoch, np.random.default_rng([self.budget.seed, epoch]))

    @abstractmethod
    def _batches(self, epoch: int, rng: np.random.Generator) -> Sequence[list[int]]:
        """Exactly `batches_in_epoch` batches; what is random comes from `rng`, or from the seed and `epoch`."""

    def targets(self, tags: Integers, draw: int) -> Integers:
        """What of a drawn window's tags is learned: int64 of the shape of `tags`, −100 where nothing is.

        tags: int64 (tokens,), or (tokens, labels) with 0 outside, 1 begin, 2 inside for heads that keep labels apart.
        """
        del draw
        return tags

    @final
    def marginals(self) -> Array:
        """What a step's targets are, float64 (steps, tags): a row a step, all rows equal in sum, 1 in total.

        A step is a batch of each process; its loss is a mean over its targets, whatever their number. The steps are
        those of the last epoch and of some after it, for samplers that change on the way end there. A tag that may
        come but happens not to has its expected share. Accumulation over several batches is not known here.
        """
        return self._measured(self._kept)

    @final
    def label_marginals(self) -> Array:
        """The same for heads that keep labels apart: float64 (steps, labels, tags of a label), outside first.

        A label that never has a target is certainly outside. Exact where labels do not overlap.
        """
        rows = self._measured(self._kept_by_label)
        rows[:, :, 0] += (rows.sum(axis=(0, 2)) == 0) / rows[0].size / len(rows)
        return np.asarray(rows / rows.sum())

    @final
    def effective_prior(self) -> Array:
        """Tag marginals, float64 (tags,), that cross-entropy learns from these batches where no text explains tags."""
        return np.asarray(self.marginals().sum(axis=0))

    def _kept(self, counts: Array, focus: int) -> Array:
        """What `targets` leaves of tag counts (tags,) on average, in draws with this focus: float64 (tags,)."""
        del focus
        return counts

    def _kept_by_label(self, counts: Array, focus: int) -> Array:
        """The same of each label's own tags: float64 (labels, tags of a label), outside first."""
        del focus
        own = counts[self._tags_by_label]
        return np.column_stack([counts.sum() - own.sum(axis=1), own])

    @cached_property
    def _tags_by_label(self) -> Integers:
        """Tag ids, int64 (labels, own tags)."""
        labels = range(1, int(self.windows.groups.max(initial=0)) + 1)
        return np.stack([np.flatnonzero(self.windows.groups == label) for label in labels])

    def _kinds(self) -> Sequence[Kind]:
        """The kinds of batches at the end of training, with the expected visits of windows up to a factor."""
        return [Kind(1.0, np.ones(len(self.windows)), 0)]

    def _last_batches(self) -> Sequence[list[int]]:
        last = self.budget.epochs - 1
        number = max(1, min(_EPOCHS_DRAWN, -(-_BATCHES_DRAWN // self.batches_in_epoch)))
        return [batch for epoch in range(last, last + number) for batch in self.epoch_batches(epoch)]

    def _measured(self, kept: Callable[[Array, int], Array]) -> Array:
        counts = self.windows.counts.astype(np.float64)
        drawn = [
            kept(counts[np.array(batch, dtype=np.int64)].sum(axis=0), Draw.of(batch[0]).focus)
            for batch in self._last_batches()
        ]
        together = self.budget.processes
        steps = [np.sum(drawn[first : first + together], axis=0) for first in range(0, len(drawn), together)]
        expected = [(kind.share, kept(kind.visits @ counts, kind.focus)) for kind in self._kinds()]
        return completed(steps, expected=np.sum([share * one / one.sum() for share, one in expected], axis=0))
