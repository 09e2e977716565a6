"""The contract of every tag head: the layer that turns what the encoder says of a token into logits of its tags."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar, cast, final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from raretag.errors import DataError
from raretag.options import Options
from raretag.tagging import Schema

if TYPE_CHECKING:
    from transformers import PreTrainedModel

OptionsT = TypeVar("OptionsT", bound=Options)


class Head(ABC, Generic[OptionsT]):
    """What takes the place of `model.classifier`; dropout and all else of the model stay as they are.

    Its logits are (..., *`logits_shape`), and a softmax over their last axis gives probabilities. Tags that training
    never saw have logit −10⁴: probability and gradient are exactly 0. Every parameter of the layer has one row for each
    logit of a token; `row_groups` says whose it is.
    """

    options_type: ClassVar[type[Options]] = Options

    # whether a plain Hugging Face folder expresses it, so that any pipeline loads it
    plain: ClassVar[bool] = False
    # whether it keeps labels apart, and so needs a layered schema
    layered: ClassVar[bool] = False

    def __init__(self, schema: Schema, *, options: OptionsT | None = None) -> None:
        """Raises ValueError for a schema that does not say of labels what the head does: kept apart, or not."""
        if schema.layered != self.layered:
            raise ValueError(f"{type(self).__name__} needs a schema with layered={self.layered}")
        self.schema = schema
        self.options: OptionsT = cast("OptionsT", self.options_type()) if options is None else options

    @property
    @final
    def logits_shape(self) -> tuple[int, ...]:
        """Of one token: (tags,), or (labels, tags of a label)."""
        return self.schema.shape

    @property
    def row_groups(self) -> npt.NDArray[np.int64]:
        """int64 (rows,): the label of each row of the layer's parameters, 1 + k for label k, 0 outside."""
        return self.schema.groups

    @final
    def install(self, model: PreTrainedModel) -> None:
        """Put a fresh layer in the place of the model's classifier, drawn from torch's generator.

        Raises DataError for a model without a linear classifier with a bias.
        """
        old = getattr(model, "classifier", None)
        if not isinstance(old, nn.Linear) or old.bias is None:
            raise DataError(
                f"{type(model).__name__} has no linear classifier with a bias",
                remedy="Name an encoder of the BERT family (BERT, DistilBERT, ELECTRA, MPNet …)",
            )
        # a Linear is among a module's registered children, so this puts the layer where the model looks for it
        model.classifier = self._layer(old)

    @abstractmethod
    def _layer(self, old: nn.Linear) -> nn.Module:
        """The fresh layer, (..., width) to (..., *logits_shape). old: the classifier that it takes the place of."""


def to_probabilities(logits: Tensor) -> Tensor:
    """A head's logits as probabilities, float32 of the same shape; the last axis sums to 1."""
    return torch.softmax(logits.float(), dim=-1)
