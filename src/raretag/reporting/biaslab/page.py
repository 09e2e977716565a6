"""The page: everything that the template shows, and the template's environment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from raretag.experiments.biaslab.results import PRIORS, READINGS, BiasLabResults, Phase, Verdict
from raretag.reporting.biaslab import numbers
from raretag.reporting.biaslab.captions import Caption
from raretag.reporting.biaslab.facts import PART_WORDS, all_settings, facts
from raretag.reporting.biaslab.sections import Entry, Section

# a sign beside each verdict's word, so that no reader needs the colour
SIGNS: Final[dict[Verdict, str]] = {
    "preserves": "=",
    "amplifies": "▲",
    "flattens": "▼",
    "reverses": "⇅",
    "shifts": "◆",
    "undecided": "?",
}


# what the text tells of labels, by the design that drew them
TOLD: Final[Mapping[str, str]] = {
    "token": "the text tells nothing of them, and a model knows only what it learned by heart",
    "mention": "the text tells where mentions are, but not which label they have",
    "word-type": "a word has the same label everywhere, which training can find out",
}


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A figure as it stands on the page. name: its id, and its file without the suffix. svg: the `<svg>` element."""

    name: str
    svg: str
    caption: Caption

    @property
    def markup(self) -> Markup:
        """The element itself, which the template does not escape: it was made here, all words in it escaped."""
        return Markup(self.svg)


def page(results: BiasLabResults, *, parts: Sequence[Section], pictures: Mapping[str, Sequence[Picture]]) -> str:
    """One HTML document without script and without anything to load. pictures: by the slug of the section."""
    environment = Environment(
        loader=PackageLoader("raretag.reporting.biaslab"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "share": numbers.share,
        "number": numbers.number,
        "range": numbers.spread_range,
        "missing": numbers.missing_seeds,
        "never": numbers.never_predicted,
    }
    return environment.get_template("page.html").render(
        results=results,
        sections=parts,
        pictures=pictures,
        mechanisms=_by_mechanism(parts),
        facts=facts(results),
        told=TOLD.get(str(results.settings.get("design")), TOLD["token"]),
        settings=all_settings(results),
        signs=SIGNS,
        part_words=PART_WORDS,
        priors=PRIORS,
        readings=READINGS,
        phases=_phases,
        dash=numbers.DASH,
    )


def _by_mechanism(parts: Sequence[Section]) -> dict[str, tuple[Entry | None, ...]]:
    """For each mechanism its entry in every section, None where it was not run there."""
    names = dict.fromkeys(entry.mechanism for section in parts for entry in section.entries)
    found = [{entry.mechanism: entry for entry in section.entries} for section in parts]
    return {name: tuple(entries.get(name) for entries in found) for name in names}


def _phases(entry: Entry) -> tuple[tuple[str, Phase], ...]:
    """The times of training that the full grid shows, the end first."""
    before = entry.summary.before
    end = ("End of training", entry.summary.end)
    return (end,) if before is None else (end, ("Before memorisation", before))
