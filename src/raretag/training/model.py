"""The encoder with a fresh tag head."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import torch
from safetensors import SafetensorError

from raretag.errors import DataError
from raretag.tagging import EncoderSource
from raretag.training.heads import Head

if TYPE_CHECKING:
    from transformers import PretrainedConfig, PreTrainedModel


def build_model(source: EncoderSource, *, head: Head[Any], seed: int) -> PreTrainedModel:
    """Load the encoder's weights under a fresh layer of `head`, float32.

    Raises DataError where the weights cannot be loaded or the model has no place for the head.
    """
    from transformers import AutoModelForTokenClassification

    # names of tags in the configuration would vouch for a classifier that a folder without a plain head does not hold
    tags = dict(enumerate(head.schema.tags)) if head.plain else {0: "LABEL_0", 1: "LABEL_1"}
    torch.manual_seed(seed)
    try:
        model: PreTrainedModel = AutoModelForTokenClassification.from_pretrained(
            source.location,
            num_labels=len(tags),
            id2label=tags,
            label2id={tag: number for number, tag in tags.items()},
            dtype=torch.float32,
            attn_implementation="eager",
        )
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise DataError(
            f"encoder {source.name!r} cannot be loaded for token classification ({type(error).__name__})",
            remedy="Name an encoder with config.json and weights of a BERT-like model",
        ) from error
    head.install(model)
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


def tag_head(model: PreTrainedModel) -> torch.nn.Module:
    """The layer that gives the tag logits, whatever the head."""
    layer: torch.nn.Module = model.get_submodule("classifier")
    return layer


def logits_shape(model: PreTrainedModel) -> tuple[int, ...]:
    """The shape of one token's logits."""
    with torch.inference_mode():
        nothing = torch.zeros(1, int(model.config.hidden_size), device=model.device, dtype=model.dtype)
        return tuple(tag_head(model)(nothing).shape[1:])


def default_learning_rate(config: PretrainedConfig) -> float:
    """3·10⁻⁴ · (384 / width)²: what suits the embedded encoder, and 7.5·10⁻⁵ for one of BERT-base's width."""
    return 3e-4 * (384 / int(config.hidden_size)) ** 2


_COUNT_FROM_PADDING: Final = frozenset(
    {
        "camembert",
        "data2vec-text",
        "longformer",
        "mpnet",
        "roberta",
        "roberta-prelayernorm",
        "xlm-roberta",
        "xlm-roberta-xl",
    }
)


def position_limit(config: PretrainedConfig) -> int:
    """The longest window an encoder of this configuration has positions for, special tokens included."""
    positions = int(getattr(config, "max_position_embeddings", 512))
    # RoBERTa's kind counts positions from the padding id + 1
    counts_from_padding = config.model_type in _COUNT_FROM_PADDING
    return positions - (int(config.pad_token_id or 0) + 1 if counts_from_padding else 0)
