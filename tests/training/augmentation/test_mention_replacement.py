"""Mention replacement: labels and their order stay, all else stays, tags keep their shares on average."""

from __future__ import annotations

import dataclasses
from itertools import groupby

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from raretag.tagging import IGNORE, Schema, build_schema
from raretag.training.augmentation import MentionReplacement
from raretag.training.dataset import TaggedWindow

SCHEMA = build_schema(["A", "B"])
CLS, SEP = 1, 2


def window(tags: list[int], *, ids: list[int] | None = None) -> TaggedWindow:
    """Special tokens around `tags`; ids default to 10, 11, …"""
    own = list(range(10, 10 + len(tags))) if ids is None else ids
    return TaggedWindow(input_ids=np.array([CLS, *own, SEP]), labels=np.array([IGNORE, *tags, IGNORE]))


def mention_labels(labels: np.ndarray, schema: Schema = SCHEMA) -> list[str]:
    """Of each mention, in order."""
    return [schema.tags[tag][2:] for tag in labels.tolist() if tag > 0 and schema.tags[tag].startswith("B")]


@st.composite
def windows(draw: st.DrawFn) -> list[TaggedWindow]:
    """Some windows with valid tags, a stretch of which may not be judged."""
    made = []
    for _ in range(draw(st.integers(1, 5))):
        tags: list[int] = []
        for label, length in draw(st.lists(st.tuples(st.integers(-1, 1), st.integers(1, 3)), min_size=1, max_size=6)):
            tags += [0] * length if label < 0 else [1 + 2 * label] + [2 + 2 * label] * (length - 1)
        hidden = draw(st.integers(0, len(tags)))
        made.append(window([IGNORE] * hidden + tags[hidden:]))
    return made


@given(windows(), st.integers(0, 99), st.integers(0, 4))
def test_only_mentions_change_and_their_labels_stay(some: list[TaggedWindow], seed: int, room: int) -> None:
    most = max(len(one.input_ids) for one in some) + room
    replace = MentionReplacement(some, schema=SCHEMA, most_tokens=most)
    pool = {(label, ids) for one in some for label, ids in cut_out(one)}
    for one in some:
        made = replace(one, chance=1.0, rng=np.random.default_rng(seed))
        assert len(made.input_ids) == len(made.labels) <= most
        assert mention_labels(made.labels) == mention_labels(one.labels)
        # what no mention covers stays, in order
        outside = [token for token, tag in zip(one.input_ids, one.labels, strict=True) if tag <= 0]
        assert [token for token, tag in zip(made.input_ids, made.labels, strict=True) if tag <= 0] == outside
        assert {(label, ids) for label, ids in cut_out(made)} <= pool


def cut_out(one: TaggedWindow) -> list[tuple[str, tuple[int, ...]]]:
    """Label and ids of each run of tags that belong together."""
    parts: list[list[int]] = []
    for place, tag in enumerate(one.labels.tolist()):
        if tag <= 0:
            continue
        if SCHEMA.tags[tag].startswith("B") or not parts or parts[-1][-1] != place - 1:
            parts.append([])
        parts[-1].append(place)
    return [(SCHEMA.tags[one.labels[part[0]]][2:], tuple(one.input_ids[part].tolist())) for part in parts]


def test_a_mention_becomes_another_of_its_label() -> None:
    some = [window([0, 1, 0]), window([1, 2, 2], ids=[20, 21, 22]), window([3], ids=[30])]
    replace = MentionReplacement(some, schema=SCHEMA, most_tokens=99)
    rng = np.random.default_rng(0)
    seen = {tuple(replace(some[0], chance=1.0, rng=rng).input_ids.tolist()) for _ in range(50)}
    assert seen == {(CLS, 10, 11, 12, SEP), (CLS, 10, 20, 21, 22, 12, SEP)}


def test_tags_keep_their_shares_on_average() -> None:
    """Drawn by occurrence: the expected number of each tag is that of the notes."""
    some = [window([1, 0, 1, 2]), window([1, 2, 2, 3, 0]), window([3, 4, 3])]
    replace = MentionReplacement(some, schema=SCHEMA, most_tokens=99)
    rng = np.random.default_rng(1)
    drawn = [replace(one, chance=0.5, rng=rng).labels for _ in range(3000) for one in some]
    found = SCHEMA.count(np.concatenate(drawn)) / 3000
    np.testing.assert_allclose(found, SCHEMA.count(np.concatenate([one.labels for one in some])), atol=0.1)


def test_a_cut_mention_stays() -> None:
    """Its other part is in another window."""
    cut = window([1, 2, IGNORE])
    whole = window([1, 2, 0], ids=[20, 21, 22])
    replace = MentionReplacement([cut, whole], schema=SCHEMA, most_tokens=99)
    for seed in range(20):
        made = replace(cut, chance=1.0, rng=np.random.default_rng(seed))
        assert made.input_ids.tolist() == cut.input_ids.tolist()
        assert replace(whole, chance=1.0, rng=np.random.default_rng(seed)).input_ids.tolist() == [CLS, 20, 21, 22, SEP]


def test_no_window_outgrows_the_encoder() -> None:
    some = [window([1, 0]), window([1, 2, 2, 2], ids=[20, 21, 22, 23])]
    replace = MentionReplacement(some, schema=SCHEMA, most_tokens=5)
    made = [replace(some[0], chance=1.0, rng=np.random.default_rng(seed)) for seed in range(20)]
    assert {tuple(one.input_ids.tolist()) for one in made} == {tuple(some[0].input_ids.tolist())}


def test_io_tags_are_whole_runs() -> None:
    schema = build_schema(["A"], scheme="IO")
    some = [window([1, 1, 0]), window([0, 1, 0], ids=[20, 21, 22])]
    replace = MentionReplacement(some, schema=schema, most_tokens=99)
    seen = {tuple(replace(some[1], chance=1.0, rng=np.random.default_rng(n)).input_ids.tolist()) for n in range(30)}
    assert seen == {(CLS, 20, 21, 22, SEP), (CLS, 20, 10, 11, 22, SEP)}


def test_what_a_window_parts_is_no_whole_mention() -> None:
    """`B I | I` and, beside it, `B | B`, which only might be one."""
    parted = dataclasses.replace(window([0, 3, 4], ids=[20, 21, 22]), is_cut=(False, True))
    rest = dataclasses.replace(window([1, 0, 3], ids=[30, 31, 32]), is_cut=(True, False))
    whole = window([1, 0, 3], ids=[40, 41, 42])
    replace = MentionReplacement([parted, rest, whole], schema=SCHEMA, most_tokens=99)
    for seed in range(20):
        rng = np.random.default_rng(seed)
        assert replace(parted, chance=1.0, rng=rng).input_ids.tolist() == parted.input_ids.tolist()
        assert replace(rest, chance=1.0, rng=rng).input_ids.tolist()[:3] == [CLS, 30, 31]
        # a sampler may want nothing of it learned
        hidden = dataclasses.replace(parted, labels=np.full(5, IGNORE))
        assert replace(hidden, chance=1.0, rng=rng) is hidden
        assert not {20, 21, 22, 30} & {*replace(whole, chance=1.0, rng=rng).input_ids.tolist()}


def test_layered_tags_are_refused() -> None:
    with pytest.raises(ValueError, match="kept apart"):
        MentionReplacement([], schema=build_schema(["A"], layered=True), most_tokens=9)


def test_no_chance_changes_nothing() -> None:
    some = [window([1, 2, 0, 3])]
    replace = MentionReplacement(some, schema=SCHEMA, most_tokens=99)
    assert replace(some[0], chance=0.0, rng=np.random.default_rng(0)) is some[0]
    assert [key for key, _ in groupby(some[0].labels)] == some[0].labels.tolist()
