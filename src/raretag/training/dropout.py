"""Dropout that draws a byte an element instead of a float: the same thing, faster on a CPU.

On a CPU the random numbers of dropout take longer than the matrix products around them. Eight random bytes come from
one 64-bit draw; an element is dropped when its byte is below 256 p, so p is rounded to a multiple of 1/256 (0.1 to
0.1016).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

import torch
from torch import Tensor
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.masking_utils import eager_mask

from raretag.training.sharing import current_share

if TYPE_CHECKING:
    from transformers import PreTrainedModel

ATTENTION = "raretag-byte-dropout"
_LEVELS = 256


def byte_dropout(x: Tensor, p: float) -> Tensor:
    """Zero each element with probability round(256 p)/256 and scale the others to keep the mean; any shape and dtype.

    p: in [0, 1]. The draws come from torch's global CPU generator, so seeds and checkpoints cover them. A process that
    takes a share of a batch draws for the whole batch, so that all processes stay in step and drop what one would.
    """
    dropped = round(p * _LEVELS)
    if dropped == 0:
        return x
    if dropped == _LEVELS:
        return x * 0.0
    keep = _bytes(x.shape) >= dropped
    return x * keep.to(x.dtype).mul_(_LEVELS / (_LEVELS - dropped))


def _bytes(shape: torch.Size) -> Tensor:
    """Random bytes, uint8 of `shape`."""
    share = current_share()
    # what is not laid out by window is alike in every process
    by_window = share is not None and len(shape) > 0 and shape[0] == share.size
    whole = torch.Size([share.windows, *shape[1:]]) if share is not None and by_window else shape
    draws = torch.randint(-(2**63), 2**63 - 1, ((whole.numel() + 7) // 8,))
    drawn = draws.view(torch.uint8)[: whole.numel()].view(whole)
    return drawn[share.rows] if share is not None and by_window else drawn


@final
class ByteDropout(torch.nn.Module):
    """`torch.nn.Dropout` by `byte_dropout`."""

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        """`x` unchanged unless training."""
        return byte_dropout(x, self.p) if self.training else x


def attention(
    module: torch.nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    **_: Any,
) -> tuple[Tensor, Tensor]:
    """softmax(q kᵀ · scaling + mask) v with `byte_dropout` on the weights, in the form that transformers asks for.

    query, key, value: (batch, heads, tokens, width). Returns (batch, tokens, heads, width) and the weights. Spelled out
    rather than fused: for windows of a line it is the faster form on a CPU.
    """
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    weights = torch.matmul(query, key.transpose(2, 3)) * scale
    if attention_mask is not None:
        weights = weights + attention_mask
    weights = byte_dropout(torch.softmax(weights, dim=-1), dropout if module.training else 0.0)
    return torch.matmul(weights.to(value.dtype), value).transpose(1, 2).contiguous(), weights


def use_byte_dropout(model: PreTrainedModel) -> None:
    """Exchange every dropout of a model on the CPU, that of its attention where transformers lets it be chosen."""
    AttentionInterface.register(ATTENTION, attention)
    AttentionMaskInterface.register(ATTENTION, eager_mask)
    for module in list(model.modules()):
        for name, child in list(module.named_children()):
            if type(child) is torch.nn.Dropout:
                setattr(module, name, ByteDropout(child.p).train(child.training))
    try:
        model.set_attn_implementation(ATTENTION)
    except ValueError:
        # an encoder that spells out its own attention keeps it
        return
