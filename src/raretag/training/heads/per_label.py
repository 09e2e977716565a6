"""A head for each label: mentions of different labels may overlap."""

from __future__ import annotations

from typing import Final, final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from raretag.options import Options
from raretag.training.heads.base import Head
from raretag.training.heads.softmax import shut

# of a tag that training never saw, which is shut anyway
_LEAST: Final = 1e-6


@final
class PerLabelHead(Head[Options]):
    """For each label a softmax over outside, begin and inside (under IO: outside and inside), one against the rest.

    Labels share the encoder and nothing else. A label that training never saw is outside everywhere. Biases begin at
    the log of the training shares (Lin et al. 2017, arXiv 1708.02002, section 3.3): nearly all of a label's tokens are
    outside of it, and learning that first would drown what sets its own tokens apart.
    """

    layered = True

    @property
    def row_groups(self) -> npt.NDArray[np.int64]:
        """Every row belongs to its label, that of its outside tag too."""
        return np.repeat(np.arange(1, len(self.schema.labels) + 1, dtype=np.int64), self.schema.tags_of_a_label)

    def _layer(self, old: nn.Linear) -> nn.Module:
        layer = PerLabelLayer(old.in_features, shape=self.logits_shape)
        # as BERT's own classifiers begin
        nn.init.normal_(layer.weight, std=0.02)
        counts = self.schema.label_tag_counts
        shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        with torch.no_grad():
            layer.bias.copy_(torch.from_numpy(np.log(np.maximum(shares, _LEAST)).ravel()))
        unseen = np.ones(self.logits_shape, dtype=bool)
        unseen[:, 0] = False
        unseen[:, 1:] = ~self.schema.seen[1:].reshape(len(self.schema.labels), -1)
        shut(layer, torch.as_tensor(unseen.ravel()))
        return layer


@final
class PerLabelLayer(nn.Linear):
    """(..., width) to (..., labels, tags of a label); row r belongs to label r // tags of a label."""

    def __init__(self, width: int, *, shape: tuple[int, ...]) -> None:
        """shape: (labels, tags of a label)."""
        super().__init__(width, int(np.prod(shape)))
        self.shape = shape

    def forward(self, hidden: Tensor) -> Tensor:
        """Logits, in the number format that a Linear gives."""
        logits = super().forward(hidden)
        return logits.reshape(*logits.shape[:-1], *self.shape)
