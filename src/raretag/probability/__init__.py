"""Probabilities of tags and mentions: numpy on what the encoder said, no encoder needed."""

from raretag.probability.paths import mention_probabilities
from raretag.probability.scores import TINY, Scores, score, stack

__all__ = ["TINY", "Scores", "mention_probabilities", "score", "stack"]
