"""The syntax of inline XML: the names that carry structure, tags, attributes and character references."""

from __future__ import annotations

import re

from raretag.corpus.formats.files import clean

# Elements that hold one document, in any case; put another name here to read files that use it.
RECORD_NAMES = frozenset({"document", "doc", "record"})
# Elements that are a line of the text each, in this case only: labels such as `Date` are common.
LINE_NAMES = frozenset({"DATE", "TITLE", "S"})

_START = (
    r"A-Z_a-z\u00C0-\u00D6\u00D8-\u00F6\u00F8-\u02FF\u0370-\u037D\u037F-\u1FFF\u200C\u200D\u2070-\u218F\u2C00-\u2FEF"
    r"\u3001-\uD7FF\uF900-\uFDCF\uFDF0-\uFFFD\U00010000-\U000EFFFF"
)
_REST = _START + r"\-.0-9\u00B7\u0300-\u036F\u203F-\u2040"
_NAME = f"[{_START}][{_REST}]*"
NAME = re.compile(_NAME)
_NOT_START = re.compile(f"^(?![{_START}])")
_NOT_REST = re.compile(f"[^{_REST}]")
MARKUP = re.compile(
    rf"<!--.*?-->|<\?.*?\?>|<!DOCTYPE[^<>]*>|<!\[CDATA\[(?P<cdata>.*?)\]\]>"
    rf"|<(?P<close>/?)(?P<name>{_NAME}(?::{_NAME})?)(?P<rest>(?:[\s/][^<>]*)?)>",
    re.DOTALL,
)
_ATTRIBUTE = re.compile(rf"({_NAME})\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>/]+))")
_REFERENCE = re.compile(r"&(?:#([0-9]{1,7})|#[xX]([0-9a-fA-F]{1,6})|(lt|gt|amp|quot|apos));")
_NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"', "apos": "'"}
_ESCAPED = re.compile(r"[&<>\"\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\ufffe\uffff]")
_FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_NAMES = {character: f"&{name};" for name, character in _NAMED.items()}


def is_record(name: str) -> bool:
    """Whether the element holds one document."""
    return name.casefold() in RECORD_NAMES


def is_line(name: str) -> bool:
    """Whether the element is a line of the text."""
    return name in LINE_NAMES


def as_label(label: str) -> str:
    """The label as the name of an element that carries no structure; equal to the label where it can be."""
    name = _NOT_START.sub("_", _NOT_REST.sub("_", label))
    return f"{name}_" if is_record(name) or is_line(name) else name


def attributes(rest: str) -> dict[str, str]:
    """The attributes in what follows a tag's name; values may be quoted or not."""
    return {name: unescape(a or b or c) for name, a, b, c in _ATTRIBUTE.findall(rest)}


def unescape(text: str) -> str:
    """The text with the five named references and numeric ones replaced; others stay as they are."""
    return _REFERENCE.sub(_character, text) if "&" in text else text


def escape(text: str) -> str:
    """The text with markup and control characters (but line feeds) as references."""
    return _ESCAPED.sub(lambda match: _NAMES.get(match[0], f"&#{ord(match[0])};"), text)


def escape_attribute(text: str) -> str:
    """The same for the value of an attribute in double quotes, line feeds included."""
    return escape(text).replace("\n", "&#10;")


def has_forbidden(text: str) -> bool:
    """Whether the text holds a character that strict XML parsers refuse even as a reference."""
    return _FORBIDDEN.search(text) is not None


def _character(match: re.Match[str]) -> str:
    decimal, hexadecimal, name = match.groups()
    if name:
        return _NAMED[name]
    code = int(decimal) if decimal else int(hexadecimal, 16)
    return clean(chr(code)) if code <= 0x10FFFF else match[0]
