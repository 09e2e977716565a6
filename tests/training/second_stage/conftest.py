"""Planted features: a common label, a rare one near it, one that training never saw."""

from __future__ import annotations

import numpy as np
import pytest

from raretag.tagging import Schema, build_schema
from raretag.training.second_stage import Features

WIDTH = 8
# tokens of O, B-Common, I-Common, B-Rare, I-Rare, B-Never, I-Never
COUNTS = (3000, 700, 280, 12, 8, 0, 0)


def draw(counts: tuple[int, ...], *, seed: int) -> Features:
    """Each tag a cloud; the rare label's lie between that of its common neighbour and their own."""
    rng = np.random.default_rng(seed)
    centres = np.eye(len(counts), WIDTH) * 2.5
    centres[3:5] = 0.6 * centres[1:3] + 0.4 * centres[3:5]
    tags = np.repeat(np.arange(len(counts)), counts)
    hidden = (centres[tags] + rng.normal(size=(len(tags), WIDTH))).astype(np.float32)
    return Features(hidden=hidden, tags=tags, windows=np.arange(len(tags)) // 20)


@pytest.fixture(scope="session")
def schema() -> Schema:
    """Three labels, one never seen."""
    return build_schema(("Common", "Rare", "Never"), mention_counts=(700, 12, 0), tag_counts=COUNTS)


@pytest.fixture(scope="session")
def features() -> Features:
    """What training saw."""
    return draw(COUNTS, seed=0)


@pytest.fixture(scope="session")
def unseen() -> Features:
    """New tokens, as many of each tag."""
    return draw((400, 400, 400, 400, 400, 0, 0), seed=1)
