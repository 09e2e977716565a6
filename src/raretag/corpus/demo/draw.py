"""Random draws that come out the same on every machine and Python version."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TypeVar, final

T = TypeVar("T")


@final
class Draw:
    """Draws made from `random.Random.random()` alone: Python promises to keep its sequence."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def chance(self, probability: float) -> bool:
        """Tell whether something with this probability, in [0, 1], happens."""
        return self._random.random() < probability

    def below(self, count: int) -> int:
        """Return a whole number in [0, count), each as likely as the others; `count` is at least 1."""
        return int(self._random.random() * count)

    def pick(self, items: Sequence[T]) -> T:
        """Return one item, each as likely as the others."""
        return items[self.below(len(items))]

    def pick_early(self, items: Sequence[T]) -> T:
        """Return one item, the early ones more often: among n, the first k with probability sqrt(k / n)."""
        u = self._random.random()
        return items[int(u * u * len(items))]

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """Return the items in a random order (Fisher-Yates)."""
        deck = list(items)
        for last in range(len(deck) - 1, 0, -1):
            other = self.below(last + 1)
            deck[last], deck[other] = deck[other], deck[last]
        return deck
