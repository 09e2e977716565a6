"""Every second stage by name: its class, one line about it, and its source."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from raretag.entry import Entry, choose
from raretag.errors import UsageError
from raretag.tagging import Schema
from raretag.training.second_stage.base import SecondStage
from raretag.training.second_stage.crt import CRT
from raretag.training.second_stage.lws import LWS
from raretag.training.second_stage.tau_norm import TauNorm

_SOURCE: Final = "Kang et al. 2020, arXiv 1910.09217"

SECOND_STAGES: Mapping[str, Entry[SecondStage[Any]]] = MappingProxyType(
    {
        "crt": Entry(CRT, "a fresh head, trained with labels balanced on the frozen encoder's features", _SOURCE),
        "lws": Entry(LWS, "one learned scale for each label's logits", _SOURCE),
        "tau-norm": Entry(TauNorm, "rows of the head divided by a power of their length", _SOURCE),
    }
)


def second_stage(name: str, *, schema: Schema, options: Mapping[str, object]) -> SecondStage[Any]:
    """The second stage `name`. Raises UsageError for a name or an option that does not exist or is out of range."""
    method, checked = choose(SECOND_STAGES, "second stage", name, options)
    try:
        return method(schema, options=checked)
    except ValueError as error:
        raise UsageError(f"second stage {name!r}: {error}", remedy="Choose another option") from error
