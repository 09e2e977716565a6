"""Labels, tags, groups and counts belong together, and survive JSON."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raretag.tagging import Schema, build_schema
from raretag.tagging.schema import Scheme

LABELS = st.lists(
    st.text(min_size=1, max_size=6) | st.sampled_from(["B-Drug", "I-Drug", "Drug", "-", "O"]), unique=True
)
SCHEMES: st.SearchStrategy[Scheme] = st.sampled_from(["BIO", "IO"])


@st.composite
def schemas(draw: st.DrawFn) -> Schema:
    labels = draw(LABELS)
    scheme = draw(SCHEMES)
    tags = 1 + len(labels) * (2 if scheme == "BIO" else 1)
    count = st.integers(0, 10**9)
    return build_schema(
        labels,
        scheme=scheme,
        mention_counts=draw(st.lists(count, min_size=len(labels), max_size=len(labels))),
        tag_counts=draw(st.lists(count, min_size=tags, max_size=tags)),
        layered=draw(st.booleans()),
    )


def test_the_order_of_tags() -> None:
    bio = build_schema(["Drug", "Sign"])
    assert bio.tags == ("O", "B-Drug", "I-Drug", "B-Sign", "I-Sign")
    assert bio.groups.tolist() == [0, 1, 1, 2, 2]
    assert bio.groups.dtype == "int64"
    io = build_schema(["Drug", "Sign"], scheme="IO")
    assert io.tags == ("O", "I-Drug", "I-Sign")
    assert io.groups.tolist() == [0, 1, 2]


@given(schema=schemas())
@settings(deadline=None, derandomize=True)
def test_names_groups_and_ids_agree(schema: Schema) -> None:
    assert len(set(schema.tags)) == len(schema.tags)
    for number, label in enumerate(schema.labels):
        begin, inside = schema.begin(number), schema.inside(number)
        assert schema.tags[inside] == f"I-{label}"
        assert schema.tags[begin] == (f"B-{label}" if schema.scheme == "BIO" else f"I-{label}")
        assert {begin, inside} == {tag for tag, group in enumerate(schema.groups) if group == number + 1}


@given(schema=schemas())
@settings(deadline=None, derandomize=True)
def test_json_gives_the_same_schema_whatever_the_order_of_keys(schema: Schema) -> None:
    for sort_keys in (False, True):
        assert Schema.from_json(json.loads(json.dumps(schema.to_json(), sort_keys=sort_keys))) == schema


def test_outside_is_always_open_and_tags_without_a_token_are_not() -> None:
    schema = build_schema(["Drug"], tag_counts=[0, 3, 0])
    assert schema.seen.tolist() == [True, True, False]
    assert build_schema(["Drug"]).seen.all()


def test_a_schema_without_labels_has_one_tag() -> None:
    schema = build_schema([])
    assert schema.tags == ("O",)
    assert schema.groups.tolist() == [0]


@given(schema=schemas())
@settings(deadline=None, derandomize=True)
def test_each_label_alone_and_its_counts(schema: Schema) -> None:
    table = schema.label_tag_counts
    assert table.shape == (len(schema.labels), schema.tags_of_a_label)
    assert (table.sum(axis=1) == sum(schema.tag_counts)).all()
    for number, label in enumerate(schema.labels):
        alone = schema.of_label(number)
        assert (alone.labels, alone.layered, alone.scheme) == ((label,), False, schema.scheme)
        assert alone.mention_counts == (schema.mention_counts[number],)
        own = [schema.tag_counts[tag] for tag, group in enumerate(schema.groups) if group == number + 1]
        assert list(alone.tag_counts[1:]) == table[number, 1:].tolist() == own
    assert schema.shape == (table.shape if schema.layered else (len(schema.tags),))


def test_a_file_of_an_earlier_version_keeps_no_labels_apart() -> None:
    content = build_schema(["Drug"]).to_json()
    del content["layered"]
    assert Schema.from_json(content) == build_schema(["Drug"])


def test_it_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        build_schema(["Drug"]).labels = ()  # type: ignore[misc]


@pytest.mark.parametrize(
    ("labels", "counts"),
    [
        (["Drug", "Drug"], {}),
        (["Drug"], {"mention_counts": [1, 2]}),
        (["Drug"], {"mention_counts": []}),
        (["Drug"], {"tag_counts": [1, 2]}),
        (["Drug"], {"tag_counts": []}),
        (["Drug"], {"scheme": "BIOES"}),
    ],
)
def test_what_does_not_fit_is_refused(labels: list[str], counts: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"unique|do not fit|scheme"):
        build_schema(labels, **counts)


@pytest.mark.parametrize(
    "change",
    [
        {"scheme": "BIOES"},
        {"scheme": None},
        {"labels": ["Drug", "Sign"]},
        {"labels": 3},
        {"mention_counts": ["many"]},
        {"tag_counts": {"O": 1, "B-Drug": 1}},
        {"tag_counts": {"O": 1, "B-Drug": 1, "I-Sign": 1}},
        {"tag_counts": [1, 1, 1]},
        {"layered": "yes"},
    ],
)
def test_json_of_something_else_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        Schema.from_json({**build_schema(["Drug"]).to_json(), **change})
    with pytest.raises(KeyError):
        Schema.from_json({})
