"""Plain epochs are partitions of the windows; their marginals are the windows' own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from raretag.sampling import Budget, pack, sampler

BUDGET = Budget(tokens=256, seed=3)


@pytest.mark.parametrize("name", ["length-bucketed", "random", "outside-thinning"])
def test_each_epoch_is_a_partition(name: str, corpus: Any) -> None:
    built = sampler(name, windows=corpus.windows, budget=BUDGET)
    assert len(built) == len(pack(corpus.windows.lengths, tokens=256))
    for epoch in range(4):
        drawn = [int(one) for batch in built.epoch_batches(epoch) for one in batch]
        assert sorted(drawn) == list(range(len(corpus.windows)))


def test_marginals_are_about_those_of_the_windows(corpus: Any) -> None:
    """Not exactly: a batch's loss is a mean, whatever the number of its targets."""
    counts = corpus.windows.counts.sum(axis=0)
    prior = sampler("length-bucketed", windows=corpus.windows, budget=BUDGET).effective_prior()
    np.testing.assert_allclose(prior, counts / counts.sum(), rtol=0.1, atol=1e-3)


def test_random_batches_are_padded_more(corpus: Any) -> None:
    def padded(name: str) -> int:
        batches = sampler(name, windows=corpus.windows, budget=BUDGET).epoch_batches(0)
        return sum(len(batch) * int(corpus.windows.lengths[batch].max()) for batch in batches)

    assert padded("length-bucketed") < 1.15 * corpus.windows.lengths.sum()
    assert padded("random") > 1.2 * padded("length-bucketed")


def test_random_batches_mix_lengths(corpus: Any) -> None:
    batches = sampler("random", windows=corpus.windows, budget=BUDGET).epoch_batches(0)
    means = [corpus.windows.lengths[batch].mean() for batch in batches]
    assert np.std(means) < 0.6 * corpus.windows.lengths.std()
