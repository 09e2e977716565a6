"""Settings in YAML: what YAML would do in silence is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from raretag.errors import UsageError
from raretag.training.settings_layers import read_settings


def written(folder: Path, text: str) -> Path:
    file = folder / "some.yaml"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("a: 1\nb: 2\na: 3\n", r"some\.yaml:3: a is there twice, first in line 1\. Keep one"),
        ("a: {b: 1, b: 2}\n", r"some\.yaml:1: a\.b is there twice, first in line 1"),
        ("a:\n  - {b: 1}\n  - b: 1\n    c:\n      d: 1\n      'd': 2\n", r"some\.yaml:6: a\.c\.d is there twice"),
    ],
)
def test_a_key_that_is_there_twice(tmp_path: Path, text: str, part: str) -> None:
    with pytest.raises(UsageError, match=part):
        read_settings(written(tmp_path, text))


def test_keys_that_yaml_takes_for_something_else_are_told_once(tmp_path: Path) -> None:
    text = "labels:\n  1: {miss: 2}\n  No: {miss: 3}\n  2020-01-01: {miss: 4}\n  ~: 3\n  'Yes': {miss: 5}\n"
    with pytest.raises(UsageError) as told:
        read_settings(written(tmp_path, text))
    message = str(told.value)
    for part in (
        "labels.1 (line 2)",
        "labels.No (line 3)",
        "labels.2020-01-01 (line 4)",
        "labels.~ (line 5)",
        "quotes",
    ):
        assert message.count(part) == 1, part
    assert "Yes" not in message


@pytest.mark.parametrize(
    ("text", "content"),
    [
        ("a: 1\nb: {a: 2, 'No': 3}\n", {"a": 1, "b": {"a": 2, "No": 3}}),
        ("a.b: 1\na: {b: 2}\n", {"a.b": 1, "a": {"b": 2}}),
        # what an anchor repeats is no key twice, and a merged key may be given anew
        ("a: &x {b: 1}\nc: *x\nd: {<<: *x, b: 2}\n", {"a": {"b": 1}, "c": {"b": 1}, "d": {"b": 2}}),
        ("", {}),
    ],
)
def test_what_is_meant_is_read(tmp_path: Path, text: str, content: object) -> None:
    assert read_settings(written(tmp_path, text)) == content


def test_an_anchor_in_itself_ends(tmp_path: Path) -> None:
    content = read_settings(written(tmp_path, "a: &x\n  b: *x\n"))
    assert content["a"]["b"] is content["a"]
