from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kstest, permutation_test

from raretag.evaluation.significance import holm, macro_f1, micro_f1, paired_p_value, total


def system(gold: npt.NDArray[np.int64], *, recall: float, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    correct = rng.binomial(gold, recall)
    return np.stack([gold, correct + rng.binomial(2, 0.3, gold.shape), correct], axis=-1)


def test_all_swaps_of_few_documents_give_the_p_value_of_scipy() -> None:
    rng = np.random.default_rng(0)
    for _ in range(5):
        one, other = rng.integers(0, 6, 9), rng.integers(0, 9, 9)
        expected = permutation_test(
            (one, other), lambda x, y: abs(x.sum() - y.sum()), permutation_type="samples", alternative="greater"
        ).pvalue
        assert paired_p_value(one, other, groups=[*range(9)], figure=total) == pytest.approx(expected)


@pytest.mark.parametrize("figure", [micro_f1, macro_f1])
@pytest.mark.parametrize("groups", [list("abcdefgh"), list("abcaabde")])
def test_all_swaps_of_few_patients_by_plain_loops(figure: Any, groups: list[str]) -> None:
    rng = np.random.default_rng(1)
    gold = rng.integers(1, 6, (8, 3))
    one, other = (system(gold, recall=recall, rng=rng) for recall in (0.7, 0.55))

    def apart(swapped: npt.NDArray[np.bool_]) -> float:
        sides = (np.where(swapped[:, None, None], a, b).sum(axis=0) * 1.0 for a, b in ((other, one), (one, other)))
        return float(abs(np.subtract(*(figure(side) for side in sides))))

    units = sorted({*groups})
    choices = [chosen for size in range(len(units) + 1) for chosen in combinations(units, size)]
    found = np.array([apart(np.isin(groups, chosen)) for chosen in choices])
    expected = float(np.mean(found >= apart(np.zeros(8, dtype=np.bool_)) - 1e-9))
    assert paired_p_value(one, other, groups=groups, figure=figure) == expected
    # drawn at random instead: near it, with 1 added above and below
    drawn = paired_p_value(one, other, groups=groups, figure=figure, permutations=2 ** len(units) - 1, seed=3)
    assert drawn is not None
    assert drawn * 2 ** len(units) == round(drawn * 2 ** len(units))
    assert 0 < expected < 1


def test_random_swaps_come_near_the_exact_p_value() -> None:
    rng = np.random.default_rng(2)
    gold = rng.integers(1, 6, (12, 3))
    one, other = (system(gold, recall=recall, rng=rng) for recall in (0.68, 0.55))
    exact = paired_p_value(one, other, groups=[*range(12)], figure=micro_f1, permutations=4096)
    drawn = paired_p_value(one, other, groups=[*range(12)], figure=micro_f1, permutations=4095, seed=1)
    assert exact is not None
    assert drawn is not None
    assert drawn == pytest.approx(exact, abs=0.025)
    assert drawn != exact


def test_p_is_uniform_where_systems_are_alike_and_small_where_one_is_better() -> None:
    rng = np.random.default_rng(3)
    ps = []
    for seed in range(200):
        gold = rng.integers(1, 6, (40, 3))
        one, other = (system(gold, recall=0.6, rng=rng) for _ in range(2))
        ps.append(paired_p_value(one, other, groups=[*range(40)], figure=micro_f1, permutations=199, seed=seed))
    assert kstest([p for p in ps if p is not None], "uniform").pvalue > 0.01
    gold = rng.integers(1, 6, (40, 3))
    worse, better = (system(gold, recall=recall, rng=rng) for recall in (0.5, 0.75))
    p = paired_p_value(worse, better, groups=[*range(40)], figure=macro_f1, permutations=1999)
    assert p == 1 / 2000
    assert paired_p_value(better, worse, groups=[*range(40)], figure=macro_f1, permutations=1999) == p


def test_the_same_system_twice_differs_by_nothing() -> None:
    one = system(np.full((30, 3), 2), recall=0.6, rng=np.random.default_rng(4))
    assert paired_p_value(one, one, groups=[*range(30)], figure=macro_f1, permutations=99) == 1


def test_one_patient_alone_can_show_nothing() -> None:
    one, other = np.array([1.0, 2.0]), np.array([7.0, 9.0])
    assert paired_p_value(one, other, groups=["p", "p"], figure=total) == 1
    assert paired_p_value(one, other, groups=["p", "q"], figure=total) == 0.5


def test_undefined_figures_have_no_p_value_and_undefined_swaps_count_against() -> None:
    none = np.zeros((3, 2, 3), dtype=np.int64)
    assert paired_p_value(none, none, groups=[*range(3)], figure=macro_f1) is None

    def only_small(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.where(values < 6, values, np.nan)

    # by swaps of 3 and 0: (0, 5), (3, 2), (2, 3), (5, 0); then one of them undefined on one side
    assert paired_p_value(np.array([0, 0]), np.array([3, 2]), groups=[0, 1], figure=only_small) == 0.5
    assert paired_p_value(np.array([3, 0]), np.array([0, 4]), groups=[0, 1], figure=only_small) == 1


@pytest.mark.parametrize("change", [{"groups": [0]}, {"permutations": 0}, {"seed": -1}, {"other": np.zeros(3)}])
def test_what_does_not_fit_is_refused(change: dict[str, Any]) -> None:
    given_all: dict[str, Any] = {"other": np.ones(2), "groups": [0, 1], "figure": total} | change
    with pytest.raises(ValueError, match="documents"):
        paired_p_value(np.zeros(2), given_all.pop("other"), **given_all)


def test_holm_by_hand() -> None:
    assert holm([0.04, 0.01, 0.03]) == pytest.approx((0.06, 0.03, 0.06))
    assert holm([0.6, 0.7]) == (1, 1)
    assert holm([]) == ()
    with pytest.raises(ValueError, match="p-values"):
        holm([0.5, 1.2])
    with pytest.raises(ValueError, match="p-values"):
        holm([float("nan")])


@settings(deadline=None)
@given(st.lists(st.one_of(st.floats(0, 1), st.sampled_from([0.01, 0.05])), min_size=1, max_size=6))
def test_holm_is_the_closure_of_bonferroni(p: list[float]) -> None:
    # a hypothesis falls where every set of hypotheses that holds it falls by Bonferroni
    sets = [chosen for size in range(1, len(p) + 1) for chosen in combinations(range(len(p)), size)]
    expected = [
        max(min(1.0, len(chosen) * min(p[i] for i in chosen)) for chosen in sets if number in chosen)
        for number in range(len(p))
    ]
    assert holm(p) == pytest.approx(expected)
