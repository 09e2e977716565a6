"""From results to the files of the report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, final

from matplotlib.figure import Figure

from raretag.experiments.biaslab.results import BiasLabResults
from raretag.reporting.biaslab import captions
from raretag.reporting.biaslab.amplification_figure import amplification_figure
from raretag.reporting.biaslab.captions import Caption
from raretag.reporting.biaslab.page import Picture, page
from raretag.reporting.biaslab.predicted_figure import predicted_figure
from raretag.reporting.biaslab.sections import Section, sections
from raretag.reporting.biaslab.share_figure import gradient_share_figure
from raretag.reporting.files import write_whole
from raretag.reporting.style import house_style, in_figure
from raretag.reporting.svg import DECLARATION, svg_text

PAGE: Final = "biaslab.html"
_FIGURES: Final[tuple[tuple[Caption, Callable[[Section], Figure], Callable[[Section], str]], ...]] = (
    (captions.PREDICTED, predicted_figure, captions.predicted_words),
    (captions.AMPLIFICATION, amplification_figure, captions.amplification_words),
    (captions.GRADIENT_SHARE, gradient_share_figure, captions.gradient_share_words),
)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class BiasLabReport:
    """Where the page and the figures are; three figures a set of marginals, in the order of the page."""

    page: Path
    figures: tuple[Path, ...]


def write_bias_lab_report(results: BiasLabResults, *, folder: Path) -> BiasLabReport:
    """Write the figures as SVG and one page, complete in itself, into `folder`; each file whole or not at all.

    For each set of marginals `predicted-SLUG.svg`, `amplification-SLUG.svg` and `gradient-share-SLUG.svg`, and
    `biaslab.html`, which holds them all. The same results give the same bytes. Files of these names are replaced.
    Raises DataError where `folder` cannot be written to, ValueError where the results hold no summary.
    """
    parts = sections(results)
    pictures = {section.slug: _pictures(section) for section in parts}
    figures = []
    for drawn in pictures.values():
        for picture in drawn:
            figures.append(folder / f"{picture.name}.svg")
            write_whole(figures[-1], text=f"{DECLARATION}{picture.svg}\n")
    write_whole(folder / PAGE, text=page(results, parts=parts, pictures=pictures))
    return BiasLabReport(page=folder / PAGE, figures=tuple(figures))


def _pictures(section: Section) -> tuple[Picture, ...]:
    drawn = []
    with house_style():
        for caption, figure, words in _FIGURES:
            name = f"{caption.file}-{section.slug}"
            title = f"{caption.heading}, {section.marginals}"
            svg = svg_text(
                figure(section),
                name=name,
                title=in_figure(title, longest=200),
                description=in_figure(words(section), longest=4000),
            )
            drawn.append(Picture(name=name, svg=svg, caption=caption))
    return tuple(drawn)
