"""One sampler until a share of the steps, then the other; each is asked for its own targets."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from raretag.sampling import Budget, Deferred, Draw, WindowSampler, sampler

BUDGET = Budget(tokens=256, seed=3, epochs=4)


def build(corpus: Any, name: str, **options: Any) -> WindowSampler[Any]:
    return sampler(name, windows=corpus.windows, budget=BUDGET, **options)


def stages(built: WindowSampler[Any]) -> list[int]:
    return [Draw.of(batch[0]).stage for epoch in range(6) for batch in built.epoch_batches(epoch)]


@pytest.mark.parametrize("start", [0.0, 0.1, 0.5, 0.8, 0.99])
def test_the_change_comes_at_its_share_of_all_steps(corpus: Any, start: float) -> None:
    before, after = build(corpus, "length-bucketed"), build(corpus, "per-class")
    built = Deferred(before, after, start=start)
    first = math.ceil(start * 4 * len(after))
    assert stages(built) == [0] * first + [1] * (6 * len(after) - first)
    found = [batch for epoch in range(4) for batch in built.epoch_batches(epoch)]
    expected = [
        (before if epoch * len(after) + number < first else after).epoch_batches(epoch)[number]
        for epoch in range(4)
        for number in range(len(after))
    ]
    assert found == expected
    assert [Draw.of(b[0]).focus for b in found] == [Draw.of(b[0]).focus for b in expected]


def test_each_draw_has_the_targets_of_the_sampler_that_made_it(corpus: Any) -> None:
    """Both leave something out: only the stage tells which was meant."""
    before, after = build(corpus, "outside-thinning", keep=0.2), build(corpus, "per-class")
    built = Deferred(before, after, start=0.4)
    changed = set()
    for epoch in range(4):
        for batch in built.epoch_batches(epoch):
            one = Draw.of(batch[0])
            for tags in (corpus.tags[one], corpus.by_label[one]):
                own = (after if one.stage else before).targets(tags, one)
                np.testing.assert_array_equal(built.targets(tags, one), own)
                changed |= {one.stage} if (own != tags).any() else set()
    assert changed == {0, 1}


def test_marginals_are_those_where_training_ends(corpus: Any) -> None:
    after = build(corpus, "per-class", others="relabel")
    built = build(corpus, "per-class", others="relabel", start=0.9)
    assert isinstance(built, Deferred)
    np.testing.assert_array_equal(built.marginals(), after.marginals())
    np.testing.assert_array_equal(built.label_marginals(), after.label_marginals())
    np.testing.assert_array_equal(built.effective_prior(), after.effective_prior())


def test_without_a_start_there_is_nothing_to_defer(corpus: Any) -> None:
    assert not isinstance(build(corpus, "balanced", start=0.0), Deferred)


@pytest.mark.parametrize("start", [-0.1, 1.0, math.nan])
def test_a_start_outside_of_training_is_refused(corpus: Any, start: float) -> None:
    plain = build(corpus, "length-bucketed")
    with pytest.raises(ValueError, match="0 <= start < 1, not"):
        Deferred(plain, plain, start=start)


def test_samplers_of_different_budgets_are_refused(corpus: Any) -> None:
    plain = build(corpus, "length-bucketed")
    other = sampler("balanced", windows=corpus.windows, budget=Budget(tokens=300, seed=3, epochs=4))
    with pytest.raises(ValueError, match="the same windows and the same budget"):
        Deferred(plain, other, start=0.5)


def test_deferring_twice_is_refused(corpus: Any) -> None:
    plain, deferred = build(corpus, "length-bucketed"), build(corpus, "balanced", start=0.5)
    with pytest.raises(ValueError, match="once, not twice"):
        Deferred(plain, deferred, start=0.5)
