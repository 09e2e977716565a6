"""A figure as SVG text: the same bytes for the same figure, words as text, ids that clash with no other figure's."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator
from typing import Final
from xml.dom import minidom

import matplotlib
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

DECLARATION: Final = '<?xml version="1.0" encoding="utf-8"?>\n'
_REFERENCE = re.compile(r"(^|url\()#")
_FONT = re.compile(r"\s*font-family:[^;]*;?")
_NO_ROTATION = re.compile(r"rotate\(-?0(\s[^)]*)?\)")


def svg_text(figure: Figure, *, name: str, title: str, description: str) -> str:
    """The `<svg>` element, for a page or, after `DECLARATION`, for a file.

    name: prefix of every id, so that several figures fit in one page. title, description: for those who cannot see
    it; any text. The type is the reader's sans-serif.
    """
    FigureCanvasSVG(figure)
    stream = io.BytesIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    with matplotlib.rc_context({"svg.hashsalt": name}), warnings.catch_warnings():
        # words are written as text: the reader's fonts need to have the glyph, not those that measure it
        warnings.filterwarnings("ignore", message="Glyph .* missing from font", category=UserWarning)
        figure.savefig(stream, format="svg", metadata=nothing)
    document = minidom.parseString(stream.getvalue())
    root = document.documentElement
    assert root is not None
    for unused in [*root.getElementsByTagName("metadata"), *root.getElementsByTagName("style")]:
        assert unused.parentNode is not None
        unused.parentNode.removeChild(unused)
    for element in _elements(root):
        _tidy(element, name=name)
    _describe(document, root, name=name, title=title, description=description)
    return root.toxml()


def _elements(root: minidom.Element) -> Iterator[minidom.Element]:
    yield root
    yield from root.getElementsByTagName("*")


def _tidy(element: minidom.Element, *, name: str) -> None:
    for key, value in list(element.attributes.items()):
        if key == "id":
            element.setAttribute(key, f"{name}-{value}")
        elif key in ("xlink:href", "clip-path", "mask", "filter", "fill", "style"):
            element.setAttribute(key, _FONT.sub("", _REFERENCE.sub(rf"\g<1>#{name}-", value)))
        elif key == "transform":
            moved = _NO_ROTATION.sub("", value).strip()
            element.setAttribute(key, moved) if moved else element.removeAttribute(key)


def _describe(document: minidom.Document, root: minidom.Element, *, name: str, title: str, description: str) -> None:
    for tag, words in (("desc", description), ("title", title)):
        element = document.createElement(tag)
        element.setAttribute("id", f"{name}-{tag}")
        element.appendChild(document.createTextNode(words))
        root.insertBefore(element, root.firstChild)
    for key, value in (
        ("id", name),
        ("role", "img"),
        ("aria-label", title),
        ("aria-describedby", f"{name}-desc"),
        ("font-family", "sans-serif"),
        # what matplotlib says by a style for every element, in a page also for those of others
        ("stroke-linejoin", "round"),
        ("stroke-linecap", "butt"),
    ):
        root.setAttribute(key, value)
