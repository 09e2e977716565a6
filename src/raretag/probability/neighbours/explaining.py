"""Why a mention was predicted: the training mentions whose tokens voted, by document and place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
import numpy.typing as npt

from raretag.corpus import Document
from raretag.errors import DataError
from raretag.probability.neighbours.nearest import prior_factors, vote_weights
from raretag.probability.neighbours.settings import NeighbourSettings
from raretag.probability.neighbours.stored import StoredNeighbours


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """A training mention that voted, or a training token outside all mentions.

    document: its id. start, end: half-open characters, from the first to the last of its tokens. label: None outside
    all mentions. cosine: the largest of its tokens to any token asked about, in [−1, 1] up to rounding. share: of all
    votes, in (0, 1].
    """

    document: str
    start: int
    end: int
    label: str | None
    cosine: float
    share: float


def explain(
    store: StoredNeighbours,
    hidden: npt.NDArray[np.floating],
    *,
    settings: NeighbourSettings,
    document: str | None = None,
    number: int = 5,
) -> tuple[Neighbour, ...]:
    """The training mentions with the largest shares of the vote on a predicted mention, at most `number`.

    hidden: float (tokens, width), of the predicted mention's tokens, one or more. document: the id of the document they
    are in, whose own tokens have no vote. Tokens asked about count alike; a training mention's share is the sum over
    its tokens. Equal shares come in the order of the store. Raises ValueError as `Datastore.nearest` does and for no
    token, UsageError where settings want the votes of mentions alone but the store holds other tokens.
    """
    if not len(hidden):
        raise ValueError("an explanation needs a token")
    datastore = store.datastore
    datastore.check(settings)
    own = None if document is None else np.repeat(store.owners_of([document]), len(hidden))
    shares = datastore.shares(tags=len(store.schema.tags))
    places, cosines = datastore.nearest(hidden, neighbours=settings.neighbours, owners=own)
    left = np.isfinite(cosines)
    votes = vote_weights(cosines, temperature=settings.temperature) * left
    votes *= prior_factors(shares, exponent=settings.prior_exponent)[datastore.tags[places]]
    # where no token is left to vote, the vote is the store's shares: nobody's in particular
    votes /= np.maximum(votes.sum(axis=1, keepdims=True), np.finfo(np.float64).tiny) * len(hidden)
    runs, inverse = np.unique(store.runs[places[left]], return_inverse=True)
    share = np.bincount(inverse, weights=votes[left], minlength=len(runs))
    cosine = np.full(len(runs), -np.inf)
    np.maximum.at(cosine, inverse, cosines[left])
    chosen = [n for n in np.argsort(-share, kind="stable")[:number].tolist() if share[n] > 0]
    return tuple(_neighbour(store, int(runs[n]), cosine=float(cosine[n]), share=float(share[n])) for n in chosen)


def with_texts(neighbours: Sequence[Neighbour], documents: Sequence[Document]) -> tuple[tuple[Neighbour, str], ...]:
    """Each neighbour with its text, from `documents`. Raises DataError where one is not among them or is shorter."""
    texts = {document.id: document.text for document in documents}
    missing = sorted({one.document for one in neighbours if one.end > len(texts.get(one.document, ""))})
    if missing:
        raise DataError(
            f"{len(missing)} of the neighbours' documents are not among these, or not as they were in training, the "
            f"first of them {missing[0]!r}",
            remedy="Give the documents that the store was made of",
        )
    return tuple((one, texts[one.document][one.start : one.end]) for one in neighbours)


def _neighbour(store: StoredNeighbours, run: int, *, cosine: float, share: float) -> Neighbour:
    first, last = np.searchsorted(store.runs, [run, run + 1]).tolist()
    group = int(store.schema.groups[store.datastore.tags[first]])
    return Neighbour(
        document=store.documents[int(store.datastore.owners[first])],
        start=int(store.starts[first]),
        end=int(store.ends[last - 1]),
        label=store.schema.labels[group - 1] if group else None,
        cosine=cosine,
        share=share,
    )
