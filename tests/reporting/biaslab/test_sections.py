"""Results in the order of reading, and names for files."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raretag.experiments.biaslab.results import BiasLabResults
from raretag.reporting.biaslab.sections import sections, slugs


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("60/25/10/4/1 %", "60-25-10-4-1"),
        ("99.5/0.5 %", "99.5-0.5"),
        ("../../etc", "etc"),
        ("%", "marginals"),
        ("Häufig <b>", "h-ufig-b"),
    ],
)
def test_a_name_becomes_a_safe_slug(name: str, slug: str) -> None:
    assert slugs([name]) == (slug,)


@given(names=st.lists(st.text(max_size=80), max_size=8, unique=True))
@settings(deadline=None, derandomize=True, max_examples=100)
def test_slugs_are_safe_and_all_different(names: list[str]) -> None:
    found = slugs(names)
    assert len(set(found)) == len(names)
    assert all(re.fullmatch(r"[a-z0-9][a-z0-9.-]*", slug) for slug in found)


def test_each_entry_has_its_own_runs_and_conclusion(make_results: Callable[..., BiasLabResults]) -> None:
    results = make_results(labels=("O", "M"), marginals={"99/1 %": (0.99, 0.01), "60/40 %": (0.6, 0.4)})
    found = sections(results)
    assert [section.slug for section in found] == ["99-1", "60-40"]
    for section in found:
        assert [entry.mechanism for entry in section.entries] == ["plain", "amplifier", "flattener"]
        assert section.labels == ("O", "M")
        for entry in section.entries:
            assert [run.seed for run in entry.runs] == [1, 2]
            assert {(run.mechanism, run.marginals) for run in entry.runs} == {(entry.mechanism, section.marginals)}
            assert entry.conclusion is not None
            assert (entry.conclusion.mechanism, entry.conclusion.marginals) == (entry.mechanism, section.marginals)


def test_without_a_summary_there_is_nothing_to_report(make_results: Callable[..., BiasLabResults]) -> None:
    with pytest.raises(ValueError, match="without a summary"):
        sections(make_results().model_copy(update={"summaries": ()}))
