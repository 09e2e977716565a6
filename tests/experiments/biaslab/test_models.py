"""What is trained: hidden states in the order of the tokens, fresh models that equal each other."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from raretag.experiments.biaslab.models import CachedTokens, Trainable, WholeEncoder, bias_only, frozen
from raretag.experiments.biaslab.results import PARTS
from raretag.experiments.biaslab.text import Text
from raretag.tagging import IGNORE, EncoderSource, build_schema
from raretag.training.dataset import collate
from raretag.training.heads import head
from raretag.training.model import tag_head

from .conftest import linear_of

SCHEMA = build_schema(("A", "B"))


@pytest.fixture(scope="module")
def whole(small_text: Text, source: EncoderSource) -> WholeEncoder:
    return WholeEncoder(small_text, source=source, pad_id=0)


def test_the_vectors_that_are_known_are_those_that_the_head_is_given(small_text: Text) -> None:
    rng = np.random.default_rng(0)
    hidden = {part: rng.normal(size=(len(small_text.parts[part]), 3)).astype(np.float32) for part in PARTS}
    trainable = CachedTokens(small_text, hidden=hidden)
    model = trainable.build(head("softmax", schema=SCHEMA), seed=1)
    for part in PARTS:
        assert np.array_equal(trainable.hidden(model, part, precision="float32"), hidden[part])
        # judged tokens are all that is left of a window
        for before, after in zip(small_text.parts[part].windows, trainable.parts[part].windows, strict=True):
            assert len(after.input_ids) == len(after.labels) == (before.labels != IGNORE).sum()
        assert np.array_equal(trainable.parts[part].documents, small_text.parts[part].documents)


def test_logits_are_those_of_the_vectors_and_padding_is_none_of_them(small_text: Text) -> None:
    hidden = {part: np.ones((len(small_text.parts[part]), 2), dtype=np.float32) for part in PARTS}
    trainable = CachedTokens(small_text, hidden=hidden)
    model = trainable.build(head("softmax", schema=SCHEMA), seed=1)
    layer = tag_head(model)
    windows = [trainable.parts["training"].windows[number] for number in (0, 1, 2)]
    inputs = collate(windows, pad_id=trainable.pad_id)
    logits = model(input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"]).logits
    at_one, at_zero = layer(torch.ones(2)), layer(torch.zeros(2))
    for row, window in zip(logits, windows, strict=True):
        own = len(window.input_ids)
        assert torch.allclose(row[:own], at_one.expand(own, -1))
        assert torch.allclose(row[own:], at_zero.expand(len(row) - own, -1))


def test_frozen_vectors_are_the_encoders_own_at_mean_0_and_variance_1(
    small_text: Text, source: EncoderSource, whole: WholeEncoder, seen: CachedTokens
) -> None:
    model = whole.build(head("softmax", schema=SCHEMA), seed=9)
    cached = seen.build(head("softmax", schema=SCHEMA), seed=9)
    own = {part: whole.hidden(model, part, precision="float32").astype(np.float64) for part in PARTS}
    mean, deviation = own["training"].mean(axis=0), own["training"].std(axis=0)
    again = frozen(small_text, source=source, pad_id=0)
    for part in PARTS:
        vectors = seen.hidden(cached, part, precision="float32")
        # what is held out is moved as the training part is
        assert np.allclose(vectors, (own[part] - mean) / deviation, atol=1e-4)
        assert vectors.dtype == np.float32
        assert np.array_equal(vectors, again.hidden(cached, part, precision="float32"))
        assert len(np.unique(vectors.round(4), axis=0)) > 100


def test_all_tokens_look_alike_to_a_bias(small_text: Text) -> None:
    trainable = bias_only(small_text)
    model = trainable.build(head("softmax", schema=SCHEMA), seed=1)
    for part in PARTS:
        hidden = trainable.hidden(model, part, precision="float32")
        assert hidden.shape == (len(small_text.parts[part]), 1)
        assert not hidden.any()
    inputs = collate(trainable.parts["training"].windows[:4], pad_id=0)
    model(input_ids=inputs["input_ids"]).logits.exp().sum().backward()
    layer = linear_of(model)
    assert layer.weight.grad is not None
    assert layer.bias.grad is not None
    assert not layer.weight.grad.any()
    assert layer.bias.grad.abs().sum() > 0


@pytest.mark.parametrize("name", ["softmax", "cosine", "per-label"])
@pytest.mark.parametrize("model", ["frozen", "full"])
def test_a_seed_builds_the_same_model_and_another_does_not(
    name: str, model: str, whole: WholeEncoder, seen: CachedTokens
) -> None:
    trainable: Trainable = whole if model == "full" else seen
    layer = head(name, schema=build_schema(("A", "B"), layered=name == "per-label"))
    first, again, other = (dict(tag_head(trainable.build(layer, seed=seed)).named_parameters()) for seed in (1, 1, 2))
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert not all(torch.equal(first[key], other[key]) for key in first)


def test_only_the_whole_encoder_moves(whole: WholeEncoder, seen: CachedTokens) -> None:
    assert (whole.fixed, seen.fixed) == (False, True)
    layer = head("softmax", schema=SCHEMA)
    assert {name for name, _ in seen.build(layer, seed=1).named_parameters()} == {
        "classifier.weight",
        "classifier.bias",
    }
    model = whole.build(layer, seed=1)
    before = whole.hidden(model, "training", precision="float32")
    with torch.no_grad():
        for parameter in model.base_model.parameters():
            parameter.mul_(1.1)
    assert not np.allclose(before, whole.hidden(model, "training", precision="float32"))
