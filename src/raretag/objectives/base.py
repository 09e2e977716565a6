"""The contract of every objective: what a loss is given, what it returns, and the prior its optimum has."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Final, Generic, TypeVar, cast, final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from raretag.objectives.prior import bias_only_optimum
from raretag.options import Options

IGNORE_INDEX: Final = -100

Array = npt.NDArray[np.float64]
OptionsT = TypeVar("OptionsT", bound=Options)


class Objective(ABC, Generic[OptionsT]):
    """A loss over tag logits that a Hugging Face `Trainer` takes as `compute_loss_func`.

    `counts` holds the training tokens of each tag, float64 (tags,); a tag with count 0 is never a target. Tag 0 is `O`.
    `groups` holds equal numbers for tags of one label, int64 (tags,), 0 for `O` (`Schema.groups`); within a group
    the lowest id begins a mention. Subclasses compute `_token_losses`; checks and normalisation live here, once:

        loss = Σ_t ℓ(z_t, y_t) / N,   N = tokens with a target in the whole accumulated batch

    so that neither gradient accumulation nor the number of processes changes the gradient.
    """

    options_type: ClassVar[type[Options]] = Options

    # whether the loss of a batch is no sum over its tokens, so that a batch must not be cut into several passes
    whole_batch: bool = False
    # whether a token's loss depends on its neighbours in the window
    sequential: bool = False
    # whether the optimum without text is one point, so that the effective prior can be restored
    prior_is_unique: bool = True

    def __init__(
        self, counts: npt.ArrayLike, *, groups: npt.ArrayLike | None = None, options: OptionsT | None = None
    ) -> None:
        self.counts = checked_counts(counts)
        self.groups = checked_label_groups(groups, tags=len(self.counts))
        self.options: OptionsT = cast("OptionsT", self.options_type()) if options is None else options

    @property
    def seen(self) -> npt.NDArray[np.bool_]:
        """bool (tags,): whether training holds the tag."""
        return np.asarray(self.counts > 0)

    @property
    def prior(self) -> Array:
        """π_k = n_k / Σ n, float64 (tags,): the shares of the training tokens."""
        return np.asarray(self.counts / self.counts.sum())

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
        Raises ValueError where shapes do not fit or a target is not a tag, or where `whole_batch` holds and `items`
        tells that this is a part of a batch.
        """
        return self.mean(self.token_losses(logits, tags, items=items), items=items)

    @final
    def mean(self, losses: Tensor, *, items: Tensor | int | None = None) -> Tensor:
        """Σ ℓ / N, a scalar, from what `token_losses` gave, (targets,), and its `items`; 0 where there is no target.

        Raises ValueError where `whole_batch` holds and `items` tells that this is a part of a batch.
        """
        return mean_loss(losses, items=items, whole_batch=type(self).__name__ if self.whole_batch else None)

    @final
    def token_losses(self, logits: Tensor, tags: Tensor, *, items: Tensor | int | None = None) -> Tensor:
        """ℓ(z_t, y_t) of each token with a target, in their order: float (targets,). Arguments as of `loss`.

        While gradients are recorded, objectives with running statistics take note of what they see.
        """
        if logits.shape[:-1] != tags.shape or logits.shape[-1] != len(self.counts):
            raise ValueError(
                f"logits {tuple(logits.shape)} do not fit tags {tuple(tags.shape)} and {len(self.counts)} tag counts"
            )
        logits = logits if logits.dtype == torch.float64 else logits.float()
        kept = tags != IGNORE_INDEX
        targets = tags[kept]
        if targets.numel() and (int(targets.min()) < 0 or int(targets.max()) >= logits.shape[-1]):
            raise ValueError(f"targets must be tag ids from 0 to {logits.shape[-1] - 1}, or {IGNORE_INDEX}")
        losses = self._window_losses(logits, tags, kept) if targets.numel() else logits[kept].sum(dim=-1)
        if logits.requires_grad:
            whole = len(targets) if items is None else number_of_items(items)
            self._observe(logits[kept].detach(), targets, items=whole)
        return losses

    def advance(self, progress: float) -> None:
        """Hear, before each step, which share of all steps is done, in [0, 1]; most objectives do not care.

        What a pass that was broken off has left in running statistics is forgotten.
        """

    def state_dict(self) -> Mapping[str, Tensor]:
        """What a checkpoint must hold beyond the options: running statistics, if any."""
        return {}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go on from what `state_dict` gave."""

    @final
    def effective_prior(self, marginals: npt.ArrayLike | None = None) -> Array:
        """Tag marginals, float64 (tags,), that the optimum predicts when targets are independent of the text.

        marginals: what the targets are, (tags,), or by kind of batch (kinds, tags), as a sampler's `marginals()` says;
        only ratios count; None: the training counts. For cross-entropy the optimum predicts just these; whatever moves
        them says so here, so that they can be restored. Raises ValueError for marginals that do not fit.
        """
        rows = np.atleast_2d(np.asarray(self.counts if marginals is None else marginals, dtype=np.float64))
        usable = rows.ndim == 2 and rows.shape[1] == len(self.counts) and np.isfinite(rows).all() and (rows >= 0).all()
        if not usable or rows.sum() <= 0:
            raise ValueError(f"marginals must hold {len(self.counts)} numbers >= 0 a row, at least one of them above 0")
        prior = self._prior(rows / rows.sum())
        return np.asarray(prior / prior.sum())

    @abstractmethod
    def _token_losses(self, logits: Tensor, targets: Tensor) -> Tensor:
        """The loss of each token, (tokens,), from float logits (tokens, tags) and int64 targets (tokens,)."""

    def _window_losses(self, logits: Tensor, tags: Tensor, kept: Tensor) -> Tensor:
        """As `_token_losses`, of the `kept` tokens; for objectives that look at neighbours, before windows are lost."""
        return self._token_losses(logits[kept], tags[kept])

    def _observe(self, logits: Tensor, targets: Tensor, *, items: int) -> None:
        """Take note of a pass over a part of a batch with `items` targets; logits (tokens, tags) carry no gradient."""

    def _prior(self, marginals: Array) -> Array:
        """The effective prior up to a factor, (tags,), for marginals (kinds, tags) that sum to 1.

        Where no closed form is known: the optimum of a model that has a bias for each tag and nothing else.
        """
        return bias_only_optimum(
            lambda logits: self._population_loss(logits, torch.from_numpy(marginals)),
            seen=marginals.sum(axis=0) > 0,
        )

    def _population_loss(self, logits: Tensor, marginals: Tensor) -> Tensor:
        """The expected loss when every token has the same `logits`, float64 (tags,); marginals (kinds, tags).

        Tags that never occur have logit −10⁴. Objectives with running statistics say it by themselves.
        """
        mass = marginals.sum(dim=0)
        tags = torch.nonzero(mass).flatten()
        return (mass[tags] * self._token_losses(logits.expand(len(tags), -1), tags)).sum()


def mean_loss(losses: Tensor, *, items: Tensor | int | None, whole_batch: str | None) -> Tensor:
    """Σ ℓ / N, a scalar. whole_batch: the name of a loss that may not be had in parts, None for all others."""
    targets = losses.numel()
    whole = targets if items is None else number_of_items(items)
    if whole_batch is not None and (whole != targets or processes() > 1):
        raise ValueError(
            f"{whole_batch} with these options is defined on a whole batch, but this pass holds {targets} "
            f"of its {whole} targets: set gradient_accumulation_steps=1 and use one process"
        )
    if items is None or targets == 0:
        return losses.sum() / max(targets, 1)
    return losses.sum() / items


def checked_counts(counts: npt.ArrayLike) -> Array:
    """Counts as float64 (tags,). Raises ValueError for anything but numbers >= 0, one of them above 0."""
    array = np.asarray(counts, dtype=np.float64)
    if array.ndim != 1 or not np.isfinite(array).all() or (array < 0).any() or array.sum() <= 0:
        raise ValueError("counts must be a list with one number >= 0 for each tag, at least one of them above 0")
    return array


def checked_groups(groups: npt.ArrayLike | None, *, tags: int) -> npt.NDArray[np.int64]:
    """Groups as int64 (tags,); None leaves every tag on its own. Raises ValueError where their number is wrong."""
    array = np.arange(tags) if groups is None else np.asarray(groups)
    if array.shape != (tags,) or not np.issubdtype(array.dtype, np.integer):
        raise ValueError(f"groups must be a list with one whole number for each of the {tags} tags")
    return array.astype(np.int64)


def checked_label_groups(groups: npt.ArrayLike | None, *, tags: int) -> npt.NDArray[np.int64]:
    """As `checked_groups`; raises ValueError also where they are not 0 for tag 0 alone and 1, 2, … for the labels."""
    array = checked_groups(groups, tags=tags)
    if tags and (array[0] != 0 or (array[1:] == 0).any() or set(array.tolist()) != set(range(int(array.max()) + 1))):
        raise ValueError("groups must be 0 for tag 0, which is O, and 1, 2, … without a gap for the tags of each label")
    return array


def number_of_items(items: Tensor | int) -> int:
    """The targets of a whole batch. Raises ValueError for several numbers, which DataParallel makes of it."""
    if isinstance(items, Tensor) and items.numel() != 1:
        raise ValueError(
            f"the number of items in a batch comes {items.numel()} times, as with several devices in one process: "
            "start one process a device (torchrun), or let one device be visible"
        )
    return int(items)


def processes() -> int:
    """How many processes train together."""
    distributed = torch.distributed
    return distributed.get_world_size() if distributed.is_available() and distributed.is_initialized() else 1
