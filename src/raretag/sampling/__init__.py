"""Loss propagation: which windows share a batch, and how often each comes; one registry, one contract."""

from raretag.sampling.base import Budget, WindowSampler
from raretag.sampling.deferred import Deferred
from raretag.sampling.draw import Draw
from raretag.sampling.packing import pack
from raretag.sampling.registry import SAMPLERS, sampler
from raretag.sampling.windows import Windows, tag_counts

__all__ = [
    "SAMPLERS",
    "Budget",
    "Deferred",
    "Draw",
    "WindowSampler",
    "Windows",
    "pack",
    "sampler",
    "tag_counts",
]
