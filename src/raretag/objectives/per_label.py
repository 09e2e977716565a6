"""A loss for heads that keep labels apart: one objective of the same kind for each label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from raretag.errors import UsageError
from raretag.objectives.base import IGNORE_INDEX, Array, Objective, mean_loss
from raretag.objectives.registry import OBJECTIVES, objective


@final
class PerLabel:
    """loss = Σ_k Σ_t ℓ_k(z_tk, y_tk) / N over labels k and tokens t, N = slots (t, k) with a target.

    A slot is one token seen by one label: logits (..., labels, tags of a label), tags int64 (..., labels), 0 outside,
    −100 where there is no target. A label that training never saw is shut to outside by the head; its slots count in
    N, and their loss and gradient are 0.
    """

    def __init__(self, parts: Sequence[Objective[Any] | None], *, tags: int) -> None:
        """parts: the objective of each label over its `tags` tags, None for a label that training never saw.

        Raises ValueError where there is no objective at all, or one is over another number of tags.
        """
        self._parts = {number: part for number, part in enumerate(parts) if part is not None}
        if not self._parts or any(len(part.counts) != tags for part in self._parts.values()):
            raise ValueError(f"at least one label needs an objective, and each must be over {tags} tags")
        self._shape = (len(parts), tags)
        # all are of one kind
        self._first = next(iter(self._parts.values()))
        # which part of a batch's slots is a label's own is not known before all of them have come
        self.whole_batch = self._first.whole_batch or bool(self._first.state_dict())
        self.sequential = self._first.sequential
        self._name = f"{type(self._first).__name__} for each label"
        self.prior_is_unique = self._first.prior_is_unique

    def __call__(self, outputs: Any, labels: Tensor, num_items_in_batch: Tensor | int | None = None) -> Tensor:
        """What a `Trainer` calls: `outputs.logits` and `labels`, shaped as above."""
        logits = outputs["logits"] if isinstance(outputs, dict) else outputs.logits
        return self.loss(logits, labels, items=num_items_in_batch)

    def loss(self, logits: Tensor, tags: Tensor, *, items: Tensor | int | None = None) -> Tensor:
        """The loss, a float32 scalar (float64 for float64 logits). items: the N above; counted from `tags` where None.

        Raises ValueError as `Objective.loss` does.
        """
        return self.mean(self.token_losses(logits, tags, items=items), items=items)

    def mean(self, losses: Tensor, *, items: Tensor | int | None = None) -> Tensor:
        """Σ ℓ / N, a scalar, from what `token_losses` gave, (slots,); 0 where there is no target."""
        return mean_loss(losses, items=items, whole_batch=self._name if self.whole_batch else None)

    def token_losses(self, logits: Tensor, tags: Tensor, *, items: Tensor | int | None = None) -> Tensor:
        """ℓ of each slot with a target, in their order in `tags`: float (slots,)."""
        if logits.shape[:-1] != tags.shape or logits.shape[-2:] != self._shape:
            raise ValueError(
                f"logits {tuple(logits.shape)} do not fit tags {tuple(tags.shape)} and {self._shape[0]} labels of "
                f"{self._shape[1]} tags"
            )
        kept = tags != IGNORE_INDEX
        del items
        # taken apart at once: gradients of single slices would each fill a tensor of the whole size
        by_label = zip(logits.movedim(-2, 0).contiguous().unbind(), tags.movedim(-1, 0).contiguous(), strict=True)
        losses = [
            self._parts[number].token_losses(z, y) if number in self._parts else _nothing(z, y)
            for number, (z, y) in enumerate(by_label)
        ]
        return _in_order(torch.cat(losses), kept)

    def advance(self, progress: float) -> None:
        """Tell every label's objective which share of all steps is done, in [0, 1]."""
        for part in self._parts.values():
            part.advance(progress)

    def state_dict(self) -> dict[str, Tensor]:
        """What every label's objective has gathered, by `<label's number>.<name>`."""
        return {f"{n}.{key}": value for n, part in self._parts.items() for key, value in part.state_dict().items()}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go on from what `state_dict` gave."""
        for number, part in self._parts.items():
            start = f"{number}."
            part.load_state_dict({k.removeprefix(start): value for k, value in state.items() if k.startswith(start)})

    def effective_prior(self, marginals: npt.ArrayLike | None = None) -> Array:
        """Each label's marginals, float64 (labels, tags of a label), that the optimum predicts without any text.

        marginals: the same shape, or by kind of batch (kinds, labels, tags of a label), as a sampler's
        `label_marginals()` says; None: the training counts. A label without an objective, or without a target, is
        outside. Raises ValueError for marginals that do not fit.
        """
        rows = None if marginals is None else np.asarray(marginals, dtype=np.float64)
        if rows is not None and (rows.ndim not in (2, 3) or rows.shape[-2:] != self._shape):
            raise ValueError(f"marginals {rows.shape} do not fit {self._shape[0]} labels of {self._shape[1]} tags")
        prior = np.zeros(self._shape)
        prior[:, 0] = 1.0
        for number, part in self._parts.items():
            own = None if rows is None else rows[..., number, :]
            if own is None or own[..., 1:].any():
                prior[number] = part.effective_prior(own)
        return prior


def per_label(
    name: str,
    *,
    counts: npt.ArrayLike,
    regularisers: Mapping[str, Mapping[str, object]] | None = None,
    start: float = 0.0,
    **options: object,
) -> PerLabel:
    """The objective `name` for each label of a head that keeps labels apart; arguments as of `objective`.

    counts: training tokens of each label's own tags, (labels, tags of a label), outside first
    (`Schema.label_tag_counts`). Raises UsageError as `objective` does.
    """
    entry = OBJECTIVES.get(name)
    if entry is not None and not entry.fits("per-label"):
        raise UsageError(
            f"objective {name!r} is not made for a head that keeps labels apart",
            remedy=f"Use it with head {' or '.join(entry.heads or ())}, or choose another",
        )
    table = np.asarray(counts, dtype=np.float64)
    if table.ndim != 2 or table.shape[1] < 2:
        raise ValueError("counts must be a table with a row for each label, and outside and at least one tag in it")
    groups = [0] + [1] * (table.shape[1] - 1)
    return PerLabel(
        [
            objective(name, counts=row, groups=groups, regularisers=regularisers, start=start, **options)
            if row[1:].any()
            else None
            for row in table
        ],
        tags=table.shape[1],
    )


def _nothing(logits: Tensor, tags: Tensor) -> Tensor:
    """A loss of 0 for each target."""
    dtype = logits.dtype if logits.dtype == torch.float64 else torch.float32
    return torch.zeros(int((tags != IGNORE_INDEX).sum()), dtype=dtype, device=logits.device)


def _in_order(losses: Tensor, kept: Tensor) -> Tensor:
    """From label by label to the order of `kept`, bool (..., labels), whose last axis is the label; (slots,)."""
    places = torch.zeros(kept.shape, dtype=torch.int64, device=kept.device)
    places[kept] = torch.arange(len(losses), device=kept.device)
    order = places.movedim(-1, 0)[kept.movedim(-1, 0)]
    return torch.zeros_like(losses).scatter(0, order, losses)
