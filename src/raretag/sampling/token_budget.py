"""Batches of windows of about equal length that fill a budget of tokens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import final

import numpy as np
import numpy.typing as npt
from torch.utils.data import Sampler

# enough to mix neighbours in length; more of it turns batches into padding
_JITTER = 0.05


@final
class TokenBudget(Sampler[list[int]]):
    """Every window once an epoch, in batches whose padded size (windows x longest) is close to `tokens`.

    Windows of about equal length share a batch, so little is padding; lengths are jittered by 5 % before they are
    sorted, so batches differ from epoch to epoch; the order of batches is random. The number of batches is the same in
    every epoch, and an epoch depends only on (seed, epoch), so that a resumed run goes on with the same batches.
    For that the budget is widened where an epoch's jitter needs it: no batch of several windows is above
    1.05 / 0.95 x 1.01 x `tokens` + 1. A window longer than that forms a batch of its own.
    """

    def __init__(self, lengths: Sequence[int], *, tokens: int, seed: int) -> None:
        """lengths: tokens of each window, special ones included, >= 1. tokens: the budget, >= 1."""
        if tokens < 1 or any(length < 1 for length in lengths):
            raise ValueError("the budget and every length must be at least 1 token")
        self._lengths = np.asarray(lengths, dtype=np.int64)
        self._tokens = tokens
        self._seed = seed
        self._epoch = 0
        self._batches = len(_pack(self._lengths[np.argsort(self._lengths, kind="stable")], tokens))

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch, counted from 0, that the next iteration gives."""
        self._epoch = epoch

    def __len__(self) -> int:
        """The number of batches in any epoch."""
        return self._batches

    def __iter__(self) -> Iterator[list[int]]:
        if not len(self):
            return
        rng = np.random.default_rng([self._seed, self._epoch])
        jittered = self._lengths * rng.uniform(1 - _JITTER, 1 + _JITTER, len(self._lengths))
        order = np.argsort(jittered, kind="stable")
        batches = np.split(order, self._cuts(self._lengths[order]))
        for number in rng.permutation(len(batches)):
            yield batches[number].tolist()

    def _cuts(self, lengths: npt.NDArray[np.int64]) -> list[int]:
        """Where to cut `lengths` so that exactly `len(self)` batches come out."""
        cuts = _pack(lengths, self._tokens)
        budget = self._tokens
        while len(cuts) > self._batches:
            budget += max(1, budget // 100)
            cuts = _pack(lengths, budget)
        while len(cuts) < self._batches:
            ends = [*cuts[1:], len(lengths)]
            sizes = [end - start for start, end in zip(cuts, ends, strict=True)]
            largest = int(np.argmax(sizes))
            cuts.insert(largest + 1, cuts[largest] + sizes[largest] // 2)
        return cuts[1:]


def _pack(lengths: npt.NDArray[np.int64], budget: int) -> list[int]:
    """Starts of consecutive batches whose count times longest stays within `budget`."""
    starts: list[int] = []
    longest = 0
    for position, length in enumerate(lengths.tolist()):
        longest = max(longest, length)
        if not starts or (position - starts[-1] + 1) * longest > budget:
            starts.append(position)
            longest = length
    return starts
