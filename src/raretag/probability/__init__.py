"""Probabilities of tags and mentions: numpy on what the encoder said, no encoder needed."""

from raretag.probability.candidates import Candidates, candidates
from raretag.probability.evidence import Evidence, gather
from raretag.probability.neighbours import (
    ClusteredSearch,
    Datastore,
    FaissSearch,
    Grid,
    NeighbourSettings,
    StoredNeighbours,
    add_votes,
    explain,
    mixed,
    mixture,
    tune,
    with_texts,
)
from raretag.probability.paths import mention_probabilities
from raretag.probability.prior_restoring import restore_prior, undo_relabelling
from raretag.probability.score_cache import ScoreCache
from raretag.probability.scores import TINY, Scores, stack
from raretag.probability.scoring import kept_scores, score, score_with_hidden

__all__ = [
    "TINY",
    "Candidates",
    "ClusteredSearch",
    "Datastore",
    "Evidence",
    "FaissSearch",
    "Grid",
    "NeighbourSettings",
    "ScoreCache",
    "Scores",
    "StoredNeighbours",
    "add_votes",
    "candidates",
    "explain",
    "gather",
    "kept_scores",
    "mention_probabilities",
    "mixed",
    "mixture",
    "restore_prior",
    "score",
    "score_with_hidden",
    "stack",
    "tune",
    "undo_relabelling",
    "with_texts",
]
