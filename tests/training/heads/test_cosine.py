"""Logits of the cosine head against plain numpy."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from raretag.errors import UsageError
from raretag.tagging import build_schema
from raretag.training.heads import head
from raretag.training.heads.cosine import CosineLayer


def test_logits_are_scaled_cosines() -> None:
    layer = CosineLayer(5, seen=torch.tensor([True, True, False]), scale=9.0)
    hidden = torch.randn(4, 5, generator=torch.Generator().manual_seed(0))
    h, w = hidden.numpy(), layer.weight.detach().numpy()
    cosine = (h @ w[:2].T) / np.linalg.norm(h, axis=1)[:, None] / np.linalg.norm(w[:2], axis=1)
    np.testing.assert_allclose(layer(hidden).detach().numpy()[:, :2], 9 * cosine, rtol=1e-5, atol=1e-6)
    assert (layer(hidden)[:, 2] == -1e4).all()


def test_lengths_do_not_count() -> None:
    layer = CosineLayer(5, seen=torch.ones(3, dtype=torch.bool), scale=16.0)
    hidden = torch.randn(4, 5, generator=torch.Generator().manual_seed(0))
    before = layer(hidden)
    with torch.no_grad():
        layer.weight[1] *= 7
    torch.testing.assert_close(layer(3 * hidden), before)


def test_a_token_without_direction_is_no_nan() -> None:
    layer = CosineLayer(5, seen=torch.tensor([True, False]), scale=16.0)
    hidden = torch.zeros(2, 5, requires_grad=True)
    layer(hidden).logsumexp(dim=-1).sum().backward()
    assert hidden.grad is not None
    assert hidden.grad.isfinite().all()
    assert layer.weight.grad is not None
    assert layer.weight.grad.isfinite().all()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_not_used_for_angles(dtype: torch.dtype) -> None:
    layer = CosineLayer(64, seen=torch.ones(3, dtype=torch.bool), scale=64.0)
    hidden = torch.randn(4, 64, generator=torch.Generator().manual_seed(0))
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(layer(hidden), layer(hidden.clone()))
        logits = layer(hidden.to(dtype))
    assert logits.dtype == torch.float32
    torch.testing.assert_close(logits, layer(hidden.to(dtype).float()))


@pytest.mark.parametrize("scale", [0, 0.5, 65, float("nan"), "wide"])
def test_scales_that_are_none_are_refused(scale: object) -> None:
    with pytest.raises(UsageError, match="scale"):
        head("cosine", schema=build_schema(["A"]), scale=scale)
