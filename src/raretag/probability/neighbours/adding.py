"""From hidden states to probabilities with the votes of neighbours, looking up only tokens that need it."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt

from raretag.probability.neighbours.datastore import Datastore
from raretag.probability.neighbours.mixing import mixture
from raretag.probability.neighbours.settings import NeighbourSettings, layered_refused
from raretag.probability.neighbours.vectors import Integers

FloatT = TypeVar("FloatT", bound=np.floating)


def add_votes(
    probabilities: npt.NDArray[FloatT],
    hidden: npt.NDArray[np.floating],
    *,
    store: Datastore,
    settings: NeighbourSettings,
    owners: Integers | None = None,
    certain: float = 1.0,
) -> npt.NDArray[FloatT]:
    """The `mixture` of what the model says and the votes of `store`, float (tokens, tags), of the same type.

    probabilities: float (tokens, tags). hidden: float (tokens, width), of the same tokens. owners: int64 (tokens,),
    whose own tokens have no vote. certain: in (0, 1]; tokens whose likeliest tag has a larger probability are not
    looked up and keep what the model says (after He et al. 2021, arXiv 2109.04212, who look up by need); at 1 all are
    looked up. At weight 0 none is. Raises UsageError for probabilities of labels apart and as `Datastore.votes` does,
    ValueError for `certain` out of its range and shapes that do not fit.
    """
    if probabilities.ndim == 3:
        raise layered_refused()
    if not 0 < certain <= 1:
        raise ValueError(f"certain must be in (0, 1], not {certain}")
    if probabilities.ndim != 2 or len(hidden) != len(probabilities):
        raise ValueError(f"probabilities {probabilities.shape} and hidden states {hidden.shape} do not fit")
    store.check(settings)
    found = probabilities.copy()
    if settings.weight == 0:
        return found
    asking = probabilities.max(axis=1, initial=0) <= certain if certain < 1 else np.ones(len(found), dtype=bool)
    votes = store.votes(
        hidden[asking],
        tags=probabilities.shape[1],
        settings=settings,
        owners=None if owners is None else owners[asking],
    )
    found[asking] = mixture(probabilities[asking], votes, settings=settings)
    return found
