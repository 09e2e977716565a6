"""The objective and the sampler that settings name, for given training data."""

from __future__ import annotations

from typing import Any, final

import numpy as np
import numpy.typing as npt
from torch.utils.data import Dataset

from raretag.objectives import objective
from raretag.objectives.per_label import per_label
from raretag.objectives.tag_loss import TagLoss
from raretag.sampling import Budget, Windows, WindowSampler, sampler
from raretag.tagging import Schema
from raretag.training.dataset import TaggedWindow, TrainingData, WindowDataset
from raretag.training.heads import Head, head
from raretag.training.settings import TrainSettings


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


@final
class DrawnWindows(Dataset[TaggedWindow]):
    """The training windows as a sampler draws them: with the targets that it wants learned."""

    def __init__(self, windows: WindowDataset, *, drawn_by: WindowSampler[Any]) -> None:
        self._windows = windows
        self._sampler = drawn_by

    def __len__(self) -> int:
        return len(self._windows)

    def __getitem__(self, index: int) -> TaggedWindow:
        window = self._windows[index]
        return TaggedWindow(input_ids=window.input_ids, labels=self._sampler.targets(window.labels, index))
