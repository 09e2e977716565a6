"""What every calibrator keeps to, with every kind of schema."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from pydantic import BaseModel

from raretag.errors import DataError, UsageError
from raretag.probability import Evidence
from raretag.probability.calibrators import CALIBRATORS, Calibration, Context, calibrator, load_calibration
from raretag.tagging import IGNORE, build_schema

KINDS = ("BIO", "IO", "layered")
CASES: list[tuple[str, dict[str, Any]]] = [
    *((name, {}) for name in CALIBRATORS),
    ("marginal-matching", {"counts": "hard"}),
]
Make = Callable[..., Any]

# a layered head has no rows of weights to normalise; test_tau_norm has the error
PAIRS = [
    (kind, name, options) for kind in KINDS for name, options in CASES if not (name == "tau-norm" and kind == "layered")
]
NAMELESS = {"temperature", "frequency-groups"}


def over(pairs: list[tuple[str, str, dict[str, Any]]]) -> pytest.MarkDecorator:
    """Run a test with each of these."""
    ids = ["-".join((kind, name, *options.values())) for kind, name, options in pairs]
    return pytest.mark.parametrize(("kind", "name", "options"), pairs, ids=ids)


every = over(PAIRS)
learning_from_gold = over([pair for pair in PAIRS if CALIBRATORS[pair[1]].method.needs_gold])
holding_tags = over([pair for pair in PAIRS if pair[1] not in NAMELESS])


def figures(fitted: BaseModel) -> Iterator[float]:
    """All numbers of a calibration, in order."""

    def walk(value: Any) -> Iterator[float]:
        if isinstance(value, dict | list | tuple):
            for one in value.values() if isinstance(value, dict) else value:
                yield from walk(one)
        elif isinstance(value, float | int):
            yield float(value)

    yield from walk(fitted.model_dump())


def sharpened(p: Any) -> Any:
    odds = p**1.7
    return odds / odds.sum(axis=-1, keepdims=True)


@every
def test_who_looks_at_the_taught_prior_refuses_one_of_several(
    world: Make, kind: str, name: str, options: dict[str, Any]
) -> None:
    one = world(kind)
    method, evidence = calibrator(name, options), one.evidence(sharpened(one.truth))
    if method.needs_taught_prior:
        with pytest.raises(UsageError, match="several optima"):
            method.fit(evidence, context=replace(one.context, unique=False))
        return
    other = replace(one.context, effective=one.context.effective[..., ::-1], unique=False)
    assert [*figures(method.fit(evidence, context=other))] == [*figures(method.fit(evidence, context=one.context))]


@every
def test_probabilities_stay_probabilities_and_zeros_zeros(
    world: Make, kind: str, name: str, options: dict[str, Any]
) -> None:
    one = world(kind)
    p = sharpened(one.truth)
    p[::3, ..., -1] = 0.0
    p[..., 1] = 0.0
    p /= p.sum(axis=-1, keepdims=True)
    before = p.astype(np.float32)
    evidence = one.evidence(p)
    fitted = calibrator(name, options).fit(evidence, context=one.context)
    found = one.apply(fitted, p)
    assert found.dtype == np.float32
    assert found.shape == p.shape
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found.sum(axis=-1), 1, atol=1e-5)
    assert (found[p == 0] == 0).all()
    assert (found[p > 1e-3] > 0).all()
    np.testing.assert_array_equal(evidence.probabilities, before)


@every
def test_json_and_back(world: Make, kind: str, name: str, options: dict[str, Any]) -> None:
    one = world(kind)
    fitted = calibrator(name, options).fit(one.evidence(sharpened(one.truth)), context=one.context)
    again = load_calibration(name, json.loads(json.dumps(fitted.model_dump(mode="json"))))
    assert again == fitted
    np.testing.assert_array_equal(one.apply(again), one.apply(fitted))


@every
def test_the_same_evidence_gives_the_same_fit_in_any_order(
    world: Make, kind: str, name: str, options: dict[str, Any]
) -> None:
    one = world(kind)
    evidence = one.evidence(sharpened(one.truth))
    order = np.random.default_rng(1).permutation(len(evidence))
    shuffled = Evidence(
        schema=evidence.schema,
        probabilities=evidence.probabilities[order],
        tags=evidence.tags[order],
        owners=evidence.owners,
        hidden=one.hidden[order],
    )
    fitted = calibrator(name, options).fit(evidence, context=one.context)
    assert calibrator(name, options).fit(evidence, context=one.context) == fitted
    other = calibrator(name, options).fit(shuffled, context=one.context)
    assert list(figures(other)) == pytest.approx(list(figures(fitted)), abs=2e-4)


@learning_from_gold
def test_gold_is_fitted(world: Make, kind: str, name: str, options: dict[str, Any]) -> None:
    method = calibrator(name, options)
    one = world(kind)
    p = sharpened(one.truth)
    fitted = method.fit(one.evidence(p), context=one.context)
    assert one.loss(one.apply(fitted, p)) <= one.loss(p.astype(np.float32)) + 1e-6


@every
def test_too_little_is_told(world: Make, kind: str, name: str, options: dict[str, Any]) -> None:
    one, method = world(kind), calibrator(name, options)
    nothing = replace(one, truth=one.truth[:0], tags=one.tags[:0], hidden=one.hidden[:0]).evidence()
    with pytest.raises(DataError, match="there are none"):
        method.fit(nothing, context=one.context)
    blind = one.evidence(tags=np.full_like(one.tags, IGNORE))
    if method.needs_gold:
        with pytest.raises(DataError, match="with a gold tag"):
            method.fit(blind, context=one.context)
    else:
        assert isinstance(method.fit(blind, context=one.context), Calibration)


@every
def test_gold_tags_that_are_absent(world: Make, kind: str, name: str, options: dict[str, Any]) -> None:
    one = world(kind)
    only = {"outside": np.where(one.tags >= 0, 0, one.tags), "no last tag": np.where(one.tags == 2, 0, one.tags)}
    for tags in only.values():
        fitted = calibrator(name, options).fit(one.evidence(tags=tags), context=one.context)
        assert np.isfinite(list(figures(fitted))).all()
        found = one.apply(fitted)
        assert np.isfinite(found).all()
        np.testing.assert_allclose(found.sum(axis=-1), 1, atol=1e-5)


@every
def test_one_label_and_one_token(world: Make, kind: str, name: str, options: dict[str, Any]) -> None:
    one = world(kind)
    schema = build_schema(("Only",), scheme=one.schema.scheme, layered=one.schema.layered)
    tags = schema.tags_of_a_label
    p = np.full((1, *schema.shape), 1 / tags)
    prior = np.full(schema.shape, 1 / tags)
    weights: dict[str, Any] = {} if kind == "layered" else {"weight": np.eye(tags, 6), "bias": np.zeros(tags)}
    small = replace(one, schema=schema, truth=p, hidden=one.hidden[:1], tags=np.zeros(p.shape[:-1], dtype=np.int64))
    context = Context(empirical=prior, effective=prior, **weights)
    fitted = calibrator(name, options).fit(small.evidence(), context=context)
    np.testing.assert_allclose(small.apply(fitted).sum(axis=-1), 1, atol=1e-5)


@every
def test_a_document_without_tokens(world: Make, kind: str, name: str, options: dict[str, Any]) -> None:
    one = world(kind, tokens=200)
    fitted = calibrator(name, options).fit(one.evidence(), context=one.context)
    found = replace(one, hidden=one.hidden[:0]).apply(fitted, one.truth[:0])
    assert found.shape == (0, *one.schema.shape)


@holding_tags
def test_other_labels_are_told(world: Make, kind: str, name: str, options: dict[str, Any]) -> None:
    one = world(kind)
    fitted = calibrator(name, options).fit(one.evidence(), context=one.context)
    schema = build_schema(("Often", "Seldom", "Other"), scheme=one.schema.scheme, layered=one.schema.layered)
    with pytest.raises(DataError, match="other labels"):
        replace(one, schema=schema).apply(fitted)


@every
def test_damaged_parameters_and_unknown_options(world: Make, kind: str, name: str, options: dict[str, Any]) -> None:
    one = world(kind, tokens=200)
    dumped = calibrator(name, options).fit(one.evidence(), context=one.context).model_dump(mode="json")
    first = next(iter(dumped))
    for damaged in ({**dumped, "extra": 1}, {**dumped, first: "?"}, {**dumped, first: {"a": "b"}}):
        with pytest.raises(DataError, match="damaged"):
            load_calibration(name, damaged)
    with pytest.raises(UsageError, match="no_such"):
        calibrator(name, {**options, "no_such": 1})
