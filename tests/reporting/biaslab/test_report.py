"""The files of the report, and the page read as a browser would."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest

from raretag.errors import DataError
from raretag.experiments.biaslab.results import BiasLabResults
from raretag.reporting import write_bias_lab_report

Make = Callable[..., BiasLabResults]
TWO = {"99/1 %": (0.99, 0.01), "60/40 %": (0.6, 0.4)}
HOSTILE = "<script>alert(\"x\")</script> & '$\\frac{1}{2}$' {{ 7 * 7 }}"
VOID = {"meta", "br", "link", "img", "hr", "input"}


class Page(HTMLParser):
    """Elements with attributes, the text of cells and headings; raises where tags are not closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.words: dict[str, list[str]] = {}
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {key: value or "" for key, value in attrs}))
        self.words.setdefault(tag, []).append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {key: value or "" for key, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        for tag in set(self.open):
            self.words[tag][-1] += data

    def texts(self, tag: str) -> list[str]:
        return [" ".join(words.split()) for words in self.words.get(tag, [])]


def written(results: BiasLabResults, folder: Path) -> tuple[str, Page]:
    text = write_bias_lab_report(results, folder=folder).page.read_text(encoding="utf-8")
    return text, Page(text)


def test_one_page_and_three_figures_for_each_set_of_marginals(make_results: Make, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "out"
    results = make_results(labels=("O", "M"), marginals=TWO, mechanisms={"one": 1.0})
    report = write_bias_lab_report(results, folder=folder)
    assert report.page == folder / "biaslab.html"
    assert [path.name for path in report.figures] == [
        f"{what}-{slug}.svg" for slug in ("99-1", "60-40") for what in ("predicted", "amplification", "gradient-share")
    ]
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        ["biaslab.html", *(path.name for path in report.figures)]
    )
    for path in report.figures:
        assert ElementTree.parse(path).getroot().tag == "{http://www.w3.org/2000/svg}svg"


def test_the_same_results_give_the_same_bytes(make_results: Make, tmp_path: Path) -> None:
    one, two = (
        write_bias_lab_report(make_results(mechanisms={"one": 1.0}), folder=tmp_path / name) for name in ("one", "two")
    )
    for a, b in zip([one.page, *one.figures], [two.page, *two.figures], strict=True):
        assert a.read_bytes() == b.read_bytes()


def test_the_page_is_complete_in_itself(make_results: Make, tmp_path: Path) -> None:
    text, page = written(make_results(labels=("O", "M"), marginals=TWO, mechanisms={"one": 1.0}), tmp_path)
    assert set(re.findall(r"https?://[^\"' <]*", text)) == {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }
    assert not {tag for tag, _ in page.elements} & {"script", "link", "img", "iframe", "object"}
    assert "@import" not in text
    assert [
        address for tag, held in page.elements if tag == "a" and not (address := held["href"]).startswith("#")
    ] == []
    assert len([tag for tag, _ in page.elements if tag == "svg"]) == 6
    # every id once, and every reference of a link, a label or a figure to one of them
    ids = [held["id"] for _, held in page.elements if "id" in held]
    assert len(set(ids)) == len(ids)
    targets = set(re.findall(r'(?:url\(|href=")#([^)"]+)', text)) | {
        held[key] for _, held in page.elements for key in ("aria-labelledby", "aria-describedby") if key in held
    }
    assert targets <= set(ids)


def test_the_page_can_be_read_by_ear(make_results: Make, tmp_path: Path) -> None:
    _, page = written(make_results(mechanisms={"one": 1.0}), tmp_path)
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert all(held.get("scope") in ("col", "row", "rowgroup") for tag, held in page.elements if tag == "th")
    for tag, held in page.elements:
        if tag == "svg":
            assert held["role"] == "img"
            assert held["aria-label"]
    assert ("html", {"lang": "en"}) in page.elements


def test_verdicts_sentences_and_measures_are_told(make_results: Make, tmp_path: Path) -> None:
    text, page = written(make_results(), tmp_path)
    conclusions = page.texts("li")
    assert len(conclusions) == 3
    for said, name, verdict in zip(
        conclusions, ("plain", "amplifier", "flattener"), ("preserves", "amplifies", "flattens"), strict=True
    ):
        assert name in said
        assert verdict in said
        assert said.endswith(f"{name} gives back what it gives back. It would not do otherwise.")
    rows = page.texts("tr")
    (summary,) = (row for row in rows if row.startswith("amplifier < 0.01 1.50"))
    assert "1.45 to 1.55" in summary
    assert "Problem, Drug, Device, Allergy" in summary
    # twelve readings of each mechanism at each of two times
    assert sum(bool(re.match("(hard|soft|sampled)", row)) for row in rows) == 3 * 2 * 12
    assert "each token gets a label of its own" in text
    assert "8,000 training, 4,000 held out" in text
    assert "windows.length" in text


def test_a_hostile_name_is_only_a_name(make_results: Make, tmp_path: Path) -> None:
    results = make_results(
        labels=("O", HOSTILE),
        marginals={f"{HOSTILE} %": (0.9, 0.1)},
        mechanisms={HOSTILE: 1.0},
        text=HOSTILE,
        about=HOSTILE,
    )
    text, page = written(results, tmp_path)
    assert "<script" not in text
    assert all(not key.startswith("on") for _, held in page.elements for key in held)
    assert page.texts("summary")[-1] == HOSTILE
    assert HOSTILE in page.texts("dd")
    assert HOSTILE in page.texts("th")
    for path in tmp_path.glob("*.svg"):
        assert not ElementTree.parse(path).getroot().findall(".//{*}script")
        assert re.fullmatch(r"[a-z0-9.-]+\.svg", path.name)


def test_what_is_undefined_is_a_dash(make_results: Make, tmp_path: Path) -> None:
    text, page = written(make_results(mechanisms={"one": None}, before=False), tmp_path)
    row = next(row for row in page.texts("tr") if row.startswith("one – –"))
    assert "None" not in row
    assert "nan" not in page.texts("main")[0]
    assert "A dash (–) means" in text
    assert "Before memorisation" not in text


def test_seeds_without_a_figure_are_told(make_results: Make, tmp_path: Path) -> None:
    results = make_results(mechanisms={"one": 1.0}, seeds=(1, 2))
    (summary,) = results.summaries
    cells = tuple(
        cell.model_copy(update={"amplification": cell.amplification.model_copy(update={"seeds": 1})})
        for cell in summary.end.cells
    )
    end = summary.end.model_copy(update={"cells": cells})
    some = results.model_copy(update={"summaries": (summary.model_copy(update={"end": end}),)})
    assert "1 of 2 seeds" in written(some, tmp_path)[0]
    assert "of 2 seeds" not in written(results, tmp_path)[0]


def test_a_mechanism_that_was_not_run_everywhere_or_has_no_conclusion(make_results: Make, tmp_path: Path) -> None:
    whole = make_results(labels=("O", "M"), marginals=TWO, mechanisms={"one": 1.0, "two": 2.0})
    part = whole.model_copy(
        update={
            "summaries": whole.summaries[:-1],
            "runs": tuple(run for run in whole.runs if (run.mechanism, run.marginals) != ("two", "60/40 %")),
            "conclusions": (),
        }
    )
    _, page = written(part, tmp_path)
    rows = page.texts("tr")
    assert rows[0] == "mechanism 99/1 % 60/40 %"
    assert rows[1:3] == ["one – 1.00 – 1.00", "two – 2.00 –"]


def test_a_folder_that_cannot_be_written_is_an_error_for_people(make_results: Make, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DataError, match="cannot be written"):
        write_bias_lab_report(make_results(mechanisms={"one": 1.0}), folder=tmp_path / "file")
