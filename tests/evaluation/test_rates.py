import numpy as np
import pytest

from raretag.evaluation.rates import macro_rates, micro_rates, rates, with_lost_labels

NAN = float("nan")


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ((4, 2, 1), (0.5, 0.25, 1 / 3)),
        ((3, 0, 0), (NAN, 0.0, 0.0)),
        ((0, 3, 0), (0.0, NAN, 0.0)),
        ((0, 0, 0), (NAN, NAN, NAN)),
    ],
)
def test_zero_of_zero_is_undefined(counts: tuple[int, ...], expected: tuple[float, ...]) -> None:
    np.testing.assert_allclose(rates(np.array(counts, float)), expected)


def test_micro_pools_and_macro_averages_labels_with_gold() -> None:
    counts = np.array([[4, 2, 1], [3, 0, 0], [0, 5, 0]], float)
    np.testing.assert_allclose(micro_rates(counts), [1 / 7, 1 / 7, 2 / 14])
    # precision only of the first label, the others were not predicted or have no gold
    np.testing.assert_allclose(macro_rates(counts), [0.5, 0.125, 1 / 6])
    np.testing.assert_allclose(macro_rates(np.stack([counts, counts])), [[0.5, 0.125, 1 / 6]] * 2)


def test_macro_of_no_label_is_undefined() -> None:
    assert np.isnan(macro_rates(np.zeros((2, 3)))).all()
    assert np.isnan(macro_rates(np.zeros((0, 3)))).all()


def test_a_label_that_a_resample_lost_has_its_counts_of_all_documents() -> None:
    whole = np.array([[4, 2, 1], [1, 0, 0]], float)
    drawn = np.array([[[8, 4, 2], [0, 0, 0]], [[0, 1, 0], [2, 0, 0]]], float)
    np.testing.assert_array_equal(with_lost_labels(drawn, whole), [[[8, 4, 2], [1, 0, 0]], [[4, 2, 1], [2, 0, 0]]])
