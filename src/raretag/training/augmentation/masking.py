"""Token masking: some tokens are hidden, so that what stands around them must tell."""

from __future__ import annotations

from dataclasses import replace
from typing import final

import numpy as np

from raretag.tagging import SpecialTokens
from raretag.training.dataset import TaggedWindow


@final
class TokenMasking:
    """Hide tokens behind the encoder's mask token; tags stay (word dropout, Iyyer et al. 2015, P15-1162)."""

    def __init__(self, *, mask_id: int, special: SpecialTokens) -> None:
        """mask_id: of the token that the encoder was pretrained to read as a gap. special: what is never hidden."""
        self._mask_id = mask_id
        self._prefix, self._suffix = len(special.prefix), len(special.suffix)

    def __call__(self, window: TaggedWindow, *, share: float, rng: np.random.Generator) -> TaggedWindow:
        """The share of hidden tokens is drawn for each window from [0, 2 · `share`], so that some are nearly whole."""
        length = len(window.input_ids)
        hidden = rng.random(length) < rng.uniform(0.0, 2.0 * share)
        hidden[: self._prefix] = False
        hidden[length - self._suffix :] = False
        return replace(window, input_ids=np.where(hidden, self._mask_id, window.input_ids))
