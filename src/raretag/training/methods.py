"""The objective, the sampler and the augmentation that settings name, for given training data."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, final

import numpy as np
import numpy.typing as npt
from torch.utils.data import Dataset

from raretag.errors import UsageError
from raretag.objectives import objective
from raretag.objectives.per_label import per_label
from raretag.objectives.tag_loss import TagLoss
from raretag.sampling import Budget, Windows, WindowSampler, sampler
from raretag.tagging import Schema, special_tokens
from raretag.training.augmentation import Augmentation, MentionReplacement, TokenMasking
from raretag.training.dataset import TaggedWindow, TrainingData, WindowDataset
from raretag.training.heads import Head, head
from raretag.training.settings import TrainSettings

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast


def build_head(settings: TrainSettings, *, schema: Schema) -> Head[Any]:
    """The layer between the encoder and the tags."""
    return head(settings.head.name, schema=schema, **settings.head.options)


def build_objective(settings: TrainSettings, *, schema: Schema) -> TagLoss:
    """The loss, with the regularisers and the deferral that the settings ask for; for each label if layered."""
    chosen = settings.objective
    common = {"regularisers": settings.regularisers, "start": chosen.start, **chosen.options}
    if schema.layered:
        return per_label(chosen.name, counts=schema.label_tag_counts, **common)
    return objective(chosen.name, counts=schema.tag_counts, groups=schema.groups, **common)


def effective_prior(loss: TagLoss, drawn: WindowSampler[Any], *, schema: Schema) -> npt.NDArray[np.float64]:
    """The marginals that loss and sampler together learn, float64 (tags,), or (labels, tags of a label) if layered."""
    return loss.effective_prior(drawn.label_marginals() if schema.layered else drawn.marginals())


def build_sampler(settings: TrainSettings, *, data: TrainingData) -> WindowSampler[Any]:
    """The batches of all epochs."""
    windows = Windows(
        lengths=np.asarray(data.dataset.lengths, dtype=np.int64),
        counts=np.stack([data.schema.count(one.labels) for one in data.dataset.windows]),
        groups=data.schema.groups,
    )
    optimiser = settings.optimiser
    return sampler(
        settings.sampler_name,
        windows=windows,
        budget=Budget(tokens=optimiser.batch_tokens, seed=settings.seed, epochs=optimiser.epochs),
        start=settings.sampler.start,
        **settings.sampler.options,
    )


def build_augmentation(
    settings: TrainSettings, *, data: TrainingData, tokenizer: PreTrainedTokenizerFast, capacity: int
) -> Augmentation | None:
    """How windows are changed while training, None where they are not. capacity: text tokens that fit a window.

    Raises UsageError for masking with a tokenizer that has no mask token.
    """
    asked = settings.augmentation
    if not asked.replacement and not asked.masking:
        return None
    special = special_tokens(tokenizer)
    mask_id = tokenizer.mask_token_id
    if asked.masking and mask_id is None:
        raise UsageError(
            "augmentation.masking needs a mask token, and this encoder's tokenizer has none",
            remedy="Set augmentation.masking to 0",
        )
    most = capacity + len(special.prefix) + len(special.suffix)
    return Augmentation(
        replacement=MentionReplacement(data.dataset.windows, schema=data.schema, most_tokens=most)
        if asked.replacement
        else None,
        replacement_chance=asked.replacement,
        masking=TokenMasking(mask_id=mask_id, special=special) if mask_id is not None and asked.masking else None,
        masked_share=asked.masking,
        seed=settings.seed,
    )


@final
class DrawnWindows(Dataset[TaggedWindow]):
    """The training windows as a sampler draws them: with the targets that it wants learned, and augmented."""

    def __init__(
        self, windows: WindowDataset, *, drawn_by: WindowSampler[Any], augmentation: Augmentation | None = None
    ) -> None:
        self._windows = windows
        self._sampler = drawn_by
        self._augmentation = augmentation

    def __len__(self) -> int:
        return len(self._windows)

    def __getitem__(self, index: int) -> TaggedWindow:
        window = self._windows[index]
        drawn = replace(window, labels=self._sampler.targets(window.labels, index))
        return (
            drawn if self._augmentation is None else self._augmentation(drawn, epoch=self._sampler.epoch, index=index)
        )
