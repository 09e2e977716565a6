"""What takes steps: a model with its head, the data, the loss and the batches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np
import numpy.typing as npt

from raretag.objectives.tag_loss import TagLoss
from raretag.sampling import WindowSampler
from raretag.training.augmentation import Augmentation
from raretag.training.dataset import TrainingData
from raretag.training.heads import Head
from raretag.training.methods import build_objective, build_sampler, effective_prior
from raretag.training.settings import TrainSettings

if TYPE_CHECKING:
    from transformers import PreTrainedModel


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Learner:
    """A model that learns `data` by `objective`, in the batches of `sampler`. pad_id: what fills windows up.

    augmentation: how windows are changed each time they are drawn; None: not at all.
    """

    settings: TrainSettings
    model: PreTrainedModel
    head: Head[Any]
    data: TrainingData
    objective: TagLoss
    sampler: WindowSampler[Any]
    pad_id: int
    augmentation: Augmentation | None = None

    def prior(self) -> npt.NDArray[np.float64]:
        """What objective and sampler together learn where no text explains a tag, shaped as a token's logits."""
        return effective_prior(self.objective, self.sampler, schema=self.data.schema)


def build_learner(
    settings: TrainSettings,
    *,
    model: PreTrainedModel,
    head: Head[Any],
    data: TrainingData,
    pad_id: int,
    augmentation: Augmentation | None = None,
) -> Learner:
    """The objective and the sampler that settings name, beside a model whose classifier `head` has installed."""
    return Learner(
        settings=settings,
        model=model,
        head=head,
        data=data,
        objective=build_objective(settings, schema=data.schema),
        sampler=build_sampler(settings, data=data),
        pad_id=pad_id,
        augmentation=augmentation,
    )
