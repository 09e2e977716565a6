"""What is trained: the whole encoder, a head on its hidden states, or a bias for each tag and nothing else."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from transformers import PretrainedConfig, PreTrainedModel
from transformers.modeling_outputs import TokenClassifierOutput

from raretag.experiments.biaslab.results import PARTS, Part
from raretag.experiments.biaslab.text import Text, TextPart
from raretag.tagging import IGNORE, EncoderSource, build_schema
from raretag.training.dataset import TaggedWindow
from raretag.training.heads import Head, head
from raretag.training.model import build_model
from raretag.training.second_stage import extract_features

if TYPE_CHECKING:
    from raretag.training.precision import Precision

Floats = npt.NDArray[np.float32]


class Trainable(ABC):
    """The text in the form that a model takes, and fresh models for it.

    parts: the windows as the model sees them. pad_id: what fills them up. fixed: whether hidden states stay the same.
    """

    fixed: bool

    def __init__(self, parts: Mapping[Part, TextPart], *, pad_id: int) -> None:
        self.parts = parts
        self.pad_id = pad_id

    @abstractmethod
    def build(self, layer: Head[Any], *, seed: int) -> PreTrainedModel:
        """A model under a fresh layer; the same seed gives the same."""

    @abstractmethod
    def hidden(self, model: PreTrainedModel, part: Part, *, precision: Precision) -> Floats:
        """What the head is given at each judged token, float32 (tokens, width), without dropout."""


@final
class WholeEncoder(Trainable):
    """The encoder learns with its head."""

    fixed = False

    def __init__(self, text: Text, *, source: EncoderSource, pad_id: int) -> None:
        super().__init__(text.parts, pad_id=pad_id)
        self._source = source

    def build(self, layer: Head[Any], *, seed: int) -> PreTrainedModel:
        """The encoder as it was pretrained."""
        return build_model(self._source, head=layer, seed=seed)

    def hidden(self, model: PreTrainedModel, part: Part, *, precision: Precision) -> Floats:
        """One pass of the encoder."""
        text = self.parts[part]
        blank = text.labelled(np.zeros(len(text), dtype=np.int64))
        return np.asarray(extract_features(model, blank, pad_id=self.pad_id, precision=precision).hidden)


@final
class CachedTokens(Trainable):
    """Only a head learns, on vectors that are known beforehand: a window is the numbers of its judged tokens."""

    fixed = True

    def __init__(self, text: Text, *, hidden: Mapping[Part, Floats]) -> None:
        """hidden: float32 (tokens, width) of each part."""
        self._hidden = hidden
        width = hidden["training"].shape[1]
        # number 0 is padding
        self._table = torch.from_numpy(
            np.concatenate([np.zeros((1, width), dtype=np.float32), *(hidden[part] for part in PARTS)])
        )
        numbered: dict[Part, TextPart] = {}
        first = 1
        for part in PARTS:
            numbered[part] = _numbered(text.parts[part], first=first)
            first += len(text.parts[part])
        super().__init__(numbered, pad_id=0)

    def build(self, layer: Head[Any], *, seed: int) -> PreTrainedModel:
        """A table of the vectors under the layer."""
        torch.manual_seed(seed)
        model = _Table(self._table, outputs=len(layer.schema.tags))
        layer.install(model)
        return model

    def hidden(self, model: PreTrainedModel, part: Part, *, precision: Precision) -> Floats:
        """As they were given."""
        del model, precision
        return self._hidden[part]


def frozen(text: Text, *, source: EncoderSource, pad_id: int) -> CachedTokens:
    """A head on the hidden states that the encoder has before any training, each of mean 0 and variance 1.

    A linear head can express the same on states as they come, but takes many times the steps to get there.
    """
    whole = WholeEncoder(text, source=source, pad_id=pad_id)
    model = whole.build(head("softmax", schema=build_schema([])), seed=0)
    hidden = {part: whole.hidden(model, part, precision="float32") for part in PARTS}
    mean = hidden["training"].mean(axis=0, dtype=np.float64)
    deviation = hidden["training"].std(axis=0, dtype=np.float64)
    scaled = {part: (hidden[part] - mean) / np.where(deviation > 0, deviation, 1) for part in PARTS}
    return CachedTokens(text, hidden={part: scaled[part].astype(np.float32) for part in PARTS})


def bias_only(text: Text) -> CachedTokens:
    """All tokens look alike, so that weights get no gradient and the biases are all that is learned."""
    return CachedTokens(text, hidden={part: np.zeros((len(text.parts[part]), 1), dtype=np.float32) for part in PARTS})


class _Table(PreTrainedModel):  # type: ignore[misc, unused-ignore]
    """A model whose hidden states are looked up; `classifier` is all that learns."""

    config_class = PretrainedConfig

    def __init__(self, table: Tensor, *, outputs: int) -> None:
        config = PretrainedConfig()
        config.hidden_size = table.shape[1]
        super().__init__(config)
        self.table: Tensor
        # a checkpoint need not hold what is made anew
        self.register_buffer("table", table, persistent=False)
        self.classifier = nn.Linear(table.shape[1], outputs)
        self.post_init()  # type: ignore[no-untyped-call, unused-ignore]

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> TokenClassifierOutput:
        """Logits of numbered tokens, (windows, tokens, *logits of a token)."""
        del attention_mask
        return TokenClassifierOutput(logits=self.classifier(self.table[input_ids]))


def _numbered(part: TextPart, *, first: int) -> TextPart:
    windows = [
        TaggedWindow(
            input_ids=np.arange(first + start, first + start + number, dtype=np.int64),
            labels=window.labels[window.labels != IGNORE],
        )
        for window, start, number in zip(part.windows, part.starts.tolist(), part.judged.tolist(), strict=True)
        if number
    ]
    return replace(part, windows=tuple(windows))
