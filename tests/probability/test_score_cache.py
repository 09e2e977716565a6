"""The cache of scores: what is read is what was judged, nothing is judged twice, and no text is in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from raretag.corpus import Document
from raretag.errors import DataError
from raretag.mapped_arrays import MappedArrays, new_arrays
from raretag.probability import ScoreCache, Scores
from raretag.probability import score_cache as module
from raretag.tagging import Tokens, build_schema

SCHEMA = build_schema(["X", "Y"])


class Judge:
    """Random scores that depend on the text alone; remembers whom it was asked about."""

    def __init__(self, *, shape: tuple[int, ...] = (5,), width: int | None = None) -> None:
        self.shape, self.width = shape, width
        self.asked: list[str] = []

    def __call__(self, documents: Sequence[Document], /) -> list[Scores]:
        self.asked += [document.id for document in documents]
        return [self.one(document) for document in documents]

    def one(self, document: Document) -> Scores:
        words = document.text.split()
        rng = np.random.default_rng(len(document.text))
        starts = np.arange(len(words), dtype=np.int64) * 4
        tokens = Tokens(ids=np.full(len(words), 7, np.int64), starts=starts, ends=starts + 3)
        p = rng.dirichlet(np.full(self.shape[-1], 0.1), size=(len(words), *self.shape[:-1])).astype(np.float32)
        hidden = None if self.width is None else rng.normal(size=(len(words), self.width)).astype(np.float32)
        return Scores(document=document.id, tokens=tokens, probabilities=p, hidden=hidden)


def notes(*texts: str) -> list[Document]:
    return [Document(id=f"note-{number}", text=text) for number, text in enumerate(texts)]


DOCUMENTS = notes("abc def ghi", "", "jkl mno", "pqr stu vwx yza")


@pytest.mark.parametrize("layered", [False, True])
def test_what_is_read_is_what_was_judged(tmp_path: Path, layered: bool) -> None:
    schema = build_schema(["X", "Y"], layered=layered)
    judge = Judge(shape=schema.shape, width=6)
    ScoreCache(tmp_path, schema=schema).add_with_hidden(DOCUMENTS, judge)
    read = ScoreCache(tmp_path, schema=schema).scores(DOCUMENTS)
    assert len(read) == 4
    for document, one in zip(DOCUMENTS, read, strict=True):
        told = judge.one(document)
        assert one.document == document.id
        assert (one.tokens.starts == told.tokens.starts).all()
        assert (one.tokens.ends == told.tokens.ends).all()
        assert one.probabilities.dtype == np.float32
        # float16 logarithms: a factor of 1 ± 2^-11 |log p|
        allowed = 1e-6 + told.probabilities * (2**-11 * np.abs(np.log(told.probabilities + 1e-30)) + 1e-3)
        assert (np.abs(one.probabilities - told.probabilities) <= allowed).all()
        np.testing.assert_allclose(one.probabilities.sum(axis=-1), 1, atol=1e-6)
        assert one.hidden is not None
        assert told.hidden is not None
        np.testing.assert_allclose(one.hidden, told.hidden, atol=2e-3)


def test_impossible_tags_stay_impossible(tmp_path: Path) -> None:
    class Sure(Judge):
        def one(self, document: Document) -> Scores:
            p = np.zeros((len(document.text.split()), 5), dtype=np.float32)
            p[:, 2] = 1
            return replace(super().one(document), probabilities=p)

    cache = ScoreCache(tmp_path, schema=SCHEMA)
    cache.add(DOCUMENTS, Sure())
    assert cache.read(DOCUMENTS[0]).probabilities.tolist() == [[0, 0, 1, 0, 0]] * 3


def test_no_text_and_no_token_id_is_kept(tmp_path: Path) -> None:
    cache = ScoreCache(tmp_path, schema=SCHEMA)
    cache.add(DOCUMENTS, Judge())
    assert set(cache.read(DOCUMENTS[3]).tokens.ids.tolist()) == {-1}
    assert all(b"pqr" not in file.read_bytes() and b"note-" not in file.read_bytes() for file in tmp_path.iterdir())


def test_nothing_is_judged_twice(tmp_path: Path) -> None:
    judge = Judge()
    cache = ScoreCache(tmp_path, schema=SCHEMA)
    cache.add(DOCUMENTS[:2], judge)
    cache.add(DOCUMENTS, judge)
    ScoreCache(tmp_path, schema=SCHEMA).add(DOCUMENTS, judge)
    # the same text under another name
    cache.add([replace(DOCUMENTS[0], id="copy")], judge)
    assert judge.asked == ["note-0", "note-1", "note-2", "note-3"]
    assert cache.read(replace(DOCUMENTS[0], id="copy")).document == "copy"


def test_blanks_make_another_text_since_offsets_would_be_wrong(tmp_path: Path) -> None:
    cache = ScoreCache(tmp_path, schema=SCHEMA)
    cache.add(DOCUMENTS, Judge())
    other = replace(DOCUMENTS[0], text="abc  def ghi")
    assert other.fingerprint == DOCUMENTS[0].fingerprint
    assert other not in cache
    with pytest.raises(KeyError):
        cache.scores([other])


def test_hidden_states_are_asked_for_once(tmp_path: Path) -> None:
    cache = ScoreCache(tmp_path, schema=SCHEMA)
    cache.add(DOCUMENTS, Judge())
    assert cache.read(DOCUMENTS[0]).hidden is None
    judge = Judge(width=3)
    cache.add_with_hidden(DOCUMENTS, judge)
    cache.add_with_hidden(DOCUMENTS, judge)
    again = ScoreCache(tmp_path, schema=SCHEMA)
    assert len(judge.asked) == 4
    assert all(again.has_hidden(document) and again.read(document).hidden is not None for document in DOCUMENTS)


def test_what_was_judged_before_a_break_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_CHARACTERS", 12)
    judge = Judge()

    def breaking(documents: Sequence[Document], /) -> list[Scores]:
        if judge.asked:
            raise KeyboardInterrupt
        return judge(documents)

    with pytest.raises(KeyboardInterrupt):
        ScoreCache(tmp_path, schema=SCHEMA).add(DOCUMENTS, breaking)
    ScoreCache(tmp_path, schema=SCHEMA).add(DOCUMENTS, judge)
    assert judge.asked == ["note-0", "note-1", "note-2", "note-3"]


def test_a_part_can_be_looked_at_again_and_again(tmp_path: Path) -> None:
    cache = ScoreCache(tmp_path, schema=SCHEMA)
    cache.add(DOCUMENTS, Judge())
    read = cache.scores(DOCUMENTS)
    assert [one.document for one in read[1:3]] == ["note-1", "note-2"]
    assert (read[-1].probabilities == read[3].probabilities).all()


def test_damage_and_another_models_scores_are_told(tmp_path: Path) -> None:
    ScoreCache(tmp_path, schema=SCHEMA).add(DOCUMENTS, Judge())
    with pytest.raises(DataError, match="no scores of this model"):
        ScoreCache(tmp_path, schema=build_schema(["X"]))
    (file,) = tmp_path.glob("*.safetensors")
    file.write_bytes(file.read_bytes()[:40])
    with pytest.raises(DataError, match=r"holds no scores of this model\. Delete it"):
        ScoreCache(tmp_path, schema=SCHEMA)


def test_two_that_judge_the_same_at_once_do_not_spoil_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    judge = Judge()

    @contextmanager
    def slowly(*told: Any, **more: Any) -> Iterator[MappedArrays]:
        with new_arrays(*told, **more) as made:
            # the other judges and keeps the same while this one is at it
            monkeypatch.setattr(module, "new_arrays", new_arrays)
            ScoreCache(tmp_path, schema=SCHEMA).add(DOCUMENTS, judge)
            yield made

    monkeypatch.setattr(module, "new_arrays", slowly)
    ScoreCache(tmp_path, schema=SCHEMA).add(DOCUMENTS, judge)
    assert len([*tmp_path.iterdir()]) == 1
    for document, one in zip(DOCUMENTS, ScoreCache(tmp_path, schema=SCHEMA).scores(DOCUMENTS), strict=True):
        np.testing.assert_allclose(one.probabilities, judge.one(document).probabilities, atol=0.01)
