"""Conformal risk control: the threshold by search over all, and the promise kept over many splits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raretag.decision.conformal import by_unit, control, units_needed

VALUES = st.lists(st.lists(st.sampled_from([0.0, 0.1, 0.2, 0.5, 0.9, np.inf]), min_size=1, max_size=4), max_size=40)


@given(units=VALUES, alpha=st.sampled_from([0.05, 0.1, 0.3, 0.6]))
@settings(max_examples=200, deadline=None)
def test_the_largest_threshold_that_keeps_the_bound(units: list[list[float]], alpha: float) -> None:
    found = control([np.array(unit) for unit in units], alpha=alpha)

    def bound(threshold: float) -> float:
        return float(sum(np.mean(np.array(unit) < threshold) for unit in units) + 1) / (len(units) + 1)

    kept = [t for t in (0.0, 0.1, 0.2, 0.5, 0.9, np.inf) if bound(t) <= alpha + 1e-9]
    if not kept:
        # a review of whole notes misses nothing: there are too few units
        assert len(units) < units_needed(alpha)
        assert found.threshold is None
        assert found.bound == pytest.approx(1 / (len(units) + 1))
    else:
        # between values nothing changes: the next value at or above stands for the same decision
        present = {value for unit in units for value in unit} | {0.0, np.inf}
        assert found.threshold == min(v for v in present if v >= max(kept))
        assert found.threshold is not None
        assert found.bound == pytest.approx(bound(found.threshold))
        assert found.bound <= alpha + 1e-9


def test_the_last_level_is_the_whole_note() -> None:
    unreached = [np.array([0.0, 0.4])] * 9
    assert control(unreached, alpha=0.1).threshold == 0
    assert control(unreached, alpha=0.1).bound == pytest.approx(0.1)
    # half of each unit may be missed, and one unit in ten
    assert control(unreached, alpha=0.55).threshold == pytest.approx(0.4)


@pytest.mark.parametrize(("alpha", "needed"), [(0.05, 19), (1 - 0.95, 19), (0.1, 9), (0.5, 1), (0.03, 33), (0.9, 1)])
def test_how_many_documents_are_needed(alpha: float, needed: int) -> None:
    assert units_needed(alpha) == needed
    assert control([np.array([np.inf])] * needed, alpha=alpha).threshold == np.inf
    if needed > 1:
        assert control([np.array([np.inf])] * (needed - 1), alpha=alpha).threshold is None


@pytest.mark.parametrize("alpha", [0.05, 0.2])
def test_the_expected_loss_over_500_splits_is_at_most_alpha(alpha: float) -> None:
    losses = []
    for seed in range(500):
        rng = np.random.default_rng(seed)
        # documents differ in how hard they are: mentions of one are not independent
        hard = rng.beta(2, 2, size=41)
        units = [rng.beta(1, 1 + 3 * h, size=rng.integers(1, 5)) for h in hard]
        outcome = control(units[:-1], alpha=alpha)
        assert outcome.threshold is not None
        losses.append(float(np.mean(units[-1] < outcome.threshold)))
    error = np.std(losses) / np.sqrt(len(losses))
    assert np.mean(losses) <= alpha + 2.6 * error
    # it is no empty promise: not far below alpha, either
    assert np.mean(losses) >= alpha - 1 / 41 - 2.6 * error - 0.01


def test_documents_of_a_patient_are_one_unit() -> None:
    units = {"a": ("group", "p"), "b": ("group", "p"), "c": ("document", "c"), "d": ("document", "d")}
    found = {"a": np.array([0.1]), "b": np.array([0.2, 0.3]), "c": np.array([0.4]), "d": np.zeros(0)}
    assert [part.tolist() for part in by_unit(found, units)] == [[0.1, 0.2, 0.3], [0.4]]


def test_misuse() -> None:
    for alpha in (0.0, 1.0, -1.0, float("nan")):
        with pytest.raises(ValueError, match="alpha"):
            control([np.array([1.0])], alpha=alpha)
    with pytest.raises(ValueError, match="without a gold mention"):
        control([np.zeros(0)], alpha=0.5)
