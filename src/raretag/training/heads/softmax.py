"""The ordinary head: one linear layer, one tag a token."""

from __future__ import annotations

from typing import final

import torch
from torch import nn

from raretag.objectives.prior import UNSEEN_LOGIT
from raretag.options import Options
from raretag.training.heads.base import Head


@final
class SoftmaxHead(Head[Options]):
    """z = W h + b, as Hugging Face's token classification has it."""

    plain = True

    def _layer(self, old: nn.Linear) -> nn.Module:
        """The model's own classifier, which has as many rows as there are tags; rows of unseen tags are shut."""
        if old.out_features != len(self.schema.tags):
            raise ValueError(f"the classifier has {old.out_features} rows for {len(self.schema.tags)} tags")
        shut(old, torch.as_tensor(~self.schema.seen))
        return old


def shut(layer: nn.Linear, rows: torch.Tensor) -> None:
    """Let `rows`, bool (rows,), have weights 0 and bias −10⁴."""
    with torch.no_grad():
        layer.weight[rows] = 0.0
        layer.bias[rows] = UNSEEN_LOGIT
