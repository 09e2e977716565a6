"""Probabilities of tags and mentions: numpy on what the encoder said, no encoder needed."""

from raretag.probability.candidates import Candidates, candidates
from raretag.probability.evidence import Evidence, gather
from raretag.probability.neighbours import Datastore, NeighbourSettings, mixed
from raretag.probability.paths import mention_probabilities
from raretag.probability.prior_restoring import restore_prior, undo_relabelling
from raretag.probability.score_cache import ScoreCache
from raretag.probability.scores import TINY, Scores, stack
from raretag.probability.scoring import score, score_with_hidden

__all__ = [
    "TINY",
    "Candidates",
    "Datastore",
    "Evidence",
    "NeighbourSettings",
    "ScoreCache",
    "Scores",
    "candidates",
    "gather",
    "mention_probabilities",
    "mixed",
    "restore_prior",
    "score",
    "score_with_hidden",
    "stack",
    "undo_relabelling",
]
