"""Stores come back from disk as they were, hold no text, and say which training mentions decided."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from raretag.corpus import Document
from raretag.errors import DataError, UsageError
from raretag.probability import NeighbourSettings, Scores
from raretag.probability.neighbours import (
    ClusteredSearch,
    ExactSearch,
    FaissSearch,
    Neighbour,
    StoredNeighbours,
    explain,
    with_texts,
)
from raretag.tagging import Tokens, build_schema

SCHEMA = build_schema(["Dose", "Drug"])
TAGS = len(SCHEMA.tags)
O, B, I = 0, 3, 4  # noqa: E741
TEXTS = {"a": "took aspirin plus daily now", "b": "aspirin forte helps", "empty": "", "c": "nothing happened there"}
GOLD = {"a": [O, B, I, -100, O], "b": [B, I, O], "empty": [], "c": [O, O, O]}


def scores_of(name: str, *, seed: int = 0) -> Scores:
    words = TEXTS[name].split()
    ends = np.cumsum([len(word) + 1 for word in words]).astype(np.int64) - 1
    starts = ends - np.array([len(word) for word in words], dtype=np.int64)
    rng = np.random.default_rng([seed, len(name), *map(ord, name)])
    return Scores(
        document=name,
        tokens=Tokens(ids=np.full(len(words), -1), starts=starts, ends=ends),
        probabilities=np.full((len(words), TAGS), 1 / TAGS, np.float32),
        hidden=rng.standard_normal((len(words), 6)).astype(np.float32),
    )


@pytest.fixture(scope="module")
def store() -> StoredNeighbours:
    return StoredNeighbours.of(
        [scores_of(name) for name in TEXTS], [np.array(GOLD[name], np.int64) for name in TEXTS], schema=SCHEMA
    )


def hidden(name: str) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    states = scores_of(name).hidden
    assert states is not None
    return np.asarray(states)


def test_tokens_without_a_tag_are_left_out_and_places_kept(store: StoredNeighbours) -> None:
    assert len(store) == 10
    np.testing.assert_array_equal(store.datastore.owners, [0] * 4 + [1] * 3 + [3] * 3)
    np.testing.assert_array_equal(store.datastore.tags, [O, B, I, O, B, I, O, O, O, O])
    places = zip(store.datastore.owners, store.starts, store.ends, strict=True)
    words = [TEXTS[store.documents[owner]][start:end] for owner, start, end in places]
    assert words[:4] == ["took", "aspirin", "plus", "now"]
    np.testing.assert_array_equal(store.owners_of(["c", "unknown", "a"]), [3, -1, 0])


def test_a_store_comes_back_from_disk_as_it_was(store: StoredNeighbours, tmp_path: Path) -> None:
    path = tmp_path / "neighbours.safetensors"
    store.save(path)
    back = StoredNeighbours.load(path)
    assert (back.documents, back.schema) == (store.documents, store.schema)
    for name in ("starts", "ends", "runs"):
        np.testing.assert_array_equal(getattr(back, name), getattr(store, name))
    np.testing.assert_array_equal(back.datastore.keys[:], store.datastore.keys[:])
    asked = NeighbourSettings(neighbours=4)
    votes = [one.datastore.votes(hidden("b"), tags=TAGS, settings=asked) for one in (store, back)]
    np.testing.assert_array_equal(votes[0], votes[1])
    assert [one.name for one in tmp_path.iterdir()] == [path.name]
    content = path.read_bytes()
    assert not [word for text in TEXTS.values() for word in text.split() if len(word) > 4 and word.encode() in content]
    store.mentions().save(path)
    assert len(StoredNeighbours.load(path)) == 4


def test_a_store_is_small(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    n, width = 20_000, 384
    scores = Scores(
        document="long",
        tokens=Tokens(ids=np.zeros(n, np.int64), starts=np.arange(n), ends=np.arange(n) + 1),
        probabilities=np.full((n, TAGS), 1 / TAGS, np.float32),
        hidden=rng.standard_normal((n, width)).astype(np.float32),
    )
    path = tmp_path / "s.safetensors"
    StoredNeighbours.of([scores], [np.zeros(n, np.int64)], schema=SCHEMA).save(path)
    assert path.stat().st_size / n < 500


def test_files_that_hold_no_store(store: StoredNeighbours, tmp_path: Path) -> None:
    path = tmp_path / "neighbours.safetensors"
    store.save(path)
    content = path.read_bytes()
    (tmp_path / "none").write_bytes(b"")
    (tmp_path / "short").write_bytes(content[:-70])
    (tmp_path / "other").write_bytes(content.replace(b'"runs"', b'"rums"'))
    (tmp_path / "damaged").write_bytes(content.replace(b"I-Drug", b"I-Dxxx"))
    for name in ("none", "short", "other", "damaged", "absent"):
        with pytest.raises(DataError, match="holds no store of neighbours"):
            StoredNeighbours.load(tmp_path / name)


def test_stores_that_cannot_be() -> None:
    scores = scores_of("b")
    with pytest.raises(UsageError, match="keeps labels apart"):
        StoredNeighbours.of([scores], [np.zeros((3, 2), np.int64)], schema=build_schema(["Dose", "Drug"], layered=True))
    with pytest.raises(DataError, match="no token has a gold tag"):
        StoredNeighbours.of([scores], [np.full(3, -100)], schema=SCHEMA)
    bare = Scores(document="b", tokens=scores.tokens, probabilities=scores.probabilities)
    with pytest.raises(ValueError, match="score with them"):
        StoredNeighbours.of([bare], [np.zeros(3, np.int64)], schema=SCHEMA)
    outside = StoredNeighbours.of([scores], [np.zeros(3, np.int64)], schema=SCHEMA)
    with pytest.raises(DataError, match="no stored token is in a mention"):
        outside.mentions()


def test_runs_are_mentions() -> None:
    tags = np.array([B, I, B, I, 1, O, O, 2, 4, -100, 4])
    many = [Scores(document=str(n), tokens=_row(11), probabilities=_even(11), hidden=np.ones((11, 2))) for n in (0, 1)]
    found = StoredNeighbours.of(many, [tags, tags], schema=SCHEMA)
    # the −100 parts the two last tokens, and the second document begins anew
    np.testing.assert_array_equal(np.diff(found.runs[:10]), [0, 1, 0, 1, 1, 1, 1, 1, 2])
    assert found.runs[10] > found.runs[9]
    io = build_schema(["Dose", "Drug"], scheme="IO")
    apart = Scores(document="x", tokens=_row(4), probabilities=np.full((4, 3), 1 / 3, np.float32), hidden=np.eye(4))
    inside = StoredNeighbours.of([apart], [np.array([1, 1, 0, 1])], schema=io).mentions()
    np.testing.assert_array_equal(inside.runs, [0, 0, 2])


def _row(number: int) -> Tokens:
    return Tokens(ids=np.zeros(number, np.int64), starts=np.arange(number) * 2, ends=np.arange(number) * 2 + 1)


def _even(number: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.full((number, TAGS), 1 / TAGS, np.float32)


@pytest.mark.parametrize("gamma", [0.0, 1.0])
@pytest.mark.parametrize("document", [None, "a"])
def test_an_explanation_adds_up_the_votes(store: StoredNeighbours, gamma: float, document: str | None) -> None:
    settings = NeighbourSettings(neighbours=6, temperature=0.3, prior_exponent=gamma)
    queries = hidden("a")[1:3]
    found = explain(store, queries, settings=settings, document=document, number=100)
    assert sum(one.share for one in found) == pytest.approx(1)
    assert [one.share for one in found] == sorted((one.share for one in found), reverse=True)
    if document is not None:
        assert document not in {one.document for one in found}
    owners = None if document is None else np.zeros(2, np.int64)
    votes = store.datastore.votes(queries, tags=TAGS, settings=settings, owners=owners).mean(axis=0)
    for label, tags in ((None, [O]), ("Dose", [1, 2]), ("Drug", [B, I])):
        told = sum(one.share for one in found if one.label == label)
        assert told == pytest.approx(votes[tags].sum(), abs=1e-9)
    assert explain(store, queries, settings=settings, document=document, number=2) == found[:2]


@pytest.mark.parametrize("search", [ExactSearch, FaissSearch, partial(ClusteredSearch, probes=10**6)])
def test_a_store_from_disk_explains_as_the_one_in_memory(store: StoredNeighbours, tmp_path: Path, search: Any) -> None:
    store.save(tmp_path / "neighbours.safetensors")
    back = StoredNeighbours.load(tmp_path / "neighbours.safetensors", search=search)
    asked = NeighbourSettings(neighbours=6, temperature=0.3)
    for document in (None, "a"):
        found, expected = (
            explain(one, hidden("a")[1:3], settings=asked, document=document, number=100) for one in (back, store)
        )
        assert [(one.document, one.start, one.end, one.label) for one in found] == [
            (one.document, one.start, one.end, one.label) for one in expected
        ]
        assert [one.share for one in found] == pytest.approx([one.share for one in expected], abs=0.01)


def test_a_mention_is_explained_by_itself_if_nothing_is_left_out(store: StoredNeighbours) -> None:
    sharp = NeighbourSettings(neighbours=1, temperature=0.01)
    (first,) = explain(store, hidden("b")[:2], settings=sharp)
    assert first == Neighbour(document="b", start=0, end=13, label="Drug", cosine=first.cosine, share=first.share)
    assert first.share == pytest.approx(1)
    assert first.cosine == pytest.approx(1, abs=1e-2)
    documents = [Document(id=name, text=text) for name, text in TEXTS.items()]
    assert with_texts([first], documents) == ((first, "aspirin forte"),)
    with pytest.raises(DataError, match="1 of the neighbours' documents"):
        with_texts([first], documents[:1])
    with pytest.raises(DataError, match="not as they were"):
        with_texts([first], [Document(id="b", text="short")])


def test_mentions_alone_explain_by_mentions_alone(store: StoredNeighbours) -> None:
    settings = NeighbourSettings(store="mentions", temperature=1)
    with pytest.raises(UsageError, match="mentions alone"):
        explain(store, hidden("c"), settings=settings)
    found = explain(store.mentions(), hidden("c"), settings=settings)
    assert {(one.document, one.start, one.end, one.label) for one in found} == {
        ("a", 5, 17, "Drug"),
        ("b", 0, 13, "Drug"),
    }


def test_where_nobody_is_left_to_vote_nothing_explains(store: StoredNeighbours) -> None:
    alone = StoredNeighbours.of([scores_of("b")], [np.array(GOLD["b"])], schema=SCHEMA)
    assert explain(alone, hidden("b"), settings=NeighbourSettings(), document="b") == ()
    with pytest.raises(ValueError, match="needs a token"):
        explain(store, hidden("b")[:0], settings=NeighbourSettings())
