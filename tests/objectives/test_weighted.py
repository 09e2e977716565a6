"""Power weights, and the loss and the optimum that they give."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from raretag.objectives import IGNORE_INDEX, CrossEntropy, Weighted, power_weights

COUNTS = [100, 25, 15, 4, 0, 1]
GROUPS = [0, 1, 1, 2, 2, 3]
ANY_COUNTS = st.lists(st.integers(0, 10**7), min_size=1, max_size=20).filter(any)


def numpy_losses(logits: npt.NDArray[np.float64], targets: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """−log softmax(z)_y for each token, in float64."""
    highest = logits.max(axis=1, keepdims=True)
    logsum = np.log(np.exp(logits - highest).sum(axis=1)) + highest[:, 0]
    return np.asarray(logsum - logits[np.arange(len(targets)), targets])


def test_values_agree_with_numpy() -> None:
    rng = np.random.default_rng(0)
    logits = 4 * rng.standard_normal((50, 6))
    targets = rng.choice([0, 1, 2, 3, 5, IGNORE_INDEX], 50)
    kept = targets != IGNORE_INDEX
    losses = numpy_losses(logits[kept], targets[kept])
    given_tensors = torch.from_numpy(logits), torch.from_numpy(targets)
    assert CrossEntropy(COUNTS).loss(*given_tensors).item() == pytest.approx(losses.mean(), rel=1e-12)
    weighted = Weighted(COUNTS, groups=GROUPS, gamma=0.5, cap=10)
    # by hand: the groups hold 100, 40, 4 and 1 tokens; the last ratio is 10, just at the cap
    ratios = np.array([1, 2.5**0.5, 2.5**0.5, 5, 0, 10])
    weights = ratios * 145 / (100 + 40 * 2.5**0.5 + 4 * 5 + 1 * 10)
    np.testing.assert_allclose(weighted.weights, weights)
    expected = (weights[targets[kept]] * losses).sum() / kept.sum()
    assert weighted.loss(*given_tensors).item() == pytest.approx(expected, rel=1e-12)


@given(seed=st.integers(0, 99))
@settings(deadline=None, derandomize=True, max_examples=20)
def test_gamma_zero_is_plain_cross_entropy(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(30, 6, generator=generator, dtype=torch.float64, requires_grad=True)
    targets = torch.tensor([0, 1, 2, 3, 5, IGNORE_INDEX])[torch.randint(0, 6, (30,), generator=generator)]
    plain, weighted = CrossEntropy(COUNTS), Weighted(COUNTS, groups=GROUPS, gamma=0)
    losses = [one.loss(logits, targets) for one in (plain, weighted)]
    torch.testing.assert_close(losses[0], losses[1])
    slopes = [torch.autograd.grad(loss, logits)[0] for loss in losses]
    torch.testing.assert_close(slopes[0], slopes[1])
    np.testing.assert_allclose(plain.effective_prior(), weighted.effective_prior())


@given(counts=ANY_COUNTS, gamma=st.floats(0, 2), cap=st.floats(1, 1000), data=st.data())
@settings(deadline=None, derandomize=True)
def test_what_weights_hold(counts: list[int], gamma: float, cap: float, data: st.DataObject) -> None:
    groups = data.draw(st.none() | st.lists(st.integers(0, 3), min_size=len(counts), max_size=len(counts)))
    weights = power_weights(counts, groups=groups, gamma=gamma, cap=cap)
    n = np.array(counts, dtype=np.float64)
    seen = n > 0
    assert weights.dtype == np.float64
    assert (weights[~seen] == 0).all()
    assert (weights[seen] > 0).all()
    # the mean weight of a training token is 1, so that learning rates stay comparable
    assert (n * weights).sum() / n.sum() == pytest.approx(1)
    assert weights[seen].max() / weights[seen].min() <= cap * (1 + 1e-9)
    totals = n if groups is None else np.array([n[np.array(groups) == group].sum() for group in groups])
    rarest_first = np.argsort(totals[seen])
    assert (np.diff(weights[seen][rarest_first]) <= 1e-12 * weights.max()).all()
    for a in np.flatnonzero(seen):
        assert weights[seen & (totals == totals[a])] == pytest.approx(weights[a])


def test_gamma_one_gives_every_label_the_same_mass() -> None:
    weights = power_weights([1000, 30, 10, 1], groups=[0, 1, 1, 2], gamma=1, cap=1e9)
    mass = weights * np.array([1000, 30, 10, 1])
    np.testing.assert_allclose([mass[0], mass[1] + mass[2], mass[3]], 1041 / 3)


def test_the_cap_bounds_the_ratio() -> None:
    weights = power_weights([10_000, 100, 1], gamma=1, cap=20)
    np.testing.assert_allclose(weights / weights[0], [1, 20, 20])
    np.testing.assert_allclose(power_weights([10_000, 100, 1], cap=1), 1)


def test_a_begin_tag_and_its_inside_tag_share_a_weight() -> None:
    tied = power_weights([100, 4, 16], groups=[0, 1, 1])
    assert tied[1] == tied[2]
    alone = power_weights([100, 4, 16])
    assert alone[1] > alone[2] > alone[0]


def test_the_optimum_under_random_labels_has_weighted_marginals() -> None:
    """Σ_t w_{y_t} p_k = w_k n_k for every tag k, at the prior that the objective names."""
    weighted = Weighted(COUNTS, groups=GROUPS, gamma=1)
    n = np.array(COUNTS, dtype=np.float64)
    prior = weighted.effective_prior()
    np.testing.assert_allclose((weighted.weights * n).sum() * prior, weighted.weights * n)
    with np.errstate(divide="ignore"):
        logits = torch.from_numpy(np.maximum(np.log(prior), -1e4)).requires_grad_()
    targets = torch.repeat_interleave(torch.arange(6), torch.tensor(COUNTS))
    (slope,) = torch.autograd.grad(weighted.loss(logits.expand(len(targets), 6), targets), logits)
    np.testing.assert_allclose(slope.numpy(), 0, atol=1e-15)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"gamma": -0.1}, "gamma"),
        ({"cap": 0.9}, "cap"),
        ({"groups": [0]}, "one entry a tag"),
        ({"groups": [0, 1, 2]}, "one entry a tag"),
    ],
)
def test_weights_out_of_range_are_refused(arguments: dict[str, float], message: str) -> None:
    for build in (power_weights, Weighted):
        with pytest.raises(ValueError, match=message):
            build([3, 1], **arguments)
    with pytest.raises(ValueError, match="above 0"):
        power_weights([0, 0])
