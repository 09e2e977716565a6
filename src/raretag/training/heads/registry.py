"""Every tag head by name: its class, one line about it, and its source."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from raretag.entry import Entry, choose
from raretag.tagging import Schema
from raretag.training.heads.base import Head
from raretag.training.heads.cosine import CosineHead
from raretag.training.heads.per_label import PerLabelHead
from raretag.training.heads.softmax import SoftmaxHead

HEADS: Mapping[str, Entry[Head[Any]]] = MappingProxyType(
    {
        "softmax": Entry(SoftmaxHead, "one linear layer, one tag a token; a plain Hugging Face folder", "standard"),
        "cosine": Entry(
            CosineHead, "logits by the angle between token and tag alone; what ldam needs", "Cao 2019, arXiv 1906.07413"
        ),
        "per-label": Entry(
            PerLabelHead, "outside, begin, inside for each label; mentions of different labels may overlap", "standard"
        ),
    }
)


def head(name: str, *, schema: Schema, **options: object) -> Head[Any]:
    """The head `name` for the tags of `schema`. options: its own, see docs/heads.

    Raises UsageError for a name or an option that does not exist or is out of range, ValueError where the schema keeps
    labels apart and the head does not, or the other way round.
    """
    method, checked = choose(HEADS, "head", name, options)
    return method(schema, options=checked)
