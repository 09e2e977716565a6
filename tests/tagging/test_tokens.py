"""Whole texts as tokens: no truncation, offsets into the untouched text, no blank at a token's border."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from raretag.tagging import Tokens, load_tokenizer, resolve_encoder, tokenise

PIECES = [
    "the",
    "fever",
    " ",
    "  ",
    "\n",
    "\r\n",
    "\r",
    "\t",
    "\u3000",
    "熱がある。",
    "😀",
    "İé",
    "-",
    "x" * 120,
    "12.5mg",
]
# control characters and U+FFFD are dropped by BERT's normaliser and so belong to no token
TEXTS = st.lists(
    st.sampled_from(PIECES) | st.text(st.characters(exclude_categories=["C"], exclude_characters="\ufffd"))
)


def check_offsets(text: str, tokens: Tokens) -> None:
    for array in (tokens.ids, tokens.starts, tokens.ends):
        assert array.dtype == np.int64
        assert array.shape == (len(tokens),)
    assert (tokens.starts < tokens.ends).all()
    assert (np.diff(tokens.starts) >= 0).all()
    assert (np.diff(tokens.ends) >= 0).all()
    for start, end in zip(tokens.starts, tokens.ends, strict=True):
        piece = text[start:end]
        assert len(piece) == end - start
        assert piece == piece.strip()


@given(pieces=TEXTS)
@settings(deadline=None, derandomize=True)
def test_every_character_that_is_not_blank_lies_in_a_token(
    tokenizer: PreTrainedTokenizerFast, pieces: list[str]
) -> None:
    text = "".join(pieces)
    (tokens,) = tokenise([text], tokenizer=tokenizer)
    check_offsets(text, tokens)
    covered = np.zeros(len(text), dtype=bool)
    for start, end in zip(tokens.starts, tokens.ends, strict=True):
        covered[start:end] = True
    assert [n for n, character in enumerate(text) if not character.isspace() and not covered[n]] == []


@given(text=st.text(st.characters(exclude_categories=[])))
@settings(deadline=None, derandomize=True)
def test_any_string_has_tokens(tokenizer: PreTrainedTokenizerFast, text: str) -> None:
    (tokens,) = tokenise([text], tokenizer=tokenizer)
    check_offsets(text, tokens)


@given(texts=st.lists(TEXTS.map("".join), max_size=4))
@settings(deadline=None, derandomize=True, max_examples=30)
def test_a_text_does_not_depend_on_its_neighbours(tokenizer: PreTrainedTokenizerFast, texts: list[str]) -> None:
    together = tokenise(texts, tokenizer=tokenizer)
    alone = [tokenise([text], tokenizer=tokenizer)[0] for text in texts]
    assert [t.ids.tolist() for t in together] == [t.ids.tolist() for t in alone]
    assert [t.starts.tolist() for t in together] == [t.starts.tolist() for t in alone]


def test_a_tokenizer_with_a_truncation_of_its_own_does_not_truncate(tiny_encoder: Path) -> None:
    raw = AutoTokenizer.from_pretrained(tiny_encoder)
    assert isinstance(raw, PreTrainedTokenizerFast)
    assert len(raw("the " * 500, truncation=True)["input_ids"]) < 500
    raw.backend_tokenizer.enable_truncation(16)
    raw.backend_tokenizer.enable_padding(length=600)
    (tokens,) = tokenise(["the " * 500], tokenizer=raw)
    assert len(tokens) == 500
    assert int(tokens.ends[-1]) == 4 * 500 - 1


def test_blank_markers_are_no_tokens(bytewise: PreTrainedTokenizerFast) -> None:
    (tokens,) = tokenise([" a  😀\r\n"], tokenizer=bytewise)
    assert tokens.starts.tolist() == [1, 4, 4, 4, 4]
    assert tokens.ends.tolist() == [2, 5, 5, 5, 5]


@pytest.mark.parametrize("text", ["", " ", "\r\n\t\u3000"])
def test_blank_texts_have_no_token(tokenizer: PreTrainedTokenizerFast, text: str) -> None:
    (tokens,) = tokenise([text], tokenizer=tokenizer)
    assert len(tokens) == 0
    check_offsets(text, tokens)
    assert tokenise([], tokenizer=tokenizer) == []


def test_stripped_accents_belong_to_their_letter() -> None:
    """The embedded encoder drops accents; a mention that ends in a decomposed one must still be expressible."""
    tokenizer = load_tokenizer(resolve_encoder("minilm"))
    text = "un cafe\u0301 , le\u0301ger"
    (tokens,) = tokenise([text], tokenizer=tokenizer)
    stretches = {text[start:end] for start, end in zip(tokens.starts, tokens.ends, strict=True)}
    assert "cafe\u0301" in stretches
    assert (tokens.ends[:-1] <= tokens.starts[1:]).all()
