"""Which share of the training tokens a head gives to each tag."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from raretag.training.second_stage.features import Features

_CHUNK = 8192


def predicted_marginals(head: nn.Linear, features: Features) -> npt.NDArray[np.float64]:
    """Σ_t softmax(W h_t + b) / tokens, float64 (tags,): sums to 1.

    Where no closed form tells what prior a head has, this measures it, on the tokens it was made from; there a head
    overfits, so that the measure is nearer to the empirical shares than on new text.
    """
    total = torch.zeros(head.out_features, dtype=torch.float64)
    with torch.inference_mode():
        for hidden in chunks(features):
            total += torch.softmax(head(hidden.to(head.weight)).double(), dim=-1).sum(dim=0).cpu()
    return np.asarray((total / len(features)).numpy())


def chunks(features: Features) -> Iterator[Tensor]:
    """The hidden states in pieces, float32 (tokens, width)."""
    for start in range(0, len(features), _CHUNK):
        yield torch.from_numpy(np.array(features.hidden[start : start + _CHUNK], dtype=np.float32))
