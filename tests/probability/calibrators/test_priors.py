"""Priors that moved, in training, in another place, or by a method's wish: found, put back, or matched."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from raretag.errors import DataError
from raretag.probability import restore_prior
from raretag.probability.calibrators import Context, calibrator
from raretag.probability.calibrators.base import from_tags
from raretag.tagging import IGNORE

Make = Callable[..., Any]
KINDS = ("BIO", "IO", "layered")


def normalised(odds: Any) -> Any:
    return odds / odds.sum(axis=-1, keepdims=True)


@pytest.mark.parametrize("kind", KINDS)
def test_the_prior_is_restored(world: Make, kind: str) -> None:
    one = world(kind)
    context = one.context
    p = normalised(one.truth * context.effective / context.empirical)
    fitted = calibrator("prior-restore").fit(one.evidence(p), context=context)
    np.testing.assert_allclose(one.apply(fitted, p), one.truth, atol=1e-5)
    same = restore_prior(p.astype(np.float32), effective=context.effective, empirical=context.empirical)
    np.testing.assert_allclose(one.apply(fitted, p), same, atol=1e-6)


@pytest.mark.parametrize(("name", "options"), [("weighted", {}), ("btl", {})])
def test_what_an_objective_taught_under_random_labels_is_taken_back(
    world: Make, name: str, options: dict[str, Any]
) -> None:
    """The optimum of a model that sees no text is the objective's effective prior; restored, it is the data's."""
    from raretag.objectives import objective

    one = world("BIO")
    counts = np.array([900, 300, 100, 50, 20, 8, 0])
    taught = objective(name, counts=counts, groups=one.schema.groups, **options).effective_prior()
    context = Context(empirical=counts / counts.sum(), effective=taught)
    constant = np.broadcast_to(taught, one.truth.shape)
    assert np.abs(taught - context.empirical).max() > 0.05
    fitted = calibrator("prior-restore").fit(one.evidence(constant), context=context)
    np.testing.assert_allclose(
        one.apply(fitted, constant), np.broadcast_to(context.empirical, constant.shape), atol=1e-6
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("tau", [-0.4, 0.0, 0.7])
def test_the_strength_of_an_adjustment_is_found(world: Make, kind: str, tau: float) -> None:
    one = world(kind, tokens=8000)
    p = normalised(one.truth * one.context.empirical**tau)
    fitted: Any = calibrator("logit-adjustment").fit(one.evidence(p), context=one.context)
    assert fitted.strength == pytest.approx(tau, abs=0.06)
    given: Any = calibrator("logit-adjustment", {"tau": tau}).fit(one.evidence(p), context=one.context)
    np.testing.assert_allclose(one.apply(given, p), one.truth, atol=1e-5)


def test_tags_that_training_lacks_are_shut_by_an_adjustment(world: Make) -> None:
    one = world("BIO")
    prior = one.context.empirical.copy()
    prior[3] = 0.0
    for options in ({}, {"tau": 0.0}, {"tau": -1.0}):
        method = calibrator("logit-adjustment", options)
        found = one.apply(method.fit(one.evidence(), context=replace(one.context, empirical=prior)))
        assert (found[:, 3] == 0).all()
        np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_the_prior_of_another_place_is_found_without_gold(world: Make, kind: str) -> None:
    """Tokens are drawn so that tags have other shares, while the same text means the same."""
    one = world(kind, tokens=40_000, ignored=0.0, signal=3.0)
    schema = one.schema if kind != "layered" else one.schema.of_label(0)
    truth, tags = (one.truth[:, 0], one.tags[:, 0]) if kind == "layered" else (one.truth, one.tags)
    empirical = np.bincount(tags, minlength=truth.shape[1]) / len(tags)
    wish = normalised(empirical ** np.linspace(0.4, 1.4, len(empirical)))
    chance = (wish / empirical)[tags]
    chosen = np.random.default_rng(5).choice(len(tags), 10_000, p=chance / chance.sum())
    if kind == "layered":
        # all labels see the same tokens, so they are the first label three times
        truth, wish = np.repeat(truth[:, None], 3, axis=1), np.tile(wish, (3, 1))
        empirical, schema = np.tile(empirical, (3, 1)), one.schema
    blind = np.full(truth[chosen].shape[:-1], IGNORE)
    new = replace(one, schema=schema, truth=truth[chosen], tags=blind, hidden=one.hidden[chosen])
    context = Context(empirical=empirical, effective=empirical)
    fitted: Any = calibrator("expectation-maximisation").fit(new.evidence(), context=context)
    found = from_tags(fitted.target, schema=schema)
    assert np.abs(found - wish).max() < 0.03
    assert np.abs(found - wish).sum() < 0.25 * np.abs(empirical - wish).sum()
    np.testing.assert_allclose(from_tags(fitted.taught, schema=schema), empirical, atol=1e-12)


def test_the_prior_of_another_place_is_most_likely(world: Make) -> None:
    """No prior nearby makes the documents likelier: Σ_t log Σ_k p_tk π_k / π̃_k."""
    one = world("BIO")
    fitted: Any = calibrator("expectation-maximisation").fit(one.evidence(), context=one.context)
    taught, found = (from_tags(prior, schema=one.schema) for prior in (fitted.taught, fitted.target))
    p = one.truth.astype(np.float32).astype(np.float64)

    def loglikelihood(prior: Any) -> float:
        return float(np.log(p @ (normalised(prior) / taught)).sum())

    best, rng = loglikelihood(found), np.random.default_rng(0)
    assert best > loglikelihood(taught)
    assert all(loglikelihood(found * np.exp(0.05 * rng.normal(size=7))) < best + 1e-6 for _ in range(50))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("gold", [True, False])
def test_sums_of_probabilities_match_the_wanted_shares(world: Make, kind: str, gold: bool) -> None:
    one = world(kind)
    tags = np.arange(one.schema.shape[-1])
    judged = (one.tags != IGNORE) if gold else np.ones(one.tags.shape, bool)
    shares = normalised((one.tags[..., None] == tags).sum(axis=0).astype(float))
    wanted = shares if gold else one.context.effective
    evidence = one.evidence(tags=None if gold else np.full_like(one.tags, IGNORE))
    context = replace(one.context, empirical=one.context.effective)
    fitted = calibrator("marginal-matching").fit(evidence, context=context)
    found = normalised((one.apply(fitted).astype(np.float64) * judged[..., None]).sum(axis=0))
    np.testing.assert_allclose(found, wanted, atol=2e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_counts_of_decisions_near_the_wanted_shares(world: Make, kind: str) -> None:
    one = world(kind)
    tags = np.arange(one.schema.shape[-1])
    judged = (one.tags != IGNORE)[..., None]
    wanted = (one.tags[..., None] == tags).sum(axis=0)

    def off(p: Any) -> float:
        return float(np.abs(((p.argmax(axis=-1)[..., None] == tags) & judged).sum(axis=0) - wanted).sum())

    fitted = calibrator("marginal-matching", {"counts": "hard"}).fit(one.evidence(), context=one.context)
    assert off(one.apply(fitted)) < 0.05 * off(one.truth)


def test_shares_that_no_offset_gives_are_told(world: Make) -> None:
    one = world("IO", ignored=0.0)
    p = one.truth.copy()
    # the model opens tag 3 in ten tokens, while half of all are wanted
    p[10:, 3] = 0.0
    prior = np.array([0.3, 0.1, 0.1, 0.5])
    blind = one.evidence(normalised(p), tags=np.full_like(one.tags, IGNORE))
    with pytest.raises(DataError, match="no offsets give these shares"):
        calibrator("marginal-matching").fit(blind, context=replace(one.context, empirical=prior))
