"""Every sampler by name: its class, one line about it, and its source."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from raretag.entry import Entry, choose
from raretag.errors import UsageError
from raretag.sampling.base import Budget, WindowSampler
from raretag.sampling.class_aware import Balanced, Progressive, SquareRoot
from raretag.sampling.deferred import Deferred
from raretag.sampling.length_bucketed import LengthBucketed
from raretag.sampling.outside_thinning import OutsideThinning
from raretag.sampling.per_class import PerClass
from raretag.sampling.random_order import RandomOrder
from raretag.sampling.repeat_factor import RepeatFactor
from raretag.sampling.sentence_resampling import (
    Count,
    CountRarity,
    CountRarityDensity,
    NormalisedCountRarityDensity,
)
from raretag.sampling.windows import Windows

_KANG = "Kang 2020, arXiv 1910.09217"
_WANG = "Wang & Wang, NAACL 2022"

SAMPLERS: Mapping[str, Entry[WindowSampler[Any]]] = MappingProxyType(
    {
        "length-bucketed": Entry(
            LengthBucketed, "every window once an epoch, little padding; keeps the empirical probabilities", "standard"
        ),
        "random": Entry(
            RandomOrder, "every window once an epoch, any together; more padding, so larger batches", "standard"
        ),
        "repeat-factor": Entry(
            RepeatFactor, "windows of rare labels come more often, all others alike", "LVIS 2019, arXiv 1908.03195"
        ),
        "square-root": Entry(SquareRoot, "labels in proportion to the root of their windows", _KANG),
        "balanced": Entry(Balanced, "labels equally often, as far as windows with several allow", _KANG),
        "progressive": Entry(Progressive, "from labels as they are to labels equally often", _KANG),
        "sc": Entry(Count, "windows by their labelled tokens", _WANG),
        "scr": Entry(CountRarity, "windows by the root of their labelled tokens, each by its label's rarity", _WANG),
        "scrd": Entry(CountRarityDensity, "windows by the rarity of their labelled tokens and their density", _WANG),
        "nscrd": Entry(
            NormalisedCountRarityDensity, "as scrd, further tokens of one label counting less and less", _WANG
        ),
        "outside-thinning": Entry(
            OutsideThinning, "every window once an epoch, only some of the O tokens as targets", "standard"
        ),
        "per-class": Entry(PerClass, "each batch about one label against O", "Rehman et al. 2024, arXiv 2409.03238"),
    }
)


def sampler(
    name: str, *, windows: Windows, budget: Budget, start: float = 0.0, **options: object
) -> WindowSampler[Any]:
    """The sampler `name`, ready as a DataLoader's `batch_sampler`.

    start: share of the steps before which batches are `length-bucketed`. options: its own, see docs/samplers.
    Raises UsageError for a name or an option that does not exist or is out of range, or windows it cannot work with.
    """
    method, checked = choose(SAMPLERS, "sampler", name, options)
    if not 0 <= start < 1:
        raise UsageError(f"sampler {name!r}: start is {start}", remedy="Give a share of the steps, 0 <= start < 1")
    try:
        chosen = method(windows, budget=budget, options=checked)
        return Deferred(LengthBucketed(windows, budget=budget), chosen, start=start) if start > 0 else chosen
    except ValueError as error:
        raise UsageError(f"sampler {name!r}: {error}", remedy="Change the options or optimiser.batch_tokens") from error
