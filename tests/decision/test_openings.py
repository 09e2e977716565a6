"""Openings of test documents: each set once, in order, and damage is told."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from raretag.decision.openings import OPENINGS, Openings, record_opening
from raretag.errors import DataError
from raretag.training.run_folder import RunFolder


def test_each_set_of_documents_is_opened_once(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    assert Openings.of(run).openings == ()
    for documents in ({"a": "1"}, {"a": "1", "b": "2"}, {"b": "2", "a": "1"}, {"a": "1"}, {"a": "3"}):
        record_opening(run, documents)
    told = Openings.of(run).openings
    assert [dict(one.documents) for one in told] == [{"a": "1"}, {"a": "1", "b": "2"}, {"a": "3"}]
    assert len({one.sha256 for one in told}) == 3
    assert [one.at for one in told] == sorted(one.at for one in told)


def test_openings_at_the_same_moment_are_all_kept(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: record_opening(run, {f"d{number}": "1"}), range(24)))
    assert {name for one in Openings.of(run).openings for name in one.documents} == {f"d{n}" for n in range(24)}


@pytest.mark.parametrize("content", ["{", "[]", '{"openings": [{"at": "x"}]}', '{"closed": []}'])
def test_damage(tmp_path: Path, content: str) -> None:
    (tmp_path / OPENINGS).write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=r"openings\.json"):
        Openings.of(RunFolder(tmp_path))
