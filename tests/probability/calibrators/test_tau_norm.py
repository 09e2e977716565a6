"""τ-normalisation from probabilities and hidden states is that of the head itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from raretag.errors import DataError
from raretag.probability import Evidence, Scores
from raretag.probability.calibrators import calibrator
from raretag.tagging import Tokens

Make = Callable[..., Any]


def normed(one: Any, tau: float) -> Any:
    """softmax of (w·h + b) / ‖w‖^τ, in full."""
    weight, bias = one.context.weight, one.context.bias
    z = (one.hidden.astype(np.float64) @ weight.T + bias) / np.linalg.norm(weight, axis=1) ** tau
    odds = np.exp(z - z.max(axis=1, keepdims=True))
    return odds / odds.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("kind", ["BIO", "IO"])
@pytest.mark.parametrize("tau", [0.0, 0.5, 1.0, 2.0])
def test_it_is_that_of_the_head(world: Make, kind: str, tau: float) -> None:
    one = world(kind)
    fitted = calibrator("tau-norm", {"tau": tau}).fit(one.evidence(), context=one.context)
    np.testing.assert_allclose(one.apply(fitted), normed(one, tau), atol=1e-5)


def test_tau_is_found(world: Make) -> None:
    one = world("BIO", tokens=10_000)
    truth = normed(one, 0.8)
    tags = (np.random.default_rng(1).random((len(truth), 1)) > truth.cumsum(axis=1)).sum(axis=1).clip(max=6)
    tags[::4] = -100
    fitted: Any = calibrator("tau-norm").fit(one.evidence(tags=tags), context=one.context)
    assert fitted.tau == pytest.approx(0.8, abs=0.05)
    assert np.abs(one.apply(fitted) - truth).max() < 0.02


def test_a_row_of_zeros_stays_and_shut_tags_stay_shut(world: Make) -> None:
    one = world("IO")
    weight = one.context.weight.copy()
    weight[2] = 0.0
    z = one.hidden @ weight.T + one.context.bias
    p = np.exp(z) * np.array([1, 1, 1, 0])
    p /= p.sum(axis=1, keepdims=True)
    fitted = calibrator("tau-norm").fit(one.evidence(p), context=replace(one.context, weight=weight))
    found = one.apply(fitted, p)
    assert np.isfinite(found).all()
    assert (found[:, 3] == 0).all()


def test_what_it_lacks_is_told(world: Make) -> None:
    one, method = world("BIO"), calibrator("tau-norm")
    evidence = one.evidence()
    with pytest.raises(DataError, match="weights and hidden states of a softmax head"):
        method.fit(evidence, context=replace(one.context, weight=None))
    with pytest.raises(DataError, match="weights and hidden states of a softmax head"):
        method.fit(evidence, context=replace(one.context, weight=one.context.weight[:, :4]))
    layered = world("layered")
    with pytest.raises(DataError, match="weights and hidden states of a softmax head"):
        method.fit(layered.evidence(), context=layered.context)
    bare = Evidence(
        schema=evidence.schema, probabilities=evidence.probabilities, tags=evidence.tags, owners=evidence.owners
    )
    with pytest.raises(DataError, match="needs hidden states"):
        method.fit(bare, context=one.context)
    fitted = method.fit(evidence, context=one.context)
    tokens = Tokens(ids=np.full(5, -1), starts=np.arange(5), ends=np.arange(5) + 1)
    scores = Scores(document="a", tokens=tokens, probabilities=evidence.probabilities[:5])
    with pytest.raises(DataError, match="lack the hidden states"):
        fitted.apply(scores, schema=one.schema)
