"""A draw is a number that keeps what it was drawn for."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

from raretag.sampling import Draw

DRAW = Draw(7, focus=3, visit=11, stage=1)


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_it_survives_pickling(protocol: int) -> None:
    again = pickle.loads(pickle.dumps(DRAW, protocol=protocol))
    assert type(again) is Draw
    assert (int(again), again.focus, again.visit, again.stage) == (7, 3, 11, 1)


def test_it_survives_copying() -> None:
    for again in (copy.copy(DRAW), copy.deepcopy(DRAW)):
        assert (int(again), again.focus, again.visit, again.stage) == (7, 3, 11, 1)


def test_it_is_an_index_like_any_other() -> None:
    assert DRAW == 7
    assert hash(DRAW) == hash(7)
    assert list(range(20))[DRAW] == np.arange(20)[DRAW] == 7
    assert np.asarray([DRAW, DRAW]).dtype == np.int64


def test_a_plain_number_is_about_all_labels() -> None:
    plain = Draw.of(4)
    assert (int(plain), plain.focus, plain.visit, plain.stage) == (4, 0, 0, 0)
    assert Draw.of(DRAW) is DRAW
