"""How many mentions of each label each document has: gold, predicted and correct."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from raretag.corpus.document import Document, Mention
from raretag.errors import DataError
from raretag.evaluation.matching import SCHEMES, Scheme

GOLD, PREDICTED, CORRECT = 0, 1, 2


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Counts:
    """Counts of one matching scheme.

    `values` is int64 of shape (documents, labels, 3), read-only: on the last axis gold, predicted and
    correct, where correct <= min(gold, predicted). `documents` are ids in order, `groups` what each of them
    is resampled with (the patient where the metadata name one, else the document itself), `labels` are in
    alphabetical order.
    """

    documents: tuple[str, ...]
    groups: tuple[tuple[str, str], ...]
    labels: tuple[str, ...]
    values: NDArray[np.int64]


def count_matches(
    gold: Sequence[Document],
    predicted: Mapping[str, Sequence[Mention]],
    *,
    labels: Sequence[str],
    scheme: Scheme,
) -> Counts:
    """Match every document and count.

    `gold` are the untouched documents in any order; `predicted` maps document ids to mentions, a missing
    document has none. The labels are those given and any other that occurs in gold or predictions, each
    compared whole. Raises DataError for repeated ids, for predictions of an unknown document or beyond the
    end of its text.
    """
    documents = sorted(gold, key=lambda document: document.id)
    _check(documents, predicted)
    every = {*labels}.union(m.label for d in documents for m in (*d.mentions, *predicted.get(d.id, ())))
    place = {label: index for index, label in enumerate(sorted(every))}
    values = np.zeros((len(documents), len(place), 3), dtype=np.int64)
    for row, document in zip(values, documents, strict=True):
        found = predicted.get(document.id, ())
        for mention in document.mentions:
            row[place[mention.label], GOLD] += 1
        for mention in found:
            row[place[mention.label], PREDICTED] += 1
        for index, _ in SCHEMES[scheme](document.mentions, found):
            row[place[document.mentions[index].label], CORRECT] += 1
    values.setflags(write=False)
    return Counts(
        documents=tuple(document.id for document in documents),
        groups=tuple(document.unit for document in documents),
        labels=tuple(place),
        values=values,
    )


def _check(documents: Sequence[Document], predicted: Mapping[str, Sequence[Mention]]) -> None:
    lengths = {document.id: len(document.text) for document in documents}
    if len(lengths) != len(documents):
        raise DataError(
            f"{len(documents)} gold documents have only {len(lengths)} different ids",
            remedy="Make the ids unique",
        )
    for identity in sorted(predicted):
        if identity not in lengths:
            raise DataError(
                f"predictions for document {identity!r}, which the gold documents do not contain",
                remedy="Evaluate against the documents that were annotated",
            )
        end = max((mention.end for mention in predicted[identity]), default=0)
        if end > lengths[identity]:
            raise DataError(
                f"document {identity!r}: a predicted mention ends at {end}, its text at {lengths[identity]}",
                remedy="Predict on the untouched text of the gold document",
            )
