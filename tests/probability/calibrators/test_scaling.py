"""Known distortions, and whether the methods made for them find them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from raretag.probability.calibrators import calibrator
from raretag.probability.calibrators.base import from_tags
from raretag.tagging import IGNORE

Make = Callable[..., Any]
KINDS = ("BIO", "IO", "layered")


def softmax(z: Any) -> Any:
    odds = np.exp(z - z.max(axis=-1, keepdims=True))
    return odds / odds.sum(axis=-1, keepdims=True)


def undone(z: Any, scales: Any, biases: Any) -> Any:
    """Probabilities that softmax(scales * log p + biases) turns into softmax(z), where scales are all alike."""
    return softmax((z - biases) / scales)


@pytest.mark.parametrize("kind", KINDS)
def test_a_temperature_is_found(world: Make, kind: str) -> None:
    one = world(kind, tokens=8000)
    p = undone(np.log(one.truth), 0.5, 0.0)
    fitted: Any = calibrator("temperature").fit(one.evidence(p), context=one.context)
    assert fitted.temperature == pytest.approx(2.0, rel=0.06)
    assert fitted.scales is None
    assert fitted.biases is None
    assert np.abs(one.apply(fitted, p) - one.truth).max() < 0.02
    assert (one.apply(fitted, p).argmax(axis=-1) == p.argmax(axis=-1)).all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["bias-corrected-temperature", "vector", "dirichlet-diagonal"])
def test_a_temperature_and_biases_are_found(world: Make, kind: str, name: str) -> None:
    one = world(kind, tokens=20_000)
    biases = np.random.default_rng(1).normal(size=one.schema.shape) * 0.7
    biases -= biases.mean(axis=-1, keepdims=True)
    p = undone(np.log(one.truth), 0.6, biases)
    fitted: Any = calibrator(name).fit(one.evidence(p), context=one.context)
    assert np.abs(one.apply(fitted, p) - one.truth).mean() < 0.01
    if name == "bias-corrected-temperature":
        assert fitted.temperature == pytest.approx(1 / 0.6, rel=0.05)
        found = from_tags(fitted.biases, schema=one.schema)
        np.testing.assert_allclose(found - found.mean(axis=-1, keepdims=True), biases, atol=0.25)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["vector", "dirichlet-diagonal"])
def test_a_scale_for_each_tag_is_found(world: Make, kind: str, name: str) -> None:
    """Truth is what the map makes of other probabilities, and no common temperature explains it."""
    one = world(kind, tokens=20_000)
    scales = np.random.default_rng(2).uniform(0.5, 1.8, one.schema.shape)
    p = one.truth
    z = np.log(p) - (np.log(p).mean(axis=-1, keepdims=True) if name == "vector" else 0)
    truth = softmax(z * scales)
    rng = np.random.default_rng(3)
    tags = (rng.random((*truth.shape[:-1], 1)) > truth.cumsum(axis=-1)).sum(axis=-1).clip(max=truth.shape[-1] - 1)
    errors = {}
    for method in (name, "temperature"):
        fitted = calibrator(method).fit(one.evidence(p, tags=tags), context=one.context)
        errors[method] = float(np.abs(one.apply(fitted, p) - truth).mean())
    assert errors[name] < 0.01
    assert errors["temperature"] > 2 * errors[name]


@pytest.mark.parametrize("kind", KINDS)
def test_without_a_pull_sums_of_probabilities_are_counts(world: Make, kind: str) -> None:
    """Σ_t p_tk = n_k at the maximum of the likelihood (METHODS 0.3); with the pull, nearly so."""
    one = world(kind)
    p = undone(np.log(one.truth), 0.6, np.linspace(-1, 1, one.schema.shape[-1]))
    judged = one.tags != IGNORE
    tags = np.arange(one.schema.shape[-1])
    counts = ((one.tags[..., None] == tags) & judged[..., None]).sum(axis=0)
    assert counts.min() > 0
    for ridge, tolerance in ((0.0, 0.05), (1.0, 3.0)):
        fitted = calibrator("bias-corrected-temperature", {"ridge": ridge}).fit(one.evidence(p), context=one.context)
        summed = (one.apply(fitted, p).astype(np.float64) * judged[..., None]).sum(axis=0)
        np.testing.assert_allclose(summed, counts, atol=tolerance)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["bias-corrected-temperature", "vector", "dirichlet-diagonal"])
def test_a_tag_that_gold_lacks_keeps_its_bias(world: Make, kind: str, name: str) -> None:
    one = world(kind)
    lacking = np.where(one.tags == 1, 0, one.tags)
    for ridge in (0.0, 1.0):
        fitted: Any = calibrator(name, {"ridge": ridge}).fit(one.evidence(tags=lacking), context=one.context)
        assert (from_tags(fitted.biases, schema=one.schema)[..., 1] == 0).all()
        assert (from_tags(fitted.biases, schema=one.schema)[..., 0] != 0).all()
        if fitted.scales is not None:
            assert (from_tags(fitted.scales, schema=one.schema)[..., 1] == 1).all()


def test_few_tokens_move_a_bias_little_and_follow_their_label(world: Make) -> None:
    one = world("BIO", tokens=8000)
    shift = np.array([0.0, 1.5, 1.5, 0, 0, 0, 0])
    p = undone(np.log(one.truth), 1.0, shift)
    # of label Often all B but two are hidden: I alone tells that the label is too rare
    first = np.flatnonzero(one.tags == 1)[2:]
    tags = one.tags.copy()
    tags[first] = IGNORE
    free: Any = calibrator("bias-corrected-temperature", {"ridge": 0.0}).fit(
        one.evidence(p, tags=tags), context=one.context
    )
    held: Any = calibrator("bias-corrected-temperature").fit(one.evidence(p, tags=tags), context=one.context)
    assert held.biases["I-Often"] == pytest.approx(
        free.biases["I-Often"] - free.biases["O"] + held.biases["O"], abs=0.3
    )
    assert abs(held.biases["B-Often"]) < abs(free.biases["B-Often"])


@pytest.mark.parametrize("kind", KINDS)
def test_each_frequency_group_has_its_own_temperature(world: Make, kind: str) -> None:
    one = world(kind, tokens=20_000)
    likeliest = one.truth.argmax(axis=-1)
    of_label = np.array([1, 2, 3])
    if kind == "layered":
        groups = np.where(likeliest == 0, 0, of_label)
    else:
        groups = np.concatenate([[0], np.repeat(of_label, one.schema.tags_of_a_label - 1)])[likeliest]
    true = np.array([1.5, 0.8, 2.0, 1.2])
    p = softmax(np.log(one.truth) / (1 / true[groups])[..., None])
    fitted: Any = calibrator("frequency-groups").fit(one.evidence(p), context=one.context)
    found = [fitted.temperatures[name] for name in ("O", "head", "medium", "tail")]
    np.testing.assert_allclose(found, true, rtol=0.2)
    assert np.abs(one.apply(fitted, p) - one.truth).mean() < 0.01


def test_a_group_without_tokens_takes_the_common_temperature(world: Make) -> None:
    one = world("IO", tokens=4000)
    p = softmax(np.log(one.truth) * 1.6)
    p[:, 3] *= 1e-6
    p /= p.sum(axis=1, keepdims=True)
    evidence = one.evidence(p, tags=np.where(one.tags == 3, IGNORE, one.tags))
    common: Any = calibrator("temperature").fit(evidence, context=one.context)
    fitted: Any = calibrator("frequency-groups").fit(evidence, context=one.context)
    assert fitted.temperatures["tail"] == pytest.approx(common.temperature, rel=1e-3)
    stiff: Any = calibrator("frequency-groups", {"ridge": 1e9}).fit(evidence, context=one.context)
    assert list(stiff.temperatures.values()) == pytest.approx([common.temperature] * 4, rel=1e-2)
