from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import AutoModelForTokenClassification

from raretag.training.dropout import ATTENTION, ByteDropout, byte_dropout, use_byte_dropout


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_drops_the_share_and_keeps_the_mean(dtype: torch.dtype, p: float) -> None:
    torch.manual_seed(0)
    x = torch.ones(200, 1003, dtype=dtype)
    y = byte_dropout(x, p)
    assert y.dtype == dtype
    share = round(p * 256) / 256
    assert (y == 0).double().mean().item() == pytest.approx(share, abs=0.005)
    assert y.double().mean().item() == pytest.approx(1, abs=0.02)


def test_drops_elements_independently() -> None:
    torch.manual_seed(0)
    dropped = (byte_dropout(torch.ones(100_000, 8), 0.5) == 0).double()
    correlation = torch.corrcoef(dropped.T) - torch.eye(8)
    assert correlation.abs().max().item() < 0.02


def test_p_zero_and_evaluation_change_nothing() -> None:
    x = torch.randn(3, 5)
    assert byte_dropout(x, 0.0) is x
    assert ByteDropout(0.5).eval()(x) is x
    assert byte_dropout(torch.zeros(0, 4), 0.5).shape == (0, 4)


def test_gradient_flows_through_what_is_kept() -> None:
    x = torch.ones(1000, requires_grad=True)
    y = byte_dropout(x, 0.5)
    y.sum().backward()
    assert x.grad is not None
    assert torch.equal(x.grad, y.detach())


def test_the_encoder_computes_the_same(tiny_encoder: Path) -> None:
    model = AutoModelForTokenClassification.from_pretrained(tiny_encoder, num_labels=3, attn_implementation="eager")
    ids = torch.randint(5, 40, (4, 9))
    mask = torch.ones_like(ids)
    mask[0, 5:] = 0
    with torch.no_grad():
        expected = model.eval()(input_ids=ids, attention_mask=mask).logits
        use_byte_dropout(model)
        assert model.config._attn_implementation == ATTENTION
        found = model(input_ids=ids, attention_mask=mask).logits
        assert torch.allclose(expected[mask.bool()], found[mask.bool()], atol=1e-6)
        model.train()
        assert not torch.allclose(expected, model(input_ids=ids, attention_mask=mask).logits, atol=1e-3)
    assert not any(type(module) is torch.nn.Dropout for module in model.modules())
