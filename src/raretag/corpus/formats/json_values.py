"""Reading JSON without surprises: strict types, no unpaired surrogates, errors that show no text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from raretag.corpus.document import Mention
from raretag.corpus.formats.collect import Findings, is_span
from raretag.corpus.formats.files import clean
from raretag.errors import DataError


def parse(text: str, *, path: Path, line: int) -> tuple[object, bool]:
    """The value of a JSON text that starts at a line of a file, and whether characters had to be replaced by U+FFFD.

    Raises DataError with the line where it is no JSON (or is nested too deeply, or has a number too long).
    """
    try:
        value: object = json.loads(text)
        # Only an escape can bring in a NUL or a surrogate: the file itself is UTF-8 without NUL.
        cleaned = _clean(value) if "\\u" in text else value
        replaced = cleaned is not value and cleaned != value
    except json.JSONDecodeError as error:
        place = line + error.lineno - 1
        raise DataError(
            f"not JSON at column {error.colno}", remedy="Export the file again", file=path, line=place
        ) from None
    except (ValueError, RecursionError):
        what = "not usable JSON: nested too deeply or with a number too long"
        raise DataError(what, remedy="Export the file again", file=path, line=line) from None
    return cleaned, replaced


def _clean(value: object) -> object:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        return [_clean(item) for item in value]
    if isinstance(value, dict):
        return {clean(key): _clean(item) for key, item in value.items()}
    return value


def is_empty(value: object) -> bool:
    """Whether the value holds nothing: null, an empty string, list or object."""
    return value is None or value == "" or value == [] or value == {}


def as_offset(value: object) -> int | None:
    """The value if it is an offset: an integer from 0, not a boolean."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def as_id(value: object) -> str | None:
    """The value as an id: a string that is not empty, or an integer written out; else None."""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return None
    return str(value) or None


def as_score(value: object) -> float | None:
    """The value if it is a probability in [0, 1], else None."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if 0 <= value <= 1 else None


def as_pair(value: object) -> tuple[int, int] | None:
    """The value if it is a list of two offsets, else None."""
    if not isinstance(value, list) or len(value) != 2:
        return None
    start, end = as_offset(value[0]), as_offset(value[1])
    return None if start is None or end is None else (start, end)


def strings(value: object, *, findings: Findings, key: str, document: str | None) -> dict[str, str]:
    """An object's plain values as strings (true, false and numbers as in JSON); others are `json.value` Findings."""
    if is_empty(value):
        return {}
    if not isinstance(value, Mapping):
        findings.once("json.value", key=key, document=document)
        return {}
    found: dict[str, str] = {}
    for name, item in value.items():
        if isinstance(item, str):
            found[name] = item
        elif isinstance(item, (bool, int, float)):
            found[name] = json.dumps(item)
        elif not is_empty(item):
            findings.once("json.value", key=name, document=document)
    return found


def mention_of(
    label: object,
    *,
    parts: tuple[tuple[int, int], ...] | None,
    length: int,
    score: float | None = None,
    note: str | None = None,
    id_: str | None = None,
) -> Mention | None:
    """A mention, or None where the label is no string or the parts are no span of a text of this length."""
    if not isinstance(label, str) or not label or parts is None or not is_span(parts, length=length):
        return None
    return Mention(
        label=label,
        start=parts[0][0],
        end=parts[-1][1],
        fragments=parts if len(parts) > 1 else (),
        score=score,
        note=note,
        id=id_,
    )
