"""Thresholds that make each label's expected F_β large, shrunk where there are few mentions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from raretag.corpus import Document
from raretag.corpus.inventory import tail_group
from raretag.decision.thresholds import Thresholds
from raretag.errors import DataError
from raretag.probability.candidates import Candidates
from raretag.tagging import Schema

Array = npt.NDArray[np.float64]

# how many mentions' worth of belief pulls a label's threshold to its group's
_STRENGTH: Final = 5.0


def fit_thresholds(
    found: Sequence[Candidates],
    gold: Mapping[str, Document],
    *,
    schema: Schema,
    betas: Mapping[str, float] | None = None,
) -> Thresholds:
    """Thresholds from calibrated candidates of calibration documents, and their gold, by document id.

    betas: by label, how much recall counts beside precision, > 0; 1 where None. t_k is that of the largest expected
    F_β, see `expected_threshold`. It asks the probabilities, which all labels
    have calibrated together, and not the few mentions of a rare label. Then it is pulled to the mean of its tail group
    with weight 5 / (n_k + 5), n_k being the label's gold mentions; the mean weighs labels by theirs. Where a group has
    none, its mean is that of all labels.
    Raises DataError where documents have no gold mention of these labels, or a document has no gold.
    """
    for one in found:
        if one.document not in gold:
            raise DataError(f"document {one.document!r} has no gold", remedy="Give annotated calibration documents")
    there = [mention.label for one in found for mention in gold[one.document].mentions]
    support = np.array([there.count(label) for label in schema.labels], dtype=np.float64)
    if not support.any():
        raise DataError("no document has a gold mention to fit thresholds on", remedy="Give annotated documents")
    labels = np.concatenate([np.zeros(0, dtype=np.int64), *(one.labels for one in found)])
    chances = np.concatenate([np.zeros(0), *(one.probabilities for one in found)])
    wanted = np.array([1.0 if betas is None else betas[label] for label in schema.labels])
    groups = np.array([tail_group(number) for number in schema.mention_counts])
    own, means = np.zeros(len(wanted)), np.zeros(len(wanted))
    for beta in np.unique(wanted):
        # a label is pulled to what its group would have under the label's own beta
        each = np.array(
            [expected_threshold(chances[labels == number], beta=float(beta)) for number in range(len(wanted))]
        )
        for number in np.flatnonzero(wanted == beta):
            own[number] = each[number]
            means[number] = _mean(each, np.where(groups == groups[number], support, 0.0), otherwise=support)
    shrunk = (support * own + _STRENGTH * means) / (support + _STRENGTH)
    return Thresholds(
        by_label=dict(zip(schema.labels, shrunk.tolist(), strict=True)),
        mentions=dict(zip(schema.labels, support.astype(int).tolist(), strict=True)),
    )


def expected_threshold(chances: Array, *, beta: float = 1.0) -> float:
    """F*/(1 + β²) with F* = max_t (1 + β²) Σ_{p > t} p / (#{p > t} + β² Σ p), float; 1/(1 + β²) without candidates.

    chances: float64 (n,), calibrated probabilities of a label's candidates. F* is the ratio of expected counts, and
    F_β (van Rijsbergen 1979, chapter 7) is largest where just those are taken that are likelier than F*/(1 + β²): for
    β = 1 half of the best F1 (Lipton, Elkan and Naryanaswamy 2014, arXiv 1402.1892).
    """
    p = np.sort(chances)[::-1]
    total = p.sum()
    if not total:
        return float(1 / (1 + beta**2))
    return float((np.cumsum(p) / (np.arange(len(p)) + 1 + beta**2 * total)).max())


def _mean(values: Array, weights: Array, *, otherwise: Array) -> float:
    return float(np.average(values, weights=weights if weights.any() else otherwise))
