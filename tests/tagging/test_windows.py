"""Windows tile every text: each token is judged once, in order, in a window that fits the encoder."""

from __future__ import annotations

import re
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from transformers import PreTrainedTokenizerFast

from raretag.errors import UsageError
from raretag.tagging import Tokens, Window, WindowSettings, capacity, make_windows, tokenise

LONG_LINE = "the patient has no fever and " * 8
PIECES = [
    "fever ",
    "no ",
    " ",
    "\n",
    "\r\n",
    "\r",
    "\n\n",
    "\r\n \r\n",
    "\n\t\n",
    "熱がある。",
    "😀",
    "x" * 120,
    LONG_LINE,
]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)
BREAKS = {"line": r"\n", "paragraph": r"\n[^\S\n]*\n", "tokens": r"(?!)"}


@st.composite
def cuts(draw: st.DrawFn) -> tuple[WindowSettings, int]:
    """Settings, and a capacity that holds at least one judged token beside the context."""
    context = draw(st.integers(0, 6))
    unit = draw(st.sampled_from(["line", "paragraph", "tokens"]))
    chosen = {"unit": unit, "max_tokens": 64, "stride": draw(st.integers(0, 32)), "context": context}
    return WindowSettings.model_validate(chosen), draw(st.integers(2 * context + 1, 62))


def cut(
    text: str, tokenizer: PreTrainedTokenizerFast, *, settings: WindowSettings, room: int
) -> tuple[Tokens, list[Window]]:
    (tokens,) = tokenise([text], tokenizer=tokenizer)
    return tokens, make_windows(text, tokens, document=7, settings=settings, capacity=room)


def units_between(text: str, unit: str) -> int:
    """How many unit borders `text` holds, by a reading of its own: line breaks made equal first."""
    return len(re.findall(BREAKS[unit], text.replace("\r\n", "\n").replace("\r", "\n")))


@given(text=TEXTS, how=cuts())
@settings(deadline=None, derandomize=True, max_examples=200)
def test_windows_tile_the_text(tokenizer: PreTrainedTokenizerFast, text: str, how: tuple[WindowSettings, int]) -> None:
    chosen, room = how
    tokens, windows = cut(text, tokenizer, settings=chosen, room=room)
    assert [t for w in windows for t in range(w.own_start, w.own_end)] == list(range(len(tokens)))
    for window in windows:
        assert window.document == 7
        assert 0 <= window.start <= window.own_start < window.own_end <= window.end <= len(tokens)
        assert len(window) <= room
        # the promised context is there unless the text ends first
        assert window.own_start - window.start >= min(chosen.context, window.own_start)
        assert window.end - window.own_end >= min(chosen.context, len(tokens) - window.own_end)
        judged = text[tokens.starts[window.own_start] : tokens.starts[window.own_end - 1]]
        assert units_between(judged, chosen.unit) == 0


@given(text=TEXTS, how=cuts())
@settings(deadline=None, derandomize=True, max_examples=200)
def test_units_are_cut_only_where_they_are_too_long(
    tokenizer: PreTrainedTokenizerFast, text: str, how: tuple[WindowSettings, int]
) -> None:
    chosen, room = how
    tokens, windows = cut(text, tokenizer, settings=chosen, room=room)
    longest = room - 2 * chosen.context
    units = [windows[:1]]
    for left, right in pairwise(windows):
        if units_between(text[tokens.starts[left.own_end - 1] : tokens.starts[right.own_start]], chosen.unit):
            units.append([])
        else:
            assert left.end - right.start >= min(chosen.stride, longest // 2)
        units[-1].append(right)
    for unit in units:
        assert len(unit) <= 1 or unit[-1].own_end - unit[0].own_start > longest


@given(text=TEXTS, stride=st.integers(0, 32), room=st.integers(1, 62))
@settings(deadline=None, derandomize=True)
def test_tokens_are_judged_where_they_see_most(
    wordpiece: PreTrainedTokenizerFast, text: str, stride: int, room: int
) -> None:
    chosen = WindowSettings(unit="tokens", max_tokens=64, stride=stride)
    _, windows = cut(text, wordpiece, settings=chosen, room=room)
    for window in windows:
        for token in range(window.own_start, window.own_end):
            views = [min(token - w.start, w.end - 1 - token) for w in windows if w.start <= token < w.end]
            assert min(token - window.start, window.end - 1 - token) >= max(views) - 1


@given(text=TEXTS)
@settings(deadline=None, derandomize=True)
def test_one_window_for_each_line_that_fits(wordpiece: PreTrainedTokenizerFast, text: str) -> None:
    chosen = WindowSettings(unit="line", max_tokens=8192)
    _, windows = cut(text, wordpiece, settings=chosen, room=8190)
    assert len(windows) == sum(bool(line.strip()) for line in re.split(r"[\r\n]", text))


@pytest.mark.parametrize(
    ("text", "paragraphs"),
    [
        ("no\r\nfever", 1),
        ("no\nfever", 1),
        ("no\rfever", 1),
        ("no\n\nfever", 2),
        ("no\r\n\r\nfever", 2),
        ("no\r\rfever", 2),
        ("no\n \t\nfever", 2),
        ("no\r\n\u3000\r\n\r\nfever", 2),
        ("\n\nno\n\n\n\nfever\n\n", 2),
    ],
)
def test_a_paragraph_ends_with_an_empty_line(wordpiece: PreTrainedTokenizerFast, text: str, paragraphs: int) -> None:
    _, windows = cut(text, wordpiece, settings=WindowSettings(unit="paragraph"), room=254)
    assert len(windows) == paragraphs


def test_context_is_seen_across_lines_and_not_judged(wordpiece: PreTrainedTokenizerFast) -> None:
    chosen = WindowSettings(unit="line", max_tokens=16, stride=0, context=1)
    _, windows = cut("no fever\nno rash\nno pain", wordpiece, settings=chosen, room=14)
    assert [(w.start, w.own_start, w.own_end, w.end) for w in windows] == [(0, 0, 2, 3), (1, 2, 4, 5), (3, 4, 6, 6)]


@pytest.mark.parametrize("text", ["", " \r\n\u3000"])
@pytest.mark.parametrize("unit", ["line", "paragraph", "tokens"])
def test_a_document_without_tokens_has_no_window(tokenizer: PreTrainedTokenizerFast, text: str, unit: str) -> None:
    chosen = WindowSettings.model_validate({"unit": unit})
    assert cut(text, tokenizer, settings=chosen, room=10)[1] == []


def test_capacity_leaves_room_for_special_tokens(tokenizer: PreTrainedTokenizerFast) -> None:
    assert capacity(WindowSettings(max_tokens=256), tokenizer=tokenizer, positions=512) == 254
    assert capacity(WindowSettings(max_tokens=256), tokenizer=tokenizer, positions=64) == 62


def test_context_that_fills_the_encoder_is_refused(wordpiece: PreTrainedTokenizerFast) -> None:
    chosen = WindowSettings(max_tokens=256, context=31)
    with pytest.raises(UsageError, match=r"context 31 .* 62 tokens") as caught:
        capacity(chosen, tokenizer=wordpiece, positions=64)
    assert caught.value.remedy
    assert capacity(chosen, tokenizer=wordpiece, positions=65) == 63


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_tokens": 7},
        {"max_tokens": 8193},
        {"stride": -1},
        {"context": -1},
        {"unit": "page"},
        {"max_tokens": 64, "stride": 33},
        {"max_tokens": 64, "context": 17},
        {"length": 3},
    ],
)
def test_settings_out_of_range_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        WindowSettings.model_validate(wrong)


def test_a_token_belongs_to_the_unit_in_which_it_starts() -> None:
    """Also where it spans a line break."""
    tokens = Tokens(ids=np.arange(3), starts=np.array([0, 2, 7]), ends=np.array([2, 7, 9]))
    windows = make_windows("ab cd\nef\n", tokens, document=0, settings=WindowSettings(), capacity=10)
    assert [(w.own_start, w.own_end) for w in windows] == [(0, 2), (2, 3)]
