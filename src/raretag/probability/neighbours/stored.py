"""A store of neighbours with the places that its tokens came from, in memory or on disk; never their text."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, final

import numpy as np
import numpy.typing as npt

from raretag.errors import DataError
from raretag.mapped_arrays import load_arrays, new_arrays
from raretag.probability.evidence import gather
from raretag.probability.neighbours.datastore import Datastore
from raretag.probability.neighbours.faiss_search import exact_search
from raretag.probability.neighbours.search import Search
from raretag.probability.neighbours.settings import layered_refused
from raretag.probability.neighbours.vectors import Floats, Integers, QuantisedKeys
from raretag.probability.scores import Scores
from raretag.tagging import IGNORE, Schema
from raretag.tagging.schema import OUTSIDE

MakeSearch = Callable[[Floats | QuantisedKeys], Search]
_WHAT: Final = "store of neighbours"


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StoredNeighbours:
    """Training tokens by document.

    datastore: owner n is document number n. starts, ends: int64 (tokens,), half-open characters of the document. runs:
    int64 (tokens,), ascending, the same for the tokens of one mention; every other token has a run of its own.
    documents: ids. schema: what the tags mean.
    """

    schema: Schema
    documents: tuple[str, ...]
    datastore: Datastore
    starts: Integers
    ends: Integers
    runs: Integers

    def __len__(self) -> int:
        return len(self.datastore)

    @staticmethod
    def of(
        scores: Sequence[Scores],
        tags: Sequence[npt.NDArray[np.int64]],
        *,
        schema: Schema,
        search: MakeSearch = exact_search,
    ) -> StoredNeighbours:
        """From training documents, judged with hidden states, and their gold tags, as `encode` gives them.

        Tokens of tag −100 are left out. Keys are kept in a byte a number. Raises UsageError for a layered schema,
        DataError where no token is left, ValueError for scores without hidden states and lengths that do not fit.
        """
        if schema.layered:
            raise layered_refused()
        evidence = gather(scores, tags, schema=schema)
        kept = evidence.tags != IGNORE
        if not kept.any():
            raise DataError("no token has a gold tag", remedy="Give annotated documents")
        if evidence.hidden is None:
            raise ValueError("neighbours are found by hidden states: score with them")
        runs = _runs(evidence.tags, evidence.owners, schema=schema)
        datastore = Datastore(
            QuantisedKeys.of(evidence.hidden[kept]), evidence.tags[kept], owners=evidence.owners[kept], search=search
        )
        return StoredNeighbours(
            schema=schema,
            documents=tuple(one.document for one in scores),
            datastore=datastore,
            starts=np.concatenate([one.tokens.starts for one in scores])[kept],
            ends=np.concatenate([one.tokens.ends for one in scores])[kept],
            runs=runs[kept],
        )

    def mentions(self) -> StoredNeighbours:
        """The tokens in mentions alone, copied. Raises DataError where there is none."""
        inside = self.datastore.tags != OUTSIDE
        return StoredNeighbours(
            schema=self.schema,
            documents=self.documents,
            datastore=self.datastore.mentions(),
            starts=self.starts[inside],
            ends=self.ends[inside],
            runs=self.runs[inside],
        )

    def owners_of(self, documents: Sequence[str]) -> Integers:
        """int64 (documents,): the number of each document, by id; −1 for one that is not in the store."""
        numbers = {document: number for number, document in enumerate(self.documents)}
        return np.array([numbers.get(document, -1) for document in documents], dtype=np.int64)

    def save(self, path: Path) -> None:
        """Into one file, a safetensors file, whole or not at all: width + 18 bytes a token."""
        keys = self.datastore.keys
        assert isinstance(keys, QuantisedKeys)
        content: dict[str, npt.NDArray[Any]] = {
            "lengths": np.bincount(self.datastore.owners, minlength=len(self.documents)),
            "scales": keys.scales,
            "starts": self.starts.astype(np.int32),
            "ends": self.ends.astype(np.int32),
            "runs": self.runs.astype(np.int32),
            "tags": self.datastore.tags.astype(np.int16),
            "codes": keys.codes,
        }
        shapes = {name: (array.dtype.name, array.shape) for name, array in content.items()}
        metadata = {"documents": json.dumps(self.documents), "schema": json.dumps(self.schema.to_json())}
        with new_arrays(path, shapes, metadata=metadata) as made:
            for name, array in content.items():
                made.arrays[name][:] = array

    @staticmethod
    def load(path: Path, *, search: MakeSearch = exact_search) -> StoredNeighbours:
        """What `save` wrote; keys stay on disk until they are looked at. Raises DataError for any other file."""
        loaded = load_arrays(path, what=_WHAT)
        try:
            schema = Schema.from_json(json.loads(loaded.metadata["schema"]))
            documents = tuple(str(one) for one in json.loads(loaded.metadata["documents"]))
            integers = partial(np.array, dtype=np.int64)
            arrays = loaded.arrays
            starts, ends, runs, tags = (integers(arrays[name]) for name in ("starts", "ends", "runs", "tags"))
            owners = np.repeat(np.arange(len(documents)), arrays["lengths"])
            keys = QuantisedKeys(codes=arrays["codes"], scales=np.array(arrays["scales"]))
            if not len(starts) == len(ends) == len(runs) == len(keys.scales) == len(keys) or tags.max() >= len(
                schema.tags
            ):
                raise ValueError("lengths or tags do not fit")
            datastore = Datastore(keys, tags, owners=owners, search=search)
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            raise DataError(f"this file holds no {_WHAT}", remedy="Make it again", file=path) from error
        return StoredNeighbours(
            schema=schema, documents=documents, datastore=datastore, starts=starts, ends=ends, runs=runs
        )


def _runs(tags: Integers, owners: Integers, *, schema: Schema) -> Integers:
    """int64 (tokens,), ascending: tokens of one mention share a number."""
    groups = np.where(tags >= 0, schema.groups[np.maximum(tags, 0)], IGNORE)
    begins = np.isin(tags, [schema.begin(label) for label in range(len(schema.labels))]) & (schema.scheme == "BIO")
    goes_on = (groups[1:] == groups[:-1]) & (owners[1:] == owners[:-1]) & (groups[1:] > 0) & ~begins[1:]
    return np.concatenate([[0], np.cumsum(~goes_on)]).astype(np.int64)[: len(tags)]
