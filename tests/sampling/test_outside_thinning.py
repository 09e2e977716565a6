"""Some `O` tokens are left out, anew in each epoch; labels never are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from raretag.sampling import Budget, Draw, sampler

BUDGET = Budget(tokens=256, seed=3)


@pytest.mark.parametrize("keep", [0.1, 0.5, 0.9])
def test_the_share_that_is_kept(keep: float, corpus: Any) -> None:
    built = sampler("outside-thinning", windows=corpus.windows, budget=BUDGET, keep=keep)
    found = np.concatenate([built.targets(tags, Draw(n, visit=2)) for n, tags in enumerate(corpus.tags)])
    tags = np.concatenate(corpus.tags)
    np.testing.assert_array_equal(found[tags != 0], tags[tags != 0])
    assert (found[tags == 0] == 0).mean() == pytest.approx(keep, abs=0.03)


def test_visits_windows_and_seeds_differ(corpus: Any) -> None:
    built = sampler("outside-thinning", windows=corpus.windows, budget=BUDGET)
    other = sampler("outside-thinning", windows=corpus.windows, budget=Budget(tokens=256, seed=4))
    tags = np.zeros(40, dtype=np.int64)
    found = [
        built.targets(tags, Draw(5, visit=0)).tolist(),
        built.targets(tags, Draw(5, visit=1)).tolist(),
        built.targets(tags, Draw(6, visit=0)).tolist(),
        other.targets(tags, Draw(5, visit=0)).tolist(),
    ]
    assert len({tuple(one) for one in found}) == 4


def test_every_visit_to_a_window_has_a_number_of_its_own(corpus: Any) -> None:
    built = sampler("outside-thinning", windows=corpus.windows, budget=BUDGET)
    drawn = [(int(one), Draw.of(one).visit) for e in range(3) for batch in built.epoch_batches(e) for one in batch]
    assert len(set(drawn)) == len(drawn)


def test_by_label_a_token_is_left_out_of_all_or_of_none(corpus: Any) -> None:
    built = sampler("outside-thinning", windows=corpus.windows, budget=BUDGET, keep=0.3)
    for number, (tags, columns) in enumerate(zip(corpus.tags, corpus.by_label, strict=True)):
        found = built.targets(columns, Draw(number, visit=1))
        ignored = found == -100
        assert (ignored.all(axis=1) == ignored.any(axis=1)).all()
        # the same tokens as where labels share their tags
        np.testing.assert_array_equal(ignored.all(axis=1), built.targets(tags, Draw(number, visit=1)) == -100)


def test_the_prior_of_outside_falls_by_the_share_and_labels_keep_theirs(corpus: Any) -> None:
    plain = sampler("length-bucketed", windows=corpus.windows, budget=BUDGET).effective_prior()
    thinned = sampler("outside-thinning", windows=corpus.windows, budget=BUDGET, keep=0.25).effective_prior()
    expected = np.where(np.arange(len(plain)) == 0, 0.25, 1.0) * plain
    np.testing.assert_allclose(thinned, expected / expected.sum(), rtol=0.05, atol=1e-4)
