"""Thresholds that make each label's expected F1 large, shrunk where there are few mentions."""

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


def fit_thresholds(found: Sequence[Candidates], gold: Mapping[str, Document], *, schema: Schema) -> Thresholds:
    """Thresholds from calibrated candidates of calibration documents, and their gold, by document id.

    t_k is half of the largest expected F1, see `expected_threshold`. It asks the probabilities, which all labels
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
    own = np.array([expected_threshold(chances[labels == label]) for label in range(len(schema.labels))])
    groups = np.array([tail_group(number) for number in schema.mention_counts])
    means = np.array([_mean(own, np.where(groups == group, support, 0.0), otherwise=support) for group in groups])
    shrunk = (support * own + _STRENGTH * means) / (support + _STRENGTH)
    return Thresholds(
        by_label=dict(zip(schema.labels, shrunk.tolist(), strict=True)),
        mentions=dict(zip(schema.labels, support.astype(int).tolist(), strict=True)),
    )


def expected_threshold(chances: Array) -> float:
    """F*/2 with F* = max_t 2 Σ_{p > t} p / (#{p > t} + Σ p): float in (0, ½], and ½ without any candidate.

    chances: float64 (n,), calibrated probabilities of a label's candidates. F* is the ratio of expected counts, and F1
    is largest where just those are taken that are likelier than F*/2 (Lipton, Elkan and Naryanaswamy 2014,
    arXiv 1402.1892).
    """
    p = np.sort(chances)[::-1]
    total = p.sum()
    if not total:
        return 0.5
    return float((np.cumsum(p) / (np.arange(len(p)) + 1 + total)).max())


def _mean(values: Array, weights: Array, *, otherwise: Array) -> float:
    return float(np.average(values, weights=weights if weights.any() else otherwise))
