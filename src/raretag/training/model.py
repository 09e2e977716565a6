"""The encoder with a fresh tag head; tags that training never saw can never be predicted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from safetensors import SafetensorError

from raretag.errors import DataError
from raretag.tagging import EncoderSource, Schema

if TYPE_CHECKING:
    from transformers import PretrainedConfig, PreTrainedModel

# far below any trained logit, yet finite, so that a softmax gives 0 and no gradient instead of NaN
UNSEEN_BIAS = -1e4


def build_model(source: EncoderSource, *, schema: Schema, seed: int) -> PreTrainedModel:
    """Load the encoder's weights under a fresh token-classification head, float32.

    The head's rows of unseen tags are 0 with bias −10⁴: their probability and gradient are exactly 0, in training, in
    the saved folder and in any pipeline that loads it. Raises DataError where the weights cannot be loaded.
    """
    from transformers import AutoModelForTokenClassification

    torch.manual_seed(seed)
    try:
        model: PreTrainedModel = AutoModelForTokenClassification.from_pretrained(
            source.location,
            num_labels=len(schema.tags),
            id2label=dict(enumerate(schema.tags)),
            label2id={tag: number for number, tag in enumerate(schema.tags)},
            dtype=torch.float32,
            attn_implementation="eager",
        )
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise DataError(
            f"encoder {source.name!r} cannot be loaded for token classification ({type(error).__name__})",
            remedy="Name an encoder with config.json and weights of a BERT-like model",
        ) from error
    head = tag_head(model)
    unseen = torch.as_tensor(~schema.seen)
    with torch.no_grad():
        head.weight[unseen] = 0.0
        head.bias[unseen] = UNSEEN_BIAS
    return model


def load_config(source: EncoderSource) -> PretrainedConfig:
    """The encoder's configuration. Raises DataError where there is none."""
    from transformers import AutoConfig

    try:
        config: PretrainedConfig = AutoConfig.from_pretrained(source.location)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"the configuration of encoder {source.name!r} cannot be read ({type(error).__name__})",
            remedy="Name an encoder with a config.json of a BERT-like model",
        ) from error
    return config


def tag_head(model: PreTrainedModel) -> torch.nn.Linear:
    """The linear layer that gives the tag logits. Raises DataError for a model without one."""
    head = getattr(model, "classifier", None)
    if not isinstance(head, torch.nn.Linear) or head.bias is None:
        raise DataError(
            f"{type(model).__name__} has no linear classifier with a bias",
            remedy="Name an encoder of the BERT family (BERT, DistilBERT, ELECTRA, MPNet …)",
        )
    return head


def default_learning_rate(config: PretrainedConfig) -> float:
    """3·10⁻⁴ · (384 / width)²: what suits the embedded encoder, and 7.5·10⁻⁵ for one of BERT-base's width."""
    return 3e-4 * (384 / int(config.hidden_size)) ** 2


def position_limit(config: PretrainedConfig) -> int:
    """The longest window an encoder of this configuration has positions for, special tokens included."""
    positions = int(getattr(config, "max_position_embeddings", 512))
    # RoBERTa's kind counts positions from the padding id + 1
    counts_from_padding = config.model_type in {"roberta", "xlm-roberta", "camembert", "mpnet"}
    return positions - (int(config.pad_token_id or 0) + 1 if counts_from_padding else 0)
