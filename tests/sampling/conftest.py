"""Windows whose labels have nothing to do with any text, by a long tail, and the tags they hold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pytest

from raretag.sampling import Windows, tag_counts

Integers = npt.NDArray[np.int64]

# O, and B- and I- of five labels: frequent to rare, and the last in no window
GROUPS = np.array([0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5])
SHARES = np.array([0.12, 0.05, 0.02])
LABELS = 5


@dataclass(frozen=True)
class Corpus:
    """Tags of each window, (tokens,) and by label (tokens, labels), and what a sampler sees of them."""

    tags: list[Integers]
    by_label: list[Integers]
    windows: Windows


def make_corpus(number: int = 240, *, seed: int = 0) -> Corpus:
    """Windows of 6 to 44 tokens; the fourth label is in two of them, and a fifth of them hold no label."""
    rng = np.random.default_rng(seed)
    tags = []
    for window in range(number):
        size = int(rng.integers(6, 45))
        labels = rng.choice(4, size, p=[1 - SHARES.sum(), *SHARES]) if rng.random() > 0.2 else np.zeros(size, int)
        if window in (3, number // 2):
            labels[1:3] = 4
        one = np.where(labels > 0, 2 * labels - 1 + (labels == np.roll(labels, 1)), 0).astype(np.int64)
        # special tokens, and now and then a neighbour's tokens around them
        one[[0, -1]] = -100
        if window % 7 == 0:
            one[-3:] = -100
        tags.append(one)
    columns = [
        np.stack([np.where(GROUPS[np.maximum(one, 0)] == k + 1, one - 2 * k, 0) for k in range(LABELS)], axis=1)
        for one in tags
    ]
    by_label = [np.where(one[:, None] < 0, -100, column) for one, column in zip(tags, columns, strict=True)]
    windows = Windows(
        lengths=np.array([len(one) for one in tags]),
        counts=np.stack([tag_counts(one, number=len(GROUPS)) for one in tags]),
        groups=GROUPS,
    )
    return Corpus(tags, by_label, windows)


@pytest.fixture(scope="session")
def corpus() -> Corpus:
    return make_corpus()
