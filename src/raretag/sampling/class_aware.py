"""Class-aware sampling: first a label, then a window that holds it."""

from __future__ import annotations

from typing import ClassVar, final

import numpy as np

from raretag.options import Options
from raretag.sampling.marginals import Array
from raretag.sampling.resampled import Resampled


class ClassAware(Resampled[Options]):
    """Label c is drawn with p_c ∝ n_c^q, n_c windows holding it, then a window uniformly among those n_c.

    Windows without any label are a class of their own and keep their share s of all windows, so that what is empty
    is still learned; the expected visits of the others are ∝ (1 − s) Σ_{c in w} p_c / n_c. A window brings all its
    labels with it, so equal p_c make labels only more equal (Kang 2020, arXiv 1910.09217).
    """

    power: ClassVar[float]

    def _weights(self, epoch: int) -> Array:
        del epoch
        return self._weights_at(self.power)

    @final
    def _weights_at(self, power: float) -> Array:
        """Shares of the visits, float64 (windows,), summing to 1, for q = `power`."""
        held = self.windows.label_counts > 0
        holding = held.sum(axis=0)
        known = holding > 0
        chosen = holding[known] ** power
        by_label = held[:, known] @ (chosen / max(chosen.sum(), 1.0) / holding[known])
        empty = ~held.any(axis=1)
        return np.asarray(np.where(empty, 1.0 / len(held), (1 - empty.mean()) * by_label))


@final
class SquareRoot(ClassAware):
    """Class-aware sampling with q = ½."""

    power = 0.5


@final
class Balanced(ClassAware):
    """Class-aware sampling with q = 0."""

    power = 0.0


@final
class Progressive(ClassAware):
    """From instance-balanced (q = 1) to balanced (q = 0): (1 − t) p_1 + t p_0, t the share of training that is done.

    Within an epoch t is that of its middle. Windows with several labels come more often even at t = 0.
    """

    power = 0.0

    def _weights(self, epoch: int) -> Array:
        last = self.budget.epochs - 1
        done = (min(epoch, last) + 0.5) / self.budget.epochs
        return (1 - done) * self._weights_at(1.0) + done * self._weights_at(0.0)
