"""What every registered head must hold; a new one is covered by being registered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from transformers import BertConfig, BertForTokenClassification, PreTrainedModel

from raretag.errors import DataError, UsageError
from raretag.objectives import objective
from raretag.objectives.per_label import per_label
from raretag.objectives.tag_loss import TagLoss
from raretag.tagging import EncoderSource, Schema, build_schema
from raretag.tagging.schema import Scheme
from raretag.training.heads import HEADS, Head, head, load_model, save_model, to_probabilities
from raretag.training.model import build_model, logits_shape, tag_head

WIDTH = 16


@pytest.fixture(params=list(HEADS))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=["BIO", "IO"])
def schema(request: pytest.FixtureRequest, name: str) -> Schema:
    """Three labels: the second is never continued (nor begun, under IO), the third has none at all."""
    scheme: Scheme = request.param
    counts = [90, 8, 9, 4, 0, 0, 0] if scheme == "BIO" else [90, 17, 0, 0]
    return build_schema(["A", "B-A", "C"], scheme=scheme, tag_counts=counts, layered=HEADS[name].method.layered)


@pytest.fixture
def chosen(name: str, schema: Schema) -> Head[Any]:
    return head(name, schema=schema)


@pytest.fixture
def model(chosen: Head[Any], tiny_encoder: Path) -> PreTrainedModel:
    source = EncoderSource(name="tiny", location=str(tiny_encoder), sha256=None)
    return build_model(source, head=chosen, seed=1)


@pytest.fixture
def loss_of(schema: Schema) -> TagLoss:
    if schema.layered:
        return per_label("cross-entropy", counts=schema.label_tag_counts)
    return objective("cross-entropy", counts=schema.tag_counts, groups=schema.groups)


def open_rows(schema: Schema) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """bool, of the shape of one token's logits: which tags training has seen, outside always."""
    if not schema.layered:
        return schema.seen
    return np.column_stack([np.ones(3, dtype=bool), schema.seen[1:].reshape(3, -1)])


def batch(schema: Schema, *, seed: int = 0) -> tuple[dict[str, Tensor], Tensor]:
    """Four windows of nine tokens, and targets of seen tags of which some are ignored."""
    rng = np.random.default_rng(seed)
    inputs = {
        "input_ids": torch.from_numpy(rng.integers(5, 40, (4, 9))),
        "attention_mask": torch.ones(4, 9, dtype=torch.int64),
    }
    rows = open_rows(schema)
    if schema.layered:
        tags = np.stack([rng.choice(np.flatnonzero(row), (4, 9)) for row in rows], axis=-1)
    else:
        tags = rng.choice(np.flatnonzero(rows), (4, 9))
    tags[:, 0] = -100
    return inputs, torch.from_numpy(tags)


def test_shapes(model: PreTrainedModel, chosen: Head[Any], schema: Schema) -> None:
    inputs, _ = batch(schema)
    logits = model(**inputs).logits
    assert logits.shape == (4, 9, *schema.shape)
    assert chosen.logits_shape == schema.shape == logits_shape(model)
    assert logits.dtype == torch.float32
    p = to_probabilities(logits)
    torch.testing.assert_close(p.sum(dim=-1), torch.ones(4, 9, *schema.shape[:-1]))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_probabilities_are_float32_and_finite_in_any_format(
    model: PreTrainedModel, schema: Schema, dtype: torch.dtype
) -> None:
    inputs, _ = batch(schema)
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=dtype == torch.bfloat16):
        p = to_probabilities(model.eval()(**inputs).logits)
    assert p.dtype == torch.float32
    assert p.isfinite().all()
    with torch.inference_mode():
        torch.testing.assert_close(p, to_probabilities(model(**inputs).logits), atol=0.02, rtol=0)


def test_tags_never_seen_have_no_probability_and_no_gradient(
    model: PreTrainedModel, schema: Schema, loss_of: TagLoss, chosen: Head[Any]
) -> None:
    inputs, tags = batch(schema)
    logits = model(**inputs).logits
    logits.retain_grad()
    loss_of.loss(logits, tags).backward()
    closed = ~open_rows(schema).ravel()
    assert closed.any()
    assert (to_probabilities(logits).flatten(2)[..., closed] == 0).all()
    assert logits.grad is not None
    assert (logits.grad.flatten(2)[..., closed] == 0).all()
    for parameter in tag_head(model).parameters():
        assert parameter.grad is not None
        assert (parameter.grad[closed] == 0).all()
        assert (parameter.grad != 0).any()


def test_every_row_belongs_to_a_label_or_to_outside(
    model: PreTrainedModel, chosen: Head[Any], schema: Schema, loss_of: TagLoss
) -> None:
    groups = chosen.row_groups
    assert groups.dtype == np.int64
    assert set(groups) == ({1, 2, 3} if schema.layered else {0, 1, 2, 3})
    assert all(len(parameter) == len(groups) for parameter in tag_head(model).parameters())
    # row by row: a change of its weights moves just the logits of its own label
    inputs, _ = batch(schema)
    with torch.no_grad():
        before = model.eval()(**inputs).logits
        for row in np.flatnonzero(open_rows(schema).ravel()).tolist():
            weight = next(iter(tag_head(model).parameters()))
            kept = weight[row].clone()
            weight[row] += torch.arange(WIDTH) / WIDTH
            moved = (model(**inputs).logits != before).flatten(0, 1).any(dim=0)
            weight[row] = kept
            assert moved.flatten()[row]
            assert moved.sum() == 1
            if schema.layered:
                assert moved.any(dim=1).nonzero().flatten().tolist() == [groups[row] - 1]
            else:
                assert schema.groups[moved.numpy()].tolist() == [groups[row]]


def test_it_learns(model: PreTrainedModel, schema: Schema, loss_of: TagLoss) -> None:
    inputs, tags = batch(schema)
    optimiser = torch.optim.AdamW(model.parameters(), lr=0.02)
    losses = []
    for _ in range(30):
        loss = loss_of(model.train()(**inputs), tags)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.7 * losses[0]
    closed = ~open_rows(schema).ravel()
    assert (to_probabilities(model.eval()(**inputs).logits).flatten(2)[..., closed] == 0).all()


def test_saved_and_loaded_it_says_the_same(model: PreTrainedModel, chosen: Head[Any], tmp_path: Path) -> None:
    inputs, _ = batch(chosen.schema)
    save_model(model, tmp_path, head=chosen)
    again, loaded = load_model(tmp_path, schema=chosen.schema)
    assert type(loaded) is type(chosen)
    assert loaded.options == chosen.options
    with torch.inference_mode():
        assert torch.equal(again.eval()(**inputs).logits, model.eval()(**inputs).logits)
    assert again.state_dict().keys() == model.state_dict().keys()


def test_the_seed_decides_the_layer(model: PreTrainedModel, chosen: Head[Any], tiny_encoder: Path) -> None:
    source = EncoderSource(name="tiny", location=str(tiny_encoder), sha256=None)
    same, other = (build_model(source, head=chosen, seed=seed) for seed in (1, 2))
    weight, first, second = (next(iter(tag_head(one).parameters())) for one in (model, same, other))
    assert torch.equal(weight, first)
    assert not torch.equal(weight, second)


def test_other_tags_are_refused(model: PreTrainedModel, chosen: Head[Any], tmp_path: Path) -> None:
    save_model(model, tmp_path, head=chosen)
    other = build_schema(["A", "B-A", "D"], scheme=chosen.schema.scheme, layered=chosen.layered)
    with pytest.raises(DataError, match="tags differ"):
        load_model(tmp_path, schema=other)


def test_a_schema_of_the_other_kind_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="layered"):
        head(name, schema=build_schema(["A"], layered=not HEADS[name].method.layered))


def test_a_model_without_a_place_for_it_is_refused(chosen: Head[Any]) -> None:
    config = BertConfig(hidden_size=WIDTH, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8)
    model = BertForTokenClassification(config)
    model.classifier = torch.nn.Sequential(model.classifier)  # type: ignore[assignment]
    with pytest.raises(DataError, match="no linear classifier"):
        chosen.install(model)


def test_unknown_names_and_options_are_told(name: str, schema: Schema) -> None:
    with pytest.raises(UsageError, match="no head 'crf'"):
        head("crf", schema=schema)
    with pytest.raises(UsageError, match="temperature"):
        head(name, schema=schema, temperature=3)


def test_every_option_is_described(name: str) -> None:
    fields = HEADS[name].options.model_fields
    assert all(field.description and not field.is_required() for field in fields.values())
    assert HEADS[name].about
    assert HEADS[name].source
