"""What came of decisions, against the gold: found, sent to review, wrong label, missed; and false alarms."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
import numpy.typing as npt

from raretag.corpus import Document, Mention
from raretag.decision.coverage import exactly_found, joined, mostly_inside
from raretag.decision.decided import Decision
from raretag.errors import DataError


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outcomes:
    """Counts by document, and by label in alphabetical order.

    Each gold mention is one of: found (an accepted mention has its label and exactly its characters), else reviewed
    (more than half of its characters lie in stretches sent to review, or these are all tokens of the document), else
    wrong_label (an accepted mention has exactly its characters and another label), else missed. Accepted mentions pair
    one to one.
    An accepted mention that is neither found nor wrong_label is a false alarm, under its own label; one whose gold
    mention was counted as reviewed is a false alarm, too.

    gold, found, reviewed, wrong_label, missed: int64 (documents, labels), by the label of the gold mention.
    wrong_label_as, false_alarms: int64 (documents, labels), by the label that was decided. mislabelled: int64 (wrong
    labels, 3), each one's document, gold label and label decided, by number, in order. reviews: int64
    (documents,), looks at what was sent to review (`Decision.reviews`). reviewed_tokens, tokens: int64 (documents,).
    documents: their ids. groups: what each document is resampled with, as in `raretag.evaluation.Counts`.
    """

    documents: tuple[str, ...]
    groups: tuple[tuple[str, str], ...]
    labels: tuple[str, ...]
    gold: npt.NDArray[np.int64]
    found: npt.NDArray[np.int64]
    reviewed: npt.NDArray[np.int64]
    wrong_label: npt.NDArray[np.int64]
    missed: npt.NDArray[np.int64]
    wrong_label_as: npt.NDArray[np.int64]
    false_alarms: npt.NDArray[np.int64]
    mislabelled: npt.NDArray[np.int64]
    reviews: npt.NDArray[np.int64]
    reviewed_tokens: npt.NDArray[np.int64]
    tokens: npt.NDArray[np.int64]


def outcomes(gold: Sequence[Document], decisions: Mapping[str, Decision], *, labels: Sequence[str] = ()) -> Outcomes:
    """Judge a decision for each gold document, by document id.

    labels: those of the schema; others that occur are added. Raises DataError where a document has no decision, a
    decision has no document, or ids repeat.
    """
    documents = sorted(gold, key=lambda document: document.id)
    _check(documents, decisions)
    every = {*labels}.union(
        m.label for d in documents for m in (*d.mentions, *decisions[d.id].accepted, *decisions[d.id].reviewed)
    )
    places = {label: number for number, label in enumerate(sorted(every))}
    counts = np.zeros((6, len(documents), len(places)), dtype=np.int64)
    mislabelled: list[tuple[int, int, int]] = []
    for row, document in enumerate(documents):
        pairs = _judge(document.mentions, decisions[document.id], into=counts[:, row], places=places)
        mislabelled += sorted((row, *pair) for pair in pairs)
    judged = [decisions[document.id] for document in documents]
    return Outcomes(
        documents=tuple(document.id for document in documents),
        groups=tuple(document.unit for document in documents),
        labels=tuple(places),
        gold=counts[:4].sum(axis=0),
        found=counts[0],
        reviewed=counts[1],
        wrong_label=counts[2],
        missed=counts[3],
        wrong_label_as=counts[4],
        false_alarms=counts[5],
        mislabelled=np.array(mislabelled, dtype=np.int64).reshape(-1, 3),
        reviews=np.array([one.reviews for one in judged], dtype=np.int64),
        reviewed_tokens=np.array([one.reviewed_tokens for one in judged], dtype=np.int64),
        tokens=np.array([one.tokens for one in judged], dtype=np.int64),
    )


def _judge(
    gold: Sequence[Mention], decision: Decision, *, into: npt.NDArray[np.int64], places: Mapping[str, int]
) -> list[tuple[int, int]]:
    """One document into int64 (6, labels): found, reviewed, wrong label, missed, wrong label as, false alarms.

    Returns the gold and the decided label of each wrong label.
    """
    pairs = []
    # a canonical order, so that duplicates are counted alike in whatever order they come
    ordered = sorted(gold, key=lambda mention: (mention.label, mention.parts))
    exact = exactly_found(ordered, decision.accepted)
    stretches = joined([(one.start, one.end) for one in decision.reviewed])
    # who reads every token reads what no token covers, too
    whole_note = 0 < decision.tokens == decision.reviewed_tokens
    left = Counter((one.covered, one.label) for one in decision.accepted)
    left.subtract((one.covered, one.label) for one, is_found in zip(ordered, exact, strict=True) if is_found)
    for mention, is_found in zip(ordered, exact, strict=True):
        place = places[mention.label]
        if is_found or whole_note or mostly_inside(mention, stretches):
            into[0 if is_found else 1, place] += 1
            continue
        instead = sorted(key for key, number in left.items() if number > 0 and key[0] == mention.covered)
        # one with the mention's own label would be a partner of a duplicate, not a wrong label
        instead = [key for key in instead if key[1] != mention.label]
        into[2 if instead else 3, place] += 1
        if instead:
            left[instead[0]] -= 1
            into[4, places[instead[0][1]]] += 1
            pairs.append((place, places[instead[0][1]]))
    for (_, label), number in left.items():
        into[5, places[label]] += number
    return pairs


def _check(documents: Sequence[Document], decisions: Mapping[str, Decision]) -> None:
    known = {document.id for document in documents}
    if len(known) != len(documents):
        raise DataError(f"{len(documents)} gold documents have only {len(known)} ids", remedy="Make the ids unique")
    for missing in sorted(known ^ decisions.keys()):
        side = "no decision" if missing in known else "a decision, but no gold document"
        raise DataError(f"document {missing!r} has {side}", remedy="Decide about the documents that are judged")
