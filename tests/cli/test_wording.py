"""Users' own words stay on their line; nouns agree with numbers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raretag.cli.wording import counted, shown


@given(st.text())
def test_what_is_shown_is_printable(text: str) -> None:
    assert shown(text).isprintable()
    assert shown(text) == text or not text.isprintable()


@pytest.mark.parametrize(
    ("text", "expected"),
    [("病名", "病名"), ("a\x1b[31mb", "a\\x1b[31mb"), ("a\nb\u202e", "a\\nb\\u202e"), ("[red]:pill:", "[red]:pill:")],
)
def test_control_characters_are_escaped(text: str, expected: str) -> None:
    assert shown(text) == expected


def test_counted() -> None:
    assert [counted(n, "document") for n in (0, 1, 2000)] == ["0 documents", "1 document", "2,000 documents"]
