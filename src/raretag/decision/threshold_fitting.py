"""Thresholds that make each label's strict F1 large on calibration documents, shrunk where there are few mentions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from raretag.corpus import Document
from raretag.corpus.inventory import TAIL_GROUPS, tail_group
from raretag.decision.scheduling import best_together
from raretag.decision.thresholds import Thresholds
from raretag.errors import DataError
from raretag.probability.candidates import Candidates
from raretag.tagging import Schema

Array = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

# how many mentions' worth of belief pulls a label's threshold to its group's, and that to the common one
_STRENGTH: Final = 20.0
# below this share of the threshold a candidate competes with others, but is not asked about
_LOOK_BELOW: Final = 0.5
_ROUNDS: Final = 3


def fit_thresholds(found: Sequence[Candidates], gold: Mapping[str, Document], *, schema: Schema) -> Thresholds:
    """Thresholds from calibration documents and their gold, by document id.

    Each label starts from F*/2, F* being its best F1 alone: where probabilities are true its F1 is largest there
    (Lipton et al. 2014, arXiv 1402.1892). Then, since mentions stand in each other's way, the threshold with the best
    F1 among those that win their place is taken, and again. At last t_k is pulled to the mean of its tail group with
    weight 20 / (n_k + 20), after that to the mean of all labels likewise; means weigh labels by their mentions n_k.
    Labels without gold, and those of whose mentions none is a candidate or none wins its place, have the threshold of
    their group.
    Raises DataError where documents have no gold mention of these labels, or a document has no gold.
    """
    for one in found:
        if one.document not in gold:
            raise DataError(f"document {one.document!r} has no gold", remedy="Give annotated calibration documents")
    there = [one.among(gold[one.document].mentions, schema=schema) for one in found]
    support = np.array(
        [sum(m.label == label for one in found for m in gold[one.document].mentions) for label in schema.labels],
        dtype=np.int64,
    )
    taught = support.copy()
    for label in range(len(support)):
        taught[label] *= any(bool(right[one.labels == label].any()) for one, right in zip(found, there, strict=True))
    if not taught.sum():
        raise DataError("no gold mention is a candidate to fit thresholds on", remedy="Give annotated documents")
    place = np.ones(len(schema.labels))
    everyone = [np.arange(len(one)) for one in found]
    for label, (_, best) in _best_each(found, there, everyone, taught).items():
        place[label] = best / 2
    won = taught > 0
    for _ in range(_ROUNDS):
        winners = [
            best_together(
                one.firsts,
                one.lasts,
                one.probabilities - _LOOK_BELOW * place[one.labels],
                layers=one.labels if schema.layered else None,
            )
            for one in found
        ]
        place = place.copy()
        for label, (value, best) in _best_each(found, there, winners, taught).items():
            # where no winner is right there is no best threshold, and the place before is as good as any
            won[label] = best > 0
            place[label] = value if best else place[label]
    shrunk = _shrunk(place, taught * won if won.any() else taught, schema=schema)
    return Thresholds(
        by_label=dict(zip(schema.labels, shrunk.tolist(), strict=True)),
        mentions=dict(zip(schema.labels, support.tolist(), strict=True)),
    )


def best_threshold(chances: Array, there: npt.NDArray[np.bool_], *, gold: int) -> tuple[float, float]:
    """The threshold on `chances` with the largest F1 = 2 tp / (taken + gold), and that F1; gold >= 1.

    The threshold lies halfway between the last chance taken and the next. (1, 0) where nothing right can be taken.
    """
    order = np.argsort(-chances, kind="stable")
    p = chances[order]
    f1 = 2 * np.cumsum(there[order]) / (np.arange(len(p)) + 1 + gold)
    # equal chances are taken together
    last = np.concatenate([p[1:] < p[:-1], [True]])[: len(p)]
    f1 = np.where(last, f1, 0.0)
    if not len(p) or not f1.max():
        return 1.0, 0.0
    best = int(np.argmax(f1))
    return float(p[best] + (p[best + 1] if best + 1 < len(p) else 0.0)) / 2, float(f1[best])


def _best_each(
    found: Sequence[Candidates],
    there: Sequence[npt.NDArray[np.bool_]],
    among: Sequence[Integers],
    support: Integers,
) -> dict[int, tuple[float, float]]:
    """`best_threshold` of each label that support counts gold mentions of, among some candidates of each document."""
    labels = np.concatenate([one.labels[some] for one, some in zip(found, among, strict=True)])
    chances = np.concatenate([one.probabilities[some] for one, some in zip(found, among, strict=True)])
    right = np.concatenate([one[some] for one, some in zip(there, among, strict=True)])
    return {
        int(label): best_threshold(chances[labels == label], right[labels == label], gold=int(support[label]))
        for label in np.flatnonzero(support)
    }


def _shrunk(place: Array, support: Integers, *, schema: Schema) -> Array:
    group = np.array([TAIL_GROUPS.index(tail_group(number)) for number in schema.mention_counts], dtype=np.int64)
    overall = float(np.average(place, weights=support))
    means = np.full(len(TAIL_GROUPS), overall)
    for number in range(len(TAIL_GROUPS)):
        own = group == number
        total = float(support[own].sum())
        if total:
            mean = float(np.average(place[own], weights=support[own]))
            means[number] = (total * mean + _STRENGTH * overall) / (total + _STRENGTH)
    return np.asarray((support * place + _STRENGTH * means[group]) / (support + _STRENGTH))
