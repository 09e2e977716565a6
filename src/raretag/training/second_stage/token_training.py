"""Training on cached features: AdamW with a cosine learning rate over batches of sampled tokens."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from raretag.objectives import Objective
from raretag.training.second_stage.features import Features


def train_on_tokens(
    logits: Callable[[Tensor], Tensor],
    parameters: Sequence[Tensor],
    *,
    features: Features,
    probabilities: npt.NDArray[np.float64],
    objective: Objective[Any],
    epochs: int,
    batch_tokens: int,
    learning_rate: float,
    rng: np.random.Generator,
) -> None:
    """Change `parameters` in place. logits: from hidden states float32 (tokens, width) to (tokens, tags).

    An epoch is as many draws with replacement as there are tokens; each follows `probabilities` (tokens,).
    The learning rate falls from `learning_rate` to 0 by a half cosine (Loshchilov & Hutter 2017, arXiv 1608.03983).
    """
    tokens = len(features)
    batches = -(-tokens // batch_tokens)
    steps = epochs * batches
    bounds = np.cumsum(probabilities)
    optimiser = torch.optim.AdamW(list(parameters), lr=learning_rate, weight_decay=0.0)
    step = 0
    for _ in range(epochs):
        # rounding may leave the last bound a little off 1
        draws = np.searchsorted(bounds, rng.random(tokens) * bounds[-1], side="right").clip(max=tokens - 1)
        for batch in np.array_split(draws, batches):
            hidden = torch.from_numpy(np.array(features.hidden[batch], dtype=np.float32))
            tags = torch.from_numpy(np.array(features.tags[batch]))
            objective.advance(step / steps)
            for group in optimiser.param_groups:
                group["lr"] = learning_rate * (1 + math.cos(math.pi * step / steps)) / 2
            optimiser.zero_grad()
            objective.loss(logits(hidden), tags).backward()  # type: ignore[no-untyped-call, unused-ignore]
            optimiser.step()
            step += 1
