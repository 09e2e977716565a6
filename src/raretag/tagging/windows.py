"""Windows over a document's tokens: every token is judged exactly once, where it sees most context."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from raretag.errors import UsageError
from raretag.tagging.tokens import Tokens

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

_UNIT_ENDS = {
    "line": re.compile(r"\r\n|\n|\r"),
    # the group is atomic: \r\n is one line break, never two
    "paragraph": re.compile(r"(?>\r\n|\n|\r)[^\S\r\n]*(?:\r\n|\n|\r)+"),
}


class WindowSettings(BaseModel):
    """How text is cut for the encoder. Nothing is ever truncated: a unit that is too long is cut with overlap."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    unit: Literal["line", "paragraph", "tokens"] = Field(
        default="line", description="what a window holds: a line, a paragraph, or as many tokens as fit"
    )
    max_tokens: int = Field(default=256, ge=8, le=8192, description="most tokens in a window, special ones included")
    stride: int = Field(default=32, ge=0, description="tokens that neighbouring pieces of a long unit share")
    context: int = Field(default=0, ge=0, description="tokens of surrounding text seen on each side but not judged")

    @model_validator(mode="after")
    def _room_for_text(self) -> WindowSettings:
        if max(self.stride, 2 * self.context) > self.max_tokens // 2:
            raise ValueError("stride, and context on both sides, may each take at most half of max_tokens")
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Tokens [start, end) of document number `document` are seen, tokens [own_start, own_end) are judged here."""

    document: int
    start: int
    end: int
    own_start: int
    own_end: int

    def __len__(self) -> int:
        return self.end - self.start


def capacity(settings: WindowSettings, *, tokenizer: PreTrainedTokenizerFast, positions: int) -> int:
    """How many text tokens fit a window of an encoder with `positions` position embeddings.

    Raises UsageError where the context leaves no room for a token that is judged.
    """
    room = min(settings.max_tokens, positions) - tokenizer.num_special_tokens_to_add()
    if room <= 2 * settings.context:
        raise UsageError(
            f"windows.context {settings.context} on both sides fills the {room} tokens that fit this encoder's window",
            remedy="Choose a smaller windows.context, or an encoder with more positions",
        )
    return room


def make_windows(text: str, tokens: Tokens, *, document: int, settings: WindowSettings, capacity: int) -> list[Window]:
    """Cut one document. The judged stretches tile its tokens in order; a document without tokens has no window.

    `capacity` is the most text tokens a window can see, see `capacity()`.
    """
    windows: list[Window] = []
    for first, last in _units(text, tokens, settings.unit):
        room = capacity - 2 * settings.context
        for own_start, own_end, start, end in _pieces(first, last, room=room, stride=settings.stride):
            windows.append(
                Window(
                    document=document,
                    start=max(0, start - settings.context),
                    end=min(len(tokens), end + settings.context),
                    own_start=own_start,
                    own_end=own_end,
                )
            )
    return windows


def _units(text: str, tokens: Tokens, unit: str) -> list[tuple[int, int]]:
    """Token ranges of the units that hold a token; a token belongs to the unit in which it starts."""
    if unit == "tokens":
        return [(0, len(tokens))] if len(tokens) else []
    ends = [match.end() for match in _UNIT_ENDS[unit].finditer(text)]
    cuts = [0, *np.searchsorted(tokens.starts, ends).tolist(), len(tokens)]
    return [(a, b) for a, b in pairwise(cuts) if a < b]


def _pieces(first: int, last: int, *, room: int, stride: int) -> list[tuple[int, int, int, int]]:
    """(own_start, own_end, start, end) of even pieces of [first, last), sharing about `stride` tokens."""
    length = last - first
    if length <= room:
        return [(first, last, first, last)]
    stride = min(stride, room // 2)
    number = -(-(length - stride) // (room - stride))
    starts = [first + (length - room) * i // (number - 1) for i in range(number)]
    # the border lies in the middle of what two neighbours share: there both see equally much
    borders = [first, *((a + room + b) // 2 for a, b in pairwise(starts)), last]
    return [(borders[i], borders[i + 1], starts[i], starts[i] + room) for i in range(number)]
