"""Votes of the nearest training tokens on a token's tag: what a classifier forgets of rare labels, a memory keeps."""

from raretag.probability.neighbours.adding import add_votes
from raretag.probability.neighbours.clustered_search import ClusteredSearch
from raretag.probability.neighbours.datastore import Datastore
from raretag.probability.neighbours.explaining import Neighbour, explain, with_texts
from raretag.probability.neighbours.faiss_search import FaissSearch, exact_search, faiss_installed
from raretag.probability.neighbours.mixing import mixed, mixed_within_mentions, mixture
from raretag.probability.neighbours.nearest import Nearest
from raretag.probability.neighbours.search import ExactSearch, Search
from raretag.probability.neighbours.settings import NeighbourSettings
from raretag.probability.neighbours.stored import StoredNeighbours
from raretag.probability.neighbours.tuning import Grid, tune

__all__ = [
    "ClusteredSearch",
    "Datastore",
    "ExactSearch",
    "FaissSearch",
    "Grid",
    "Nearest",
    "Neighbour",
    "NeighbourSettings",
    "Search",
    "StoredNeighbours",
    "add_votes",
    "exact_search",
    "explain",
    "faiss_installed",
    "mixed",
    "mixed_within_mentions",
    "mixture",
    "tune",
    "with_texts",
]
