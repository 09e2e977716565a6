"""The second stage of a model: its head out, another in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from torch import nn

from raretag.errors import UsageError
from raretag.tagging import Schema
from raretag.training.model import tag_head
from raretag.training.second_stage.base import Retrained
from raretag.training.second_stage.features import Features
from raretag.training.second_stage.registry import second_stage

if TYPE_CHECKING:
    from transformers import PreTrainedModel


def retrain_head(
    model: PreTrainedModel,
    features: Features,
    *,
    schema: Schema,
    name: str,
    options: Mapping[str, object] | None = None,
    seed: int = 13,
) -> Retrained:
    """The head that the second stage `name` makes of the model's; the model is left as it is.

    To use it: `model.classifier = retrained.head`. features: of the model's own training windows.
    Raises UsageError for a name or an option that does not exist, or for a head that is not the plain softmax one.
    """
    stage = second_stage(name, schema=schema, options=options or {})
    head = tag_head(model)
    # a head that keeps labels apart is a kind of linear layer, too
    if type(head) is not nn.Linear or head.out_features != len(schema.tags):
        raise UsageError(
            f"a second stage needs the softmax head, not {type(head).__name__}",
            remedy="Train with head.name = softmax, or without a second stage",
        )
    return stage.retrain(head, features, seed=seed)
