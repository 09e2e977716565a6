"""Settings of the votes, chosen by the log-loss of gold tags."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any, Final, Literal, final

import numpy as np
import numpy.typing as npt

from raretag.errors import DataError
from raretag.probability.neighbours.nearest import Nearest
from raretag.probability.neighbours.settings import NeighbourSettings, layered_refused
from raretag.probability.scores import TINY
from raretag.tagging import IGNORE
from raretag.tagging.schema import OUTSIDE

Array = npt.NDArray[np.float64]

# losses that are nearer, in nats, are held to be equal
_ROUNDING: Final = 1e-9


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """What `tune` chooses from: every combination. `weights` need not name 0, which is always tried."""

    neighbours: Sequence[int] = (4, 16, 64)
    temperatures: Sequence[float] = (0.01, 0.03, 0.1, 0.3)
    prior_exponents: Sequence[float] = (0.0, 0.25, 0.5, 1.0)
    weights: Sequence[float] = field(default_factory=lambda: tuple(n / 10 for n in range(11)))


def tune(
    nearest: Nearest,
    probabilities: npt.NDArray[np.floating[Any]],
    tags: npt.NDArray[np.int64],
    *,
    owners: npt.NDArray[np.int64],
    grid: Grid | None = None,
) -> NeighbourSettings:
    """The settings of `grid` with the least log-loss −ln p(gold), averaged over tokens, then over documents.

    nearest: of `Datastore.look_up`, with each token's own document left out. probabilities: float (tokens, tags), what
    the model says of tokens it was not trained on. tags: int64 (tokens,), gold, −100 where no tag tells the truth:
    these tokens play no part. owners: int64 (tokens,), the document of each; documents count alike. Equal losses go to
    the smaller weight, then the smaller γ, the fewer neighbours, the larger temperature. A store that holds no token
    outside mentions gives settings with store: mentions.
    Raises UsageError for probabilities of labels apart (a layered schema), DataError where no token has a tag, and
    ValueError where shapes do not fit or more neighbours are asked for than were looked up.
    """
    if probabilities.ndim == 3:
        raise layered_refused()
    if probabilities.shape != (len(nearest), len(nearest.shares)) or not tags.shape == owners.shape == (len(nearest),):
        raise ValueError(
            f"{len(nearest)} tokens of {len(nearest.shares)} tags do not fit probabilities {probabilities.shape}, "
            f"tags {tags.shape} and owners {owners.shape}"
        )
    judged = np.flatnonzero(tags != IGNORE)
    if not len(judged):
        raise DataError("no token has a gold tag", remedy="Give annotated documents")
    return _least(
        _Task(
            nearest=nearest,
            model=probabilities.astype(np.float64),
            rows=judged,
            gold=tags[judged],
            shares=_document_shares(owners[judged]),
            store="all" if nearest.shares[OUTSIDE] > 0 else "mentions",
        ),
        grid or Grid(),
    )


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Task:
    """Tokens with gold tags, and what share of the loss each has."""

    nearest: Nearest
    model: Array
    rows: npt.NDArray[np.int64]
    gold: npt.NDArray[np.int64]
    shares: Array
    store: Literal["all", "mentions"]

    def losses(self, votes: Array, weights: Sequence[float]) -> Iterator[float]:
        """The mean log-loss at each weight: `mixture`, but for the gold tag alone."""
        model, voted = self.model[self.rows, self.gold], votes[self.rows, self.gold]
        fixed = np.zeros(len(self.rows), dtype=bool)
        if self.store == "mentions":
            voted = voted * (1 - self.model[self.rows, OUTSIDE])
            fixed = self.gold == OUTSIDE
        for weight in weights:
            p = np.where(fixed, model, weight * voted + (1 - weight) * model)
            yield float(-self.shares @ np.log(np.maximum(p, TINY)))


def _least(task: _Task, grid: Grid) -> NeighbourSettings:
    weights = sorted({0.0, *grid.weights})
    found: list[tuple[int, float, float, int, float]] = []
    for neighbours, temperature, exponent in product(grid.neighbours, grid.temperatures, grid.prior_exponents):
        settings = NeighbourSettings(neighbours=neighbours, temperature=temperature, prior_exponent=exponent)
        votes = task.nearest.votes(settings=settings)
        for weight, loss in zip(weights, task.losses(votes, weights), strict=True):
            found.append((round(loss / _ROUNDING), weight, exponent, neighbours, -temperature))
    _, weight, exponent, neighbours, negative = min(found)
    return NeighbourSettings(
        neighbours=neighbours, temperature=-negative, weight=weight, prior_exponent=exponent, store=task.store
    )


def _document_shares(owners: npt.NDArray[np.int64]) -> Array:
    """float64 (tokens,): one over the number of documents times the document's number of tokens; sums to 1."""
    _, number, counts = np.unique(owners, return_inverse=True, return_counts=True)
    return np.asarray(1 / (len(counts) * counts[number.ravel()]), dtype=np.float64)
