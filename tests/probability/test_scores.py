"""Scores keep the order of documents; stacking pads with certain `O`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, cast

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from raretag.corpus import Document
from raretag.probability import score, stack
from raretag.tagging import Tokens

if TYPE_CHECKING:
    from raretag.training.inference import Predictor, TokenProbabilities


NUMBER = np.zeros(1, dtype=np.int64)
ONE_TOKEN = Tokens(ids=NUMBER, starts=NUMBER, ends=NUMBER + 1)


class _FakePredictor:
    """Answers like a trained model whose probabilities tell which document they belong to."""

    def predict(
        self, documents: Sequence[Document], *, advance: Callable[[int], None] | None
    ) -> list[TokenProbabilities]:
        from raretag.training.inference import TokenProbabilities

        if advance is not None:
            advance(len(documents))
        return [
            TokenProbabilities(
                document=document,
                tokens=ONE_TOKEN,
                probabilities=np.full((1, 2), number, dtype=np.float32),
            )
            for number, document in enumerate(documents)
        ]


def test_scores_come_in_the_order_of_the_documents() -> None:
    documents = [Document(id=name, text="x") for name in ("b", "a", "c")]
    told: list[int] = []
    scores = score(cast("Predictor", _FakePredictor()), documents, advance=told.append)
    assert [one.document for one in scores] == ["b", "a", "c"]
    assert [one.probabilities[0, 0] for one in scores] == [0, 1, 2]
    assert told == [3]


@given(lengths=st.lists(st.integers(0, 5), max_size=5), tags=st.integers(1, 4))
@settings(deadline=None, derandomize=True)
def test_stacked_documents_keep_their_rows(lengths: list[int], tags: int) -> None:
    rng = np.random.default_rng(0)
    arrays = [rng.random((length, tags)).astype(np.float32) for length in lengths]
    stacked = stack(arrays, tags=tags)
    assert stacked.shape == (len(lengths), max(lengths, default=0), tags)
    assert stacked.dtype == np.float64
    for row, array in zip(stacked, arrays, strict=True):
        np.testing.assert_array_equal(row[: len(array)], array)
        np.testing.assert_array_equal(row[len(array) :], np.eye(tags)[[0] * (len(row) - len(array))])
