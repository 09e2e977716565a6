"""Characters to tags and back: schema, tokens, windows, codec. Heavy imports happen on first use only."""

from raretag.tagging.codec import IGNORE, OVERLAP_POLICIES, Encoded, OverlapPolicy, decode, encode
from raretag.tagging.encoders import (
    EncoderSource,
    SpecialTokens,
    load_tokenizer,
    resolve_encoder,
    special_tokens,
)
from raretag.tagging.schema import Schema, build_schema, counted_schema
from raretag.tagging.tokens import Tokens, tokenise
from raretag.tagging.windows import Window, WindowSettings, capacity, make_windows

__all__ = [
    "IGNORE",
    "OVERLAP_POLICIES",
    "Encoded",
    "EncoderSource",
    "OverlapPolicy",
    "Schema",
    "SpecialTokens",
    "Tokens",
    "Window",
    "WindowSettings",
    "build_schema",
    "capacity",
    "counted_schema",
    "decode",
    "encode",
    "load_tokenizer",
    "make_windows",
    "resolve_encoder",
    "special_tokens",
    "tokenise",
]
