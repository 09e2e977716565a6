"""What the settings ask for, in one order: mentions are replaced, then tokens are hidden."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from raretag.training.augmentation.masking import TokenMasking
from raretag.training.augmentation.mention_replacement import MentionReplacement
from raretag.training.dataset import TaggedWindow


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Augmentation:
    """A window's form in an epoch; None leaves that step out.

    It depends on the seed, the epoch and the window alone: a resumed run sees what an unbroken one does, and every
    process the same. A window that a sampler draws twice in an epoch has one form there.
    """

    replacement: MentionReplacement | None
    replacement_chance: float
    masking: TokenMasking | None
    masked_share: float
    seed: int

    def __call__(self, window: TaggedWindow, *, epoch: int, index: int) -> TaggedWindow:
        """The form that window number `index` has in `epoch`, both from 0."""
        rng = np.random.default_rng([self.seed, epoch, index])
        if self.replacement is not None:
            window = self.replacement(window, chance=self.replacement_chance, rng=rng)
        if self.masking is not None:
            window = self.masking(window, share=self.masked_share, rng=rng)
        return window
