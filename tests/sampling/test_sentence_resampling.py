"""Sentence resampling, against the four formulas written out sentence by sentence."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from raretag.sampling import Budget, Windows, sampler

BUDGET = Budget(tokens=256, seed=3)
NAMES = ("sc", "scr", "scrd", "nscrd")


def reference(name: str, windows: Windows, sharpness: float) -> list[float]:
    """r of each window, in loops over tags."""
    total: dict[int, int] = {}
    everything = 0
    for row in windows.counts.tolist():
        for tag, count in enumerate(row):
            everything += count
            if tag:
                total[windows.groups[tag]] = total.get(windows.groups[tag], 0) + count
    found: list[float] = []
    for row in windows.counts.tolist():
        tokens: dict[int, int] = {}
        for tag, count in enumerate(row):
            if tag and count:
                tokens[windows.groups[tag]] = tokens.get(windows.groups[tag], 0) + count
        rarity = {label: (-math.log2(total[label] / everything)) ** sharpness for label in tokens}
        length = sum(row)
        if name == "sc":
            repeats = 1 + sum(tokens.values())
        elif name == "scr":
            repeats = math.ceil(math.sqrt(1 + sum(tokens[e] * rarity[e] for e in tokens)))
        elif name == "scrd":
            repeats = math.ceil((1 + sum(tokens[e] * rarity[e] for e in tokens)) / math.sqrt(length))
        else:
            repeats = math.ceil((1 + sum(math.sqrt(tokens[e]) * rarity[e] for e in tokens)) / math.sqrt(length))
        found.append(repeats if tokens else 1)
    return found


@pytest.mark.parametrize(
    ("name", "options"), [*((name, {}) for name in NAMES), *((name, {"sharpness": 2.5}) for name in NAMES[1:])]
)
def test_visits_follow_the_formula_at_the_cost_of_a_plain_epoch(
    name: str, options: dict[str, float], corpus: Any
) -> None:
    visits = sampler(name, windows=corpus.windows, budget=BUDGET, **options).expected_visits(0)  # type: ignore[attr-defined]
    expected = np.array(reference(name, corpus.windows, options.get("sharpness", 1.0)))
    assert len(set(expected.tolist())) > 2
    np.testing.assert_allclose(visits / visits.sum(), expected / expected.sum())
    assert visits @ corpus.windows.lengths == pytest.approx(corpus.windows.lengths.sum(), abs=45)


def test_a_sharper_rarity_brings_more_of_the_rare_label(corpus: Any) -> None:
    rare = corpus.windows.label_counts[:, 3] > 0
    shares = []
    for sharpness in (0, 1, 4):
        visits = sampler("scrd", windows=corpus.windows, budget=BUDGET, sharpness=sharpness).expected_visits(0)  # type: ignore[attr-defined]
        shares.append(visits[rare].sum() / visits.sum())
    assert shares[0] < shares[1] < shares[2]


def test_a_label_that_is_every_token_has_no_rarity() -> None:
    windows = Windows(lengths=np.full(20, 5), counts=np.tile([0, 2, 3], (20, 1)), groups=np.array([0, 1, 1]))
    for name in NAMES:
        built = sampler(name, windows=windows, budget=Budget(tokens=20, seed=0))
        assert sorted(one for batch in built.epoch_batches(0) for one in batch) == list(range(20))
