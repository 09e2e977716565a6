"""Label-distribution-aware margins: the rarer a label, the farther its logit must be ahead."""

from __future__ import annotations

from typing import final

import numpy as np
import numpy.typing as npt
import torch
from pydantic import Field
from torch import Tensor

from raretag.objectives.base import Objective
from raretag.objectives.tying import tied
from raretag.options import Options


class LDAMOptions(Options):
    """Options of `ldam`."""

    scale: float = Field(
        default=16.0, ge=1, le=64, description="scale of the cosine head; margins are multiplied by it"
    )
    max_margin: float = Field(
        default=0.5, ge=0, le=1, description="margin of the rarest label, as a cosine; 0: cross-entropy"
    )


@final
class LDAM(Objective[LDAMOptions]):
    """ℓ = −log softmax(z − Δ_y e_y)_y, Δ_c = scale · max_margin · (n_min / n_c)^(1/4).

    Cao et al. 2019, 1906.07413. n_c counts all tags of a label together. Logits are expected to be scale · cosine: on
    an unbounded head a larger norm of the weights makes every margin meaningless.
    """

    options_type = LDAMOptions

    def __init__(
        self, counts: npt.ArrayLike, *, groups: npt.ArrayLike | None = None, options: LDAMOptions | None = None
    ) -> None:
        super().__init__(counts, groups=groups, options=options)
        together = tied(self.counts, self.groups)
        rarest = together[together > 0].min()
        self.margins = self.options.scale * self.options.max_margin * (rarest / np.maximum(together, rarest)) ** 0.25

    def _token_losses(self, logits: Tensor, targets: Tensor) -> Tensor:
        margins = torch.as_tensor(self.margins, dtype=logits.dtype, device=logits.device)[targets]
        lowered = logits.scatter_add(-1, targets[:, None], -margins[:, None])
        return torch.nn.functional.cross_entropy(lowered, targets, reduction="none")
