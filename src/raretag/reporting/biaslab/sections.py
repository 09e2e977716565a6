"""Results sorted for reading: one section a set of marginals, one entry a mechanism, in the order of the summaries."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import final

from raretag.experiments.biaslab.results import BiasLabResults, Conclusion, Run, Summary

_LONGEST_SLUG = 60


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A mechanism in a section: its summary, its runs by seed, and its conclusion where there is one."""

    summary: Summary
    runs: tuple[Run, ...]
    conclusion: Conclusion | None

    @property
    def mechanism(self) -> str:
        """The mechanism's name, a user's word."""
        return self.summary.mechanism


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """All of one set of marginals. slug: its name for files and anchors, unlike that of any other section.

    labels: of all its mechanisms, `O` first.
    """

    marginals: str
    slug: str
    labels: tuple[str, ...]
    entries: tuple[Entry, ...]


def sections(results: BiasLabResults) -> tuple[Section, ...]:
    """At least one section. Raises ValueError where the results hold no summary."""
    if not results.summaries:
        raise ValueError("results without a summary: there is nothing to report")
    names = tuple(dict.fromkeys(summary.marginals for summary in results.summaries))
    return tuple(_section(results, marginals=name, slug=slug) for name, slug in zip(names, slugs(names), strict=True))


def slugs(names: Iterable[str]) -> tuple[str, ...]:
    """Names for files, of `a-z 0-9 . -` only and all different: `60/25/10/4/1 %` becomes `60-25-10-4-1`."""
    found: list[str] = []
    for name in names:
        plain = re.sub(r"[^a-z0-9.]+", "-", name.lower())[:_LONGEST_SLUG].strip("-.") or "marginals"
        slug, number = plain, 1
        while slug in found:
            number += 1
            slug = f"{plain}-{number}"
        found.append(slug)
    return tuple(found)


def _section(results: BiasLabResults, *, marginals: str, slug: str) -> Section:
    runs = [run for run in results.runs if run.marginals == marginals]
    conclusions = {one.mechanism: one for one in results.conclusions if one.marginals == marginals}
    summaries = [summary for summary in results.summaries if summary.marginals == marginals]
    return Section(
        marginals=marginals,
        slug=slug,
        labels=tuple(dict.fromkeys(label for summary in summaries for label in summary.labels)),
        entries=tuple(
            Entry(
                summary=summary,
                runs=tuple(run for run in runs if run.mechanism == summary.mechanism),
                conclusion=conclusions.get(summary.mechanism),
            )
            for summary in summaries
        ),
    )
