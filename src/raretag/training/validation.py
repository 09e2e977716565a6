"""The proper score that early stopping follows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from raretag.corpus import Document
from raretag.tagging import IGNORE, OverlapPolicy, Schema, encode
from raretag.training.inference import Predictor


def brier_score(
    predictor: Predictor, documents: Sequence[Document], *, schema: Schema, overlaps: OverlapPolicy
) -> float:
    """Mean over judged tokens of Σ_k (p_k − [y = k])², in [0, 2], lower is better (Brier 1950).

    With a layered schema each label judges each token by itself, and the mean is over both.
    It is proper like the log-loss, but bounded: a few confident mistakes on noisy gold do not end the training early.
    """
    counts = dict(zip(schema.labels, schema.mention_counts, strict=True))
    total, tokens = 0.0, 0
    for judged in predictor.predict(documents):
        tags = encode(judged.document, judged.tokens, schema=schema, overlaps=overlaps, counts=counts).tags
        kept = tags != IGNORE
        p = judged.probabilities[kept].astype(np.float64)
        truth = p[np.arange(len(p)), tags[kept]]
        total += float((p**2).sum() - 2 * truth.sum() + len(p))
        tokens += len(p)
    return total / max(tokens, 1)
