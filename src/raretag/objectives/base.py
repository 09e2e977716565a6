"""The contract of every objective: what a loss is given, what it returns, and the prior its optimum has."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Final, final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

IGNORE_INDEX: Final = -100


class Objective(ABC):
    """A loss over tag logits that a Hugging Face `Trainer` takes as `compute_loss_func`.

    `counts` holds the training tokens of each tag, float64 (tags,); a tag with count 0 is never a target.
    Subclasses compute `_token_losses`; all checks and the normalisation live here, once:

        loss = Σ_t ℓ(z_t, y_t) / N,   N = tokens with a target in the whole accumulated batch

    so that neither gradient accumulation nor the number of processes changes the gradient.
    """

    def __init__(self, counts: npt.ArrayLike) -> None:
        self.counts = np.asarray(counts, dtype=np.float64)
        usable = self.counts.ndim == 1 and np.isfinite(self.counts).all() and (self.counts >= 0).all()
        if not usable or self.counts.sum() <= 0:
            raise ValueError("counts must be a list with one number >= 0 for each tag, at least one of them above 0")

    @final
    def __call__(self, outputs: Any, labels: Tensor, num_items_in_batch: Tensor | int | None = None) -> Tensor:
        """What a `Trainer` calls: `outputs.logits` (batch, tokens, tags) and `labels` int64 (batch, tokens)."""
        logits = outputs["logits"] if isinstance(outputs, dict) else outputs.logits
        return self.loss(logits, labels, items=num_items_in_batch)

    @final
    def loss(self, logits: Tensor, tags: Tensor, *, items: Tensor | int | None = None) -> Tensor:
        """The loss, a float32 scalar (float64 for float64 logits).

        logits: floating (..., tags). tags: int64 (...), −100 where there is no target. items: the N above; counted
        from `tags` where None. With no target at all the loss is 0 and its gradient is 0.
        Raises ValueError where shapes do not fit or a target is not a tag.
        """
        if logits.shape[:-1] != tags.shape or logits.shape[-1] != len(self.counts):
            raise ValueError(
                f"logits {tuple(logits.shape)} do not fit tags {tuple(tags.shape)} and {len(self.counts)} tag counts"
            )
        logits = logits if logits.dtype == torch.float64 else logits.float()
        kept = tags != IGNORE_INDEX
        targets = tags[kept]
        if targets.numel() == 0:
            return logits[kept].sum()
        if int(targets.min()) < 0 or int(targets.max()) >= logits.shape[-1]:
            raise ValueError(f"targets must be tag ids from 0 to {logits.shape[-1] - 1}, or {IGNORE_INDEX}")
        total = self._token_losses(logits[kept], targets).sum()
        return total / (targets.numel() if items is None else items)

    @abstractmethod
    def _token_losses(self, logits: Tensor, targets: Tensor) -> Tensor:
        """The loss of each token, (tokens,), from float logits (tokens, tags) and int64 targets (tokens,)."""

    @abstractmethod
    def effective_prior(self) -> npt.NDArray[np.float64]:
        """Tag marginals, float64 (tags,), that the optimum predicts when targets are independent of the text.

        For cross-entropy these are the shares of the training tokens; whatever moves them says so here.
        """
