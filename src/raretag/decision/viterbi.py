"""The most probable sequence of tags that is valid: `I-X` only ever follows `B-X` or `I-X`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from raretag.probability import TINY, stack
from raretag.tagging import Schema, build_schema

# cells of (documents, longest, tags) that are held at once: 64 MiB as float64
_CELLS = 2**23


def viterbi(probabilities: Sequence[npt.NDArray[np.float32]], *, schema: Schema) -> list[npt.NDArray[np.int64]]:
    """The valid path y with the largest Σ_t log p_t(y_t), for each document (Viterbi 1967).

    probabilities: a float (tokens, tags) array a document, rows summing to 1. Returns int64 (tokens,) tag ids each.
    Under BIO a path may not enter `I-X` but from `B-X` or `I-X`; under IO every path is valid. Of equally probable
    paths the one with the lowest tag ids is taken. With a layered schema each label has a path of its own: from
    (tokens, labels, tags of a label) to (tokens, labels).
    """
    if schema.layered:
        labels = len(schema.labels)
        # the schema of one label is like that of another but for the name
        alone = build_schema(["X"], scheme=schema.scheme)
        paths = viterbi([p[:, label] for p in probabilities for label in range(labels)], schema=alone)
        return [
            np.array(paths[number * labels : (number + 1) * labels], dtype=np.int64).reshape(labels, len(p)).T
            for number, p in enumerate(probabilities)
        ]
    if schema.scheme == "IO":
        return [np.argmax(p, axis=1).astype(np.int64) for p in probabilities]
    found: list[npt.NDArray[np.int64]] = [np.zeros(0, dtype=np.int64)] * len(probabilities)
    for batch in _batches([len(p) for p in probabilities], tags=len(schema.tags)):
        for number, path in zip(batch, _side_by_side([probabilities[n] for n in batch], schema), strict=True):
            found[number] = path
    return found


def _batches(lengths: Sequence[int], *, tags: int) -> Iterator[list[int]]:
    """Documents of about equal length together, so that one long note does not stretch many short ones."""
    batch: list[int] = []
    for number in sorted(range(len(lengths)), key=lengths.__getitem__):
        if batch and (len(batch) + 1) * lengths[number] * tags > _CELLS:
            yield batch
            batch = []
        batch.append(number)
    if batch:
        yield batch


def _side_by_side(probabilities: Sequence[npt.NDArray[np.float32]], schema: Schema) -> list[npt.NDArray[np.int64]]:
    """All documents step by step together: numpy works on (documents, tags) at once."""
    lengths = [len(p) for p in probabilities]
    emissions = np.log(np.maximum(stack(probabilities, tags=len(schema.tags)), TINY))
    documents, longest, tags = emissions.shape
    best_before = np.zeros((longest, documents), dtype=np.int64)
    from_begin = np.zeros((longest, documents, len(schema.labels)), dtype=bool)
    score = np.zeros((documents, tags))
    for t in range(longest):
        if t == 0:
            score = emissions[:, 0].copy()
            score[:, 2::2] = -np.inf
            continue
        best = np.argmax(score, axis=1)
        best_before[t] = best
        begin, inside = score[:, 1::2], score[:, 2::2]
        from_begin[t] = begin >= inside
        new = emissions[:, t] + score[np.arange(documents), best][:, None]
        new[:, 2::2] = emissions[:, t, 2::2] + np.maximum(begin, inside)
        score = new
    last = np.argmax(score, axis=1) if longest else np.zeros(documents, dtype=np.int64)
    paths = np.zeros((longest, documents), dtype=np.int64)
    rows = np.arange(documents)
    for t in range(longest - 1, -1, -1):
        paths[t] = last
        label = np.maximum((last - 1) // 2, 0)
        is_inside = (last > 0) & (last % 2 == 0)
        came = np.where(from_begin[t, rows, label], 1 + 2 * label, 2 + 2 * label)
        last = np.where(is_inside, came, best_before[t])
    return [paths[:length, document] for document, length in enumerate(lengths)]
