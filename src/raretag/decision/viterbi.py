"""The most probable sequence of tags that is valid: `I-X` only ever follows `B-X` or `I-X`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from raretag.probability import TINY, stack
from raretag.tagging import Schema


def viterbi(probabilities: Sequence[npt.NDArray[np.float32]], *, schema: Schema) -> list[npt.NDArray[np.int64]]:
    """The valid path y with the largest Σ_t log p_t(y_t), for each document (Viterbi 1967).

    probabilities: a float (tokens, tags) array a document, rows summing to 1. Returns int64 (tokens,) tag ids each.
    Under BIO a path may not enter `I-X` but from `B-X` or `I-X`; under IO every path is valid. Of equally probable
    paths the one with the lowest tag ids is taken.
    """
    if schema.scheme == "IO":
        return [np.argmax(p, axis=1).astype(np.int64) for p in probabilities]
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
