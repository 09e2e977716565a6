"""Mentions on the most probable path, each with its own probability."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raretag.decision import most_probable_mentions
from raretag.probability import Scores, mention_probabilities
from raretag.tagging import Tokens, build_schema
from raretag.tagging.schema import Scheme

SCHEMES: st.SearchStrategy[Scheme] = st.sampled_from(["BIO", "IO"])


def document(name: str, p: npt.ArrayLike, *, tags: int = 3) -> Scores:
    """Token t covers the characters [5t, 5t + 4)."""
    probabilities = np.asarray(p, dtype=np.float32).reshape(-1, tags)
    numbers = np.arange(len(probabilities), dtype=np.int64)
    tokens = Tokens(ids=numbers, starts=5 * numbers, ends=5 * numbers + 4)
    return Scores(document=name, tokens=tokens, probabilities=probabilities)


def test_a_mention_and_its_probability() -> None:
    schema = build_schema(["A"])
    scores = [document("d", [[0.1, 0.9, 0.0], [0.2, 0.0, 0.8]]), document("empty", [])]
    found = most_probable_mentions(scores, schema=schema)
    assert list(found) == ["d", "empty"]
    assert found["empty"] == ()
    (mention,) = found["d"]
    assert (mention.label, mention.start, mention.end) == ("A", 0, 9)
    # the valid paths are O O, B O and B I
    assert mention.score == pytest.approx(0.72 / (0.02 + 0.18 + 0.72), rel=1e-6)


def test_no_score_gives_no_mention() -> None:
    assert most_probable_mentions([], schema=build_schema(["A"])) == {}


@given(scheme=SCHEMES, seed=st.integers(0, 2**31), lengths=st.lists(st.integers(0, 12), max_size=4))
@settings(deadline=None, derandomize=True, max_examples=60)
def test_documents_are_decided_one_by_one(scheme: Scheme, seed: int, lengths: list[int]) -> None:
    schema = build_schema(["A", "B-A"], scheme=scheme)
    rng = np.random.default_rng(seed)
    tags = len(schema.tags)
    scores = [
        document(str(number), rng.dirichlet(np.full(tags, 0.3), length), tags=tags)
        for number, length in enumerate(lengths)
    ]
    together = most_probable_mentions(scores, schema=schema)
    for one in scores:
        mentions = together[one.document]
        assert mentions == most_probable_mentions([one], schema=schema)[one.document]
        assert [m.score for m in mentions] == mention_probabilities(one, mentions, schema=schema)
        assert all(m.score is not None and 0 < m.score <= 1 for m in mentions)
        assert all(a.end <= b.start for a, b in pairwise(mentions))


def test_mentions_of_different_labels_overlap_where_they_are_kept_apart() -> None:
    schema = build_schema(["A", "B"], layered=True)
    a = [[0.1, 0.9, 0.0], [0.2, 0.0, 0.8], [1.0, 0.0, 0.0]]
    b = [[0.8, 0.2, 0.0], [0.3, 0.7, 0.0], [0.4, 0.0, 0.6]]
    flat = document("d", a)
    one = Scores(document="d", tokens=flat.tokens, probabilities=np.stack([a, b], axis=1).astype(np.float32))
    found = most_probable_mentions([one], schema=schema)["d"]
    assert [(m.label, m.start, m.end) for m in found] == [("A", 0, 9), ("B", 5, 14)]
    alone = [
        most_probable_mentions([document("d", p)], schema=schema.of_label(number))["d"]
        for number, p in enumerate((a, b))
    ]
    assert [m.score for m in found] == [pytest.approx(m.score) for (m,) in alone]
