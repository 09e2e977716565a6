from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from raretag.evaluation.token_columns import tag_columns, top_confidences


def test_a_column_for_each_tag_of_judged_tokens() -> None:
    p = np.array([[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.2, 0.2, 0.6]])
    columns = [*tag_columns(p, np.array([0, -100, 1]))]
    assert [c.tolist() for c, _ in columns] == [[0.7, 0.2], [0.2, 0.2], [0.1, 0.6]]
    assert [gold.tolist() for _, gold in columns] == [[True, False], [False, True], [False, False]]


def test_labels_apart_have_columns_of_their_own_tokens() -> None:
    p = np.array([[[0.9, 0.1], [0.3, 0.7]], [[0.4, 0.6], [0.5, 0.5]]])
    columns = [*tag_columns(p, np.array([[0, 1], [1, -100]]))]
    assert [c.tolist() for c, _ in columns] == [[0.9, 0.4], [0.1, 0.6], [0.3], [0.7]]
    assert [gold.tolist() for _, gold in columns] == [[True, False], [False, True], [False], [True]]


def test_the_most_probable_tag_and_its_owner() -> None:
    p = np.array([[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.2, 0.2, 0.6]], dtype=np.float32)
    c, right, owners = top_confidences(p, np.array([0, -100, 1]), owners=np.array([4, 5, 6]))
    assert c.tolist() == pytest.approx([0.7, 0.6])
    assert right.tolist() == [True, False]
    assert owners.tolist() == [4, 6]
    layered = np.array([[[0.9, 0.1], [0.3, 0.7]], [[0.4, 0.6], [0.5, 0.5]]])
    c, right, owners = top_confidences(layered, np.array([[0, 0], [1, -100]]), owners=np.array([4, 5]))
    assert (c.tolist(), right.tolist(), owners.tolist()) == ([0.9, 0.7, 0.6], [True, False, True], [4, 4, 5])


@pytest.mark.parametrize(("p", "tags"), [((3, 2), (2,)), ((3, 2), (3, 2)), ((3, 2, 2), (3,)), ((3,), ())])
def test_shapes_that_do_not_fit_are_refused(p: Any, tags: Any) -> None:
    with pytest.raises(ValueError, match="do not fit"):
        next(tag_columns(np.zeros(p), np.zeros(tags, dtype=np.int64)))
