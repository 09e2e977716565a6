"""Figures as SVG text."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import matplotlib
from matplotlib.figure import Figure

from raretag.reporting.style import house_style, in_figure
from raretag.reporting.svg import svg_text

SVG = "{http://www.w3.org/2000/svg}"


def drawn(name: str, *, word: str = "word") -> str:
    with house_style():
        figure = Figure(figsize=(4, 3))
        axes = figure.add_axes((0.1, 0.1, 0.8, 0.8))
        axes.plot([1, 2], [1, 2], marker="o")
        axes.bar([1], [1], hatch="//")
        axes.text(1.2, 1.2, word, rotation=90)
        return svg_text(figure, name=name, title=f"title {word}", description="what it shows")


def test_the_same_figure_gives_the_same_text_whatever_the_users_own_settings() -> None:
    with matplotlib.rc_context({"font.size": 30, "svg.fonttype": "path", "lines.linewidth": 9}):
        other = drawn("a")
    assert other == drawn("a")


def test_settings_are_put_back() -> None:
    names = [name for name in matplotlib.rcParams if name != "backend"]
    with matplotlib.rc_context({"font.size": 30, "axes.grid": True}):
        before = {name: matplotlib.rcParams[name] for name in names}
        drawn("a")
        assert {name: matplotlib.rcParams[name] for name in names} == before


def test_words_stay_text_in_the_readers_type() -> None:
    text = drawn("a", word="$x$ <b> & _under 薬")
    root = ElementTree.fromstring(text)
    assert "$x$ <b> & _under 薬" in [element.text for element in root.iter(f"{SVG}text")]
    assert root.get("font-family") == "sans-serif"
    assert "DejaVu" not in text
    assert not re.search(r"matplotlib v|\d{4}-\d\d-\d\dT", text, re.IGNORECASE)


def test_it_is_described() -> None:
    root = ElementTree.fromstring(drawn("a", word="<script>"))
    assert root.get("role") == "img"
    assert root.get("aria-label") == root.findtext(f"{SVG}title") == "title <script>"
    assert root.findtext(f"{SVG}desc") == "what it shows"


def test_every_id_has_the_prefix_and_every_reference_a_target() -> None:
    ids = {}
    for name in ("a", "b"):
        text = drawn(name)
        found = [value for element in ElementTree.fromstring(text).iter() if (value := element.get("id"))]
        assert len(set(found)) == len(found)
        assert all(value == name or value.startswith(f"{name}-") for value in found)
        references = set(re.findall(r'(?:url\(|href=")#([^)"]+)', text))
        assert len(references) > 3
        assert references <= set(found)
        ids[name] = set(found)
    assert not ids["a"] & ids["b"]


def test_a_users_word_fits_a_figure() -> None:
    assert in_figure("a\nb\tc", longest=9) == "a b c"
    assert in_figure("a\x00b\u202ec", longest=9) == "a\ufffdb\ufffdc"
    assert in_figure("abcdefghij", longest=5) == "abcd…"
