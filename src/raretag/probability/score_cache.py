"""Scores on disk: judged once, read many times, a part at a time; without the text that they belong to."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol, final

import numpy as np

from raretag.corpus import Document
from raretag.errors import DataError
from raretag.mapped_arrays import load_arrays, new_arrays
from raretag.probability.scores import Scores
from raretag.tagging import Schema, Tokens

# characters of the documents that one file holds: about 50,000 tokens
_CHARACTERS: Final = 200_000


class Judge(Protocol):
    """What gives scores to documents, in their order: `score` with a predictor, or `score_with_hidden`."""

    def __call__(self, documents: Sequence[Document], /) -> list[Scores]:
        """Scores of each document."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where the scores of one text lie."""

    file: Path
    start: int
    stop: int


@final
class ScoreCache:
    """The scores that one model gave, in files of a folder; a text is known by the hash of its characters.

    Log-probabilities are kept as float16: a probability p is off by a factor of at most 1 ± 2⁻¹¹ · |log p|, half a per
    cent at 10⁻⁵. Hidden states, where they were asked for, are float16, too. Both can give away what the text says.
    """

    def __init__(self, folder: Path, *, schema: Schema) -> None:
        """Look at what lies in `folder`, which may not exist yet. Raises DataError for a file that holds no scores."""
        self._folder = folder
        self._schema = schema
        self._places: dict[str, _Place] = {}
        self._with_hidden: set[str] = set()
        for file in sorted(folder.glob("*.safetensors")):
            self._learn(file)

    def __contains__(self, document: Document) -> bool:
        """Whether this text has been judged."""
        return text_key(document) in self._places

    def has_hidden(self, document: Document) -> bool:
        """Whether hidden states are kept beside the scores of this text."""
        return text_key(document) in self._with_hidden

    def read(self, document: Document) -> Scores:
        """What was kept of this text, under the document's id. Raises KeyError where it has not been judged."""
        return self.read_key(text_key(document), document=document.id)

    def read_key(self, key: str, *, document: str) -> Scores:
        """What was kept of the text with this `text_key`, under the id `document`. Raises KeyError as `read` does."""
        place = self._places[key]
        arrays = load_arrays(place.file, what="scores").arrays
        part = slice(place.start, place.stop)
        p = np.exp(np.asarray(arrays["log_probabilities"][part], dtype=np.float64))
        p /= np.maximum(p.sum(axis=-1, keepdims=True), np.finfo(np.float64).tiny)
        starts, ends = np.array(arrays["starts"][part]), np.array(arrays["ends"][part])
        return Scores(
            document=document,
            tokens=Tokens(ids=np.full(len(starts), -1, dtype=np.int64), starts=starts, ends=ends),
            probabilities=p.astype(np.float32),
            hidden=np.array(arrays["hidden"][part]) if "hidden" in arrays else None,
        )

    def add(self, documents: Sequence[Document], judge: Judge) -> None:
        """Judge those of `documents` that are not here yet and keep them, some at a time: broken off, it goes on."""
        missing = {text_key(document): document for document in documents if document not in self}
        for some in _parts([*missing.values()]):
            self._write(some, judge(some))

    def add_with_hidden(self, documents: Sequence[Document], judge: Judge) -> None:
        """As `add`, for a judge that gives hidden states: texts that lack them are judged again."""
        missing = {text_key(document): document for document in documents if not self.has_hidden(document)}
        for some in _parts([*missing.values()]):
            self._write(some, judge(some))

    def scores(self, documents: Sequence[Document]) -> Sequence[Scores]:
        """Of each document, read from disk when it is looked at. Raises KeyError for one that is not here."""
        for document in documents:
            self._places[text_key(document)]
        return _Read(self, documents)

    def _write(self, documents: Sequence[Document], judged: Sequence[Scores]) -> None:
        lengths = [len(one.tokens) for one in judged]
        tokens = sum(lengths)
        keys = [text_key(document) for document in documents]
        hidden = [one.hidden for one in judged if one.hidden is not None]
        # an array without elements cannot be mapped: a spare row stands for texts without a token
        rows = max(tokens, 1)
        shapes: dict[str, tuple[str, tuple[int, ...]]] = {
            "starts": ("int64", (rows,)),
            "ends": ("int64", (rows,)),
            "log_probabilities": ("float16", (rows, *self._schema.shape)),
        }
        if len(hidden) == len(judged):
            shapes["hidden"] = ("float16", (rows, hidden[0].shape[1]))
        self._folder.mkdir(parents=True, exist_ok=True)
        name = hashlib.sha256("\n".join([*keys, *shapes]).encode()).hexdigest()[:16]
        file = self._folder / f"{name}.safetensors"
        metadata = {"texts": json.dumps(keys), "tokens": json.dumps(lengths)}
        with new_arrays(file, shapes, metadata=metadata) as made:
            if tokens:
                with np.errstate(divide="ignore"):
                    made.arrays["log_probabilities"][:] = np.log(np.concatenate([one.probabilities for one in judged]))
                made.arrays["starts"][:] = np.concatenate([one.tokens.starts for one in judged])
                made.arrays["ends"][:] = np.concatenate([one.tokens.ends for one in judged])
                if "hidden" in shapes:
                    made.arrays["hidden"][:] = np.concatenate(hidden)
        self._learn(file)

    def _learn(self, file: Path) -> None:
        try:
            loaded = load_arrays(file, what="scores")
            keys, lengths = json.loads(loaded.metadata["texts"]), json.loads(loaded.metadata["tokens"])
            fits = loaded.arrays["log_probabilities"].shape[1:] == self._schema.shape
            bounds = np.cumsum([0, *lengths]).tolist()
            if not fits or bounds[-1] > len(loaded.arrays["starts"]):
                raise ValueError("shapes do not fit")
        except (DataError, KeyError, ValueError, TypeError) as error:
            raise DataError(
                "this file holds no scores of this model",
                remedy="Delete it: the documents will be judged again",
                file=file,
            ) from error
        for key, start, stop in zip(keys, bounds[:-1], bounds[1:], strict=True):
            if key in self._with_hidden:
                continue
            self._places[key] = _Place(file=file, start=start, stop=stop)
            if "hidden" in loaded.arrays:
                self._with_hidden.add(key)


def text_key(document: Document) -> str:
    """The hash of a text as it stands, character by character, since offsets lead back to it."""
    return hashlib.sha256(document.text.encode("utf-8", "surrogatepass")).hexdigest()


@final
class _Read(Sequence[Scores]):
    """Scores that are read when they are looked at, each time anew: memory holds one document."""

    def __init__(self, cache: ScoreCache, documents: Sequence[Document]) -> None:
        self._cache = cache
        self._documents = tuple(documents)

    def __len__(self) -> int:
        return len(self._documents)

    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, slice):
            return _Read(self._cache, self._documents[place])
        return self._cache.read(self._documents[place])


def _parts(documents: Sequence[Document]) -> Iterator[list[Document]]:
    """Documents of about as many characters together as one file holds."""
    some: list[Document] = []
    size = 0
    for document in documents:
        if some and size + len(document.text) > _CHARACTERS:
            yield some
            some, size = [], 0
        some.append(document)
        size += len(document.text)
    if some:
        yield some
