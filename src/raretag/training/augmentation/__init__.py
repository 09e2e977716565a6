"""Windows as training sees them: other than in the notes, with the same tags."""

from raretag.training.augmentation.augment import Augmentation
from raretag.training.augmentation.masking import TokenMasking
from raretag.training.augmentation.mention_replacement import MentionReplacement

__all__ = ["Augmentation", "MentionReplacement", "TokenMasking"]
