"""A head that looks at directions only: each tag's row counts by its angle, not by its length."""

from __future__ import annotations

from typing import final

import torch
from pydantic import Field
from torch import Tensor, nn

from raretag.objectives.prior import UNSEEN_LOGIT
from raretag.options import Options
from raretag.training.heads.base import Head


class CosineOptions(Options):
    """Options of `cosine`."""

    scale: float = Field(
        default=16.0, ge=1, le=64, description="logits lie between -scale and scale; give ldam the same"
    )


@final
class CosineHead(Head[CosineOptions]):
    """z_k = scale · cos(w_k, h) (Cao et al. 2019, arXiv 1906.07413: normalised features and rows, no bias)."""

    options_type = CosineOptions

    def _layer(self, old: nn.Linear) -> nn.Module:
        return CosineLayer(old.in_features, seen=torch.as_tensor(self.schema.seen), scale=self.options.scale)


@final
class CosineLayer(nn.Module):
    """(..., width) to (..., tags); in float32 whatever the rest is in, since small angles decide."""

    shift: Tensor

    def __init__(self, width: int, *, seen: Tensor, scale: float) -> None:
        """seen: bool (tags,); the others have logit −10⁴."""
        super().__init__()
        rows = torch.nn.functional.normalize(torch.randn(len(seen), width), dim=-1)
        self.weight = nn.Parameter(torch.where(seen[:, None], rows, 0.0))
        self.scale = scale
        self.register_buffer("shift", torch.where(seen, 0.0, UNSEEN_LOGIT), persistent=False)

    def forward(self, hidden: Tensor) -> Tensor:
        """Logits, float32."""
        with torch.autocast(hidden.device.type, enabled=False):
            directions = torch.nn.functional.normalize(hidden.float(), dim=-1)
            rows = torch.nn.functional.normalize(self.weight.float(), dim=-1)
            return self.scale * (directions @ rows.T) + self.shift
