"""What training asks of a loss, whatever the head: an objective over tags, or one for each label."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from torch import Tensor


class TagLoss(Protocol):
    """The public side of `Objective`; see there for what each method promises."""

    @property
    def whole_batch(self) -> bool:
        """Whether a batch must not be cut into several passes."""

    @property
    def sequential(self) -> bool:
        """Whether a token's loss depends on its neighbours in the window."""

    @property
    def prior_is_unique(self) -> bool:
        """Whether the effective prior can be restored."""

    def __call__(self, outputs: Any, labels: Tensor, num_items_in_batch: Tensor | int | None = None) -> Tensor:
        """What a `Trainer` calls."""

    def loss(self, logits: Tensor, tags: Tensor, *, items: Tensor | int | None = None) -> Tensor:
        """Σ ℓ / N, a scalar."""

    def mean(self, losses: Tensor, *, items: Tensor | int | None = None) -> Tensor:
        """Σ ℓ / N from what `token_losses` gave."""

    def token_losses(self, logits: Tensor, tags: Tensor, *, items: Tensor | int | None = None) -> Tensor:
        """ℓ of each target, in their order in `tags`: float (targets,)."""

    def advance(self, progress: float) -> None:
        """Hear which share of all steps is done."""

    def state_dict(self) -> Mapping[str, Tensor]:
        """What a checkpoint must hold."""

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go on from what `state_dict` gave."""

    def effective_prior(self, marginals: npt.ArrayLike | None = None) -> npt.NDArray[np.float64]:
        """The marginals that the optimum predicts when targets are independent of the text."""
