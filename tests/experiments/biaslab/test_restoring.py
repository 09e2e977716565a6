"""The way back to the empirical prior: a shift of logits, or for relabelled batches a division."""

from __future__ import annotations

import numpy as np
import pytest

from raretag.experiments.biaslab.mechanisms import PRESETS, Mechanism, named
from raretag.experiments.biaslab.models import CachedTokens
from raretag.experiments.biaslab.restoring import Restoring
from raretag.experiments.biaslab.text import Text

from .conftest import make_subject

NATURAL = (0.6, 0.25, 0.1, 0.04, 0.01)


def restoring_of(text: Text, blank: CachedTokens, mechanism: str, **content: object) -> Restoring:
    subject = make_subject(text, blank, mechanism=mechanism, marginals=NATURAL, **content)  # type: ignore[arg-type]
    return Restoring.of(subject.learner)


def empirical_of(restoring: Restoring) -> np.ndarray:
    counts = np.asarray(restoring.schema.tag_counts, dtype=np.float64)
    return np.asarray(counts / counts.sum())


@pytest.mark.parametrize("mechanism", PRESETS)
def test_where_text_explains_nothing_the_effective_prior_becomes_the_empirical_one(
    mechanism: str, text: Text, blank: CachedTokens
) -> None:
    found = restoring_of(text, blank, mechanism)
    tokens = np.tile(found.effective, (3, 1)).astype(np.float32)
    for restored in (found.restored(tokens), found.shifted(tokens)):
        assert restored.dtype == np.float32
        # division knows the share of batches, not how many of its label each came to hold
        assert restored == pytest.approx(np.tile(found.empirical, (3, 1)), abs=1e-5 if found.batches is None else 5e-3)
    assert found.empirical == pytest.approx(empirical_of(found))


@pytest.mark.parametrize("mechanism", ["all-classes", "cross-entropy"])
def test_plain_training_has_nothing_to_restore(mechanism: str, text: Text, blank: CachedTokens) -> None:
    found = restoring_of(text, blank, mechanism)
    # up to batches that are not all of one size
    assert found.effective == pytest.approx(found.empirical, abs=1e-3)
    rows = np.random.default_rng(0).dirichlet(np.ones(5), size=20).astype(np.float32)
    assert found.restored(rows) == pytest.approx(rows, abs=0.01)


def test_shares_of_a_mixture_lie_between_model_and_votes(text: Text, blank: CachedTokens) -> None:
    found = restoring_of(text, blank, "btl-mask-mean")
    assert found.effective_shares(votes=0.0) == pytest.approx(found.effective)
    assert found.effective_shares(votes=1.0) == pytest.approx(found.empirical)
    assert found.effective_shares(votes=0.3) == pytest.approx(0.3 * found.empirical + 0.7 * found.effective)


def test_begin_and_inside_are_one_label_and_outside_is_the_rest(text: Text, blank: CachedTokens) -> None:
    marginals = (0.5, 0.3, 0.2)
    for name in ("all-classes", "per-label"):
        subject = make_subject(text, blank, mechanism=name, design="mention", scheme="BIO", marginals=marginals)
        drawn = subject.drawn["training"].outcomes
        shares = Restoring.of(subject.learner).effective_shares(votes=0.0)
        assert shares == pytest.approx(np.bincount(drawn[drawn >= 0]) / (drawn >= 0).sum(), abs=2e-3)


def test_only_plain_relabelled_batches_of_windows_as_they_come_are_divided(
    small_text: Text, seen: CachedTokens
) -> None:
    def batches(mechanism: str | Mechanism) -> np.ndarray | None:
        subject = make_subject(small_text, seen, mechanism=mechanism, marginals=(0.6, 0.2, 0.2))
        return Restoring.of(subject.learner).batches

    assert batches("btl-relabel") == pytest.approx([0.5, 0.5])
    for name in PRESETS:
        if name != "btl-relabel":
            assert batches(name) is None
    relabelled = {"name": "per-class", "others": "relabel", "order": "uniform"}
    assert batches(Mechanism.model_validate({"sampler": relabelled | {"without": None}})) == pytest.approx([0.5, 0.5])
    # windows chosen by what they hold, labels kept apart, and a loss that is more than cross-entropy
    for content in (
        {"sampler": relabelled | {"without": 0.25}},
        {"sampler": relabelled | {"without": None}, "head": {"name": "per-label"}},
        {"sampler": relabelled | {"without": None}, "objective": {"name": "focal"}},
        {"sampler": relabelled | {"without": None}, "regularisers": {"prior-kl": {}}},
    ):
        assert batches(Mechanism.model_validate(content)) is None


def test_what_relabelling_learns_of_known_labels_is_undone_by_division_and_not_by_a_shift(
    text: Text, blank: CachedTokens
) -> None:
    """Word types that tell their label: a fourth of the batches is about it, in the others the token is O."""
    found = restoring_of(text, blank, "btl-relabel")
    truth = np.random.default_rng(1).dirichlet(np.full(5, 0.2), size=500)
    truth[:5] = np.eye(5)
    learned = truth / 4
    learned[:, 0] = 1 - learned[:, 1:].sum(axis=1)
    rows = learned.astype(np.float32)
    # float32 loses some of what is left for O
    assert found.restored(rows) == pytest.approx(truth, abs=1e-6)
    shifted = found.shifted(rows)
    assert np.abs(shifted - truth).max() > 0.2
    # labels in all of a text: the division has their shares right, the shift has not
    assert found.restored(rows).mean(axis=0) == pytest.approx(truth.mean(axis=0), abs=1e-6)
    assert np.abs(shifted.mean(axis=0) - truth.mean(axis=0)).sum() / 2 > 0.05


def test_a_shift_undoes_masked_batches_of_known_labels(text: Text, blank: CachedTokens) -> None:
    """Of a batch about k the labels O and k are left, a mean over π_O + π_k of its tokens: each label is scaled."""
    found = restoring_of(text, blank, "btl-mask")
    left = 0.25 / (NATURAL[0] + np.array(NATURAL[1:]))
    truth = np.random.default_rng(2).dirichlet(np.full(5, 0.5), size=200)
    learned = truth * np.array([left.sum(), *left])
    learned /= learned.sum(axis=1, keepdims=True)
    assert np.abs(learned - truth).max() > 0.3
    # the shares in each batch are drawn ones
    assert found.restored(learned.astype(np.float32)) == pytest.approx(truth, abs=0.05)


def test_methods_by_name_are_restored_too(text: Text, blank: CachedTokens) -> None:
    """Balanced batches and the whole log prior each move it, and both together."""
    for name in ("balanced-softmax", "balanced", "inverse-sqrt+repeat-factor"):
        assert list(named(name)) == [name]
        found = restoring_of(text, blank, name)
        assert np.abs(found.effective - found.empirical).max() > 0.001
        row = found.effective.astype(np.float32)[None]
        assert found.restored(row)[0] == pytest.approx(found.empirical, abs=1e-6)
