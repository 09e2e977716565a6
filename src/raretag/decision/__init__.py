"""From probabilities to mentions."""

from raretag.decision.decide import most_probable_mentions
from raretag.decision.viterbi import viterbi

__all__ = ["most_probable_mentions", "viterbi"]
