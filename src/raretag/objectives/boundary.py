"""Boundary smoothing for tags: where a mention begins or ends, neighbours exchange a little of their targets."""

from __future__ import annotations

from typing import Literal, final

import numpy as np
import numpy.typing as npt
import torch
from pydantic import Field
from torch import Tensor

from raretag.objectives.base import Array, Objective
from raretag.options import Options


class BoundarySmoothingOptions(Options):
    """Options of `boundary-smoothing`."""

    epsilon: float = Field(default=0.2, ge=0, le=1, description="a quarter of it is exchanged across each boundary")
    size: Literal[1, 2] = Field(default=1, description="tokens on either side of a boundary that take part")


@final
class BoundarySmoothing(Objective[BoundarySmoothingOptions]):
    """ℓ_t = Σ_k q_{t,k} (−log p_{t,k}), targets q smoothed across the boundaries of mentions.

    After the boundary smoothing of spans by Zhu & Li 2022 (arXiv 2204.12031). For each boundary between neighbours
    t, t+1 and each d from 1 to `size`, the tokens t−d+1 and t+d exchange the mass ε / (4 · size): each gives it to
    the other's tag. A boundary is where a mention begins or ends; from B to I of a label is none. Both tokens, and all
    between them, must have a target and be of one row of the batch; logits (tokens, tags) are one row.

    A token takes part in at most 2 · size exchanges, so it keeps at least 1 − ε/2 of its own target. What is exchanged
    is not lost: the marginals are kept, and so is the prior. Without neighbours it is cross-entropy.
    """

    options_type = BoundarySmoothingOptions
    sequential = True

    def _token_losses(self, logits: Tensor, targets: Tensor) -> Tensor:
        return torch.nn.functional.cross_entropy(logits, targets, reduction="none")

    def _window_losses(self, logits: Tensor, tags: Tensor, kept: Tensor) -> Tensor:
        log_p = torch.log_softmax(logits[kept], dim=-1)
        targets = tags[kept]
        losses = -log_p.gather(-1, targets[:, None])[:, 0]
        one, other = self._exchanges(tags, kept)
        change = log_p[one, targets[one]] - log_p[one, targets[other]]
        return losses.index_add(0, one, self.options.epsilon / (4 * self.options.size) * change)

    def _exchanges(self, tags: Tensor, kept: Tensor) -> tuple[Tensor, Tensor]:
        """Who gives mass to whose tag, both ways: int64 (exchanges,) twice, numbers among the kept tokens."""
        rows, judged = (torch.atleast_2d(given).flatten(0, -2) for given in (tags, kept))
        number = (judged.flatten().cumsum(0) - 1).view_as(rows)
        boundary = self._boundaries(torch.where(judged, rows, 0))
        pairs = []
        for d in range(1, min(self.options.size, rows.shape[1] // 2) + 1):
            # the left token i and the right token i + 2d - 1 are d away from the boundary between i + d - 1 and i + d
            exchanged = boundary[:, d - 1 : rows.shape[1] - d] & judged.unfold(1, 2 * d, 1).all(dim=-1)
            ends = number[:, : exchanged.shape[1]], number[:, 2 * d - 1 :]
            pairs.append(torch.stack([end[exchanged] for end in ends]))
        left, right = torch.cat(pairs, dim=1) if pairs else number.new_empty(2, 0)
        return torch.cat([left, right]), torch.cat([right, left])

    def _boundaries(self, tags: Tensor) -> Tensor:
        """Whether a mention begins or ends between each tag and the next, bool (rows, tokens − 1)."""
        group = torch.as_tensor(self.groups, device=tags.device)[tags]
        begins = torch.as_tensor(self._begins, device=tags.device)[tags]
        return (group[:, 1:] != group[:, :-1]) | begins[:, 1:]

    @property
    def _begins(self) -> npt.NDArray[np.bool_]:
        """bool (tags,): the lowest of several tags of a label. A label of one tag (IO) has none that begins."""
        _, first, size = np.unique(self.groups, return_index=True, return_counts=True)
        begins = np.zeros(len(self.groups), dtype=np.bool_)
        begins[first[(size > 1) & (first > 0)]] = True
        return begins

    def _prior(self, marginals: Array) -> Array:
        return np.asarray(marginals.sum(axis=0))
