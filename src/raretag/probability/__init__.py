"""Probabilities of tags and mentions: numpy on what the encoder said, no encoder needed."""

from raretag.probability.neighbours import Datastore, NeighbourSettings, mixed
from raretag.probability.paths import mention_probabilities
from raretag.probability.prior_restoring import restore_prior, undo_relabelling
from raretag.probability.scores import TINY, Scores, score, stack

__all__ = [
    "TINY",
    "Datastore",
    "NeighbourSettings",
    "Scores",
    "mention_probabilities",
    "mixed",
    "restore_prior",
    "score",
    "stack",
    "undo_relabelling",
]
