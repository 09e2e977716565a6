"""The path found is valid, and no valid path is more probable."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raretag.decision import viterbi
from raretag.probability import TINY
from raretag.tagging import Schema, build_schema
from raretag.tagging.schema import Scheme

Probabilities = npt.NDArray[np.float32]
SCHEMES: st.SearchStrategy[Scheme] = st.sampled_from(["BIO", "IO"])


@st.composite
def documents(draw: st.DrawFn, *, tags: int, longest: int) -> list[Probabilities]:
    """Documents of different lengths, some without a token, with zeros and ties among the probabilities."""
    p: list[Probabilities] = []
    for length in draw(st.lists(st.integers(0, longest), max_size=4)):
        rng = np.random.default_rng(draw(st.integers(0, 2**31)))
        weights = rng.choice([0, 0.1, 0.1, 0.5, 1, 7], (length, tags)) + rng.choice([0, 1e-6], (length, 1))
        weights[weights.sum(axis=1) == 0] = 1
        p.append(np.asarray(weights / weights.sum(axis=1, keepdims=True), dtype=np.float32))
    return p


def is_valid(path: npt.ArrayLike, schema: Schema) -> bool:
    names = ["O", *(schema.tags[tag] for tag in np.asarray(path))]
    pairs = pairwise(names)
    return schema.scheme == "IO" or all(
        not after.startswith("I-") or before in (f"B-{after[2:]}", after) for before, after in pairs
    )


def log_probability(path: npt.ArrayLike, p: Probabilities) -> float:
    return float(np.log(np.maximum(p.astype(np.float64), TINY))[np.arange(len(p)), np.asarray(path, dtype=int)].sum())


@given(scheme=SCHEMES, labels=st.integers(1, 2), data=st.data())
@settings(deadline=None, derandomize=True, max_examples=60)
def test_no_valid_path_is_more_probable(scheme: Scheme, labels: int, data: st.DataObject) -> None:
    schema = build_schema(["A", "B-A"][:labels], scheme=scheme)
    given_documents = data.draw(documents(tags=len(schema.tags), longest=4))
    paths = viterbi(given_documents, schema=schema)
    assert len(paths) == len(given_documents)
    for p, path in zip(given_documents, paths, strict=True):
        assert path.dtype == np.int64
        assert path.shape == (len(p),)
        assert is_valid(path, schema)
        every = product(range(len(schema.tags)), repeat=len(p))
        best = max(log_probability(one, p) for one in every if is_valid(one, schema))
        assert log_probability(path, p) == pytest.approx(best, abs=1e-9)


@given(scheme=SCHEMES, data=st.data())
@settings(deadline=None, derandomize=True, max_examples=60)
def test_a_path_does_not_depend_on_other_documents(scheme: Scheme, data: st.DataObject) -> None:
    schema = build_schema(["A", "B", "C"], scheme=scheme)
    given_documents = data.draw(documents(tags=len(schema.tags), longest=40))
    together = viterbi(given_documents, schema=schema)
    alone = [viterbi([p], schema=schema)[0] for p in given_documents]
    assert [path.tolist() for path in together] == [path.tolist() for path in alone]
    assert all(is_valid(path, schema) for path in together)


@pytest.mark.parametrize("scheme", ["BIO", "IO"])
def test_where_the_argmax_is_valid_it_is_the_path(scheme: Scheme) -> None:
    schema = build_schema(["A", "B"], scheme=scheme)
    path = [0, schema.begin(1), schema.inside(1), schema.begin(0), 0, schema.begin(1)]
    p = np.full((6, len(schema.tags)), 0.1, dtype=np.float32)
    p[np.arange(6), path] = 0.6
    assert viterbi([p], schema=schema)[0].tolist() == path


def test_an_inside_tag_needs_its_beginning() -> None:
    schema = build_schema(["A", "B"])
    #                O    B-A  I-A  B-B  I-B
    p = np.array([[0.5, 0.1, 0.0, 0.4, 0.0], [0.1, 0.0, 0.5, 0.0, 0.4]], dtype=np.float32)
    assert viterbi([p], schema=schema)[0].tolist() == [3, 4]
    assert viterbi([p[1:]], schema=schema)[0].tolist() == [0]


@given(seed=st.integers(0, 2**31), sharpness=st.sampled_from([1.0, 10.0]))
@settings(deadline=None, derandomize=True, max_examples=30)
def test_a_tag_that_training_never_saw_is_never_predicted(seed: int, sharpness: float) -> None:
    schema = build_schema(["A", "B"], tag_counts=[9, 3, 0, 3, 2])
    logits = sharpness * np.random.default_rng(seed).standard_normal((30, 5))
    p = np.where(schema.seen, np.exp(logits), 0)
    (path,) = viterbi([np.asarray(p / p.sum(axis=1, keepdims=True), dtype=np.float32)], schema=schema)
    assert 2 not in path


def test_of_equals_the_lowest_tag_is_taken() -> None:
    for scheme in ("BIO", "IO"):
        schema = build_schema(["A", "B"], scheme=scheme)
        p = np.full((5, len(schema.tags)), 1 / len(schema.tags), dtype=np.float32)
        assert viterbi([p], schema=schema)[0].tolist() == [0] * 5


@pytest.mark.parametrize("scheme", ["BIO", "IO"])
def test_nothing_has_empty_paths(scheme: Scheme) -> None:
    schema = build_schema(["A"], scheme=scheme)
    empty = np.zeros((0, len(schema.tags)), dtype=np.float32)
    assert viterbi([], schema=schema) == []
    assert [path.tolist() for path in viterbi([empty, empty], schema=schema)] == [[], []]
    assert [path.dtype for path in viterbi([empty], schema=schema)] == [np.int64]


def test_long_and_short_documents_are_judged_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib

    module = importlib.import_module("raretag.decision.viterbi")
    rng = np.random.default_rng(0)
    schema = build_schema(["A", "B"])
    documents = [rng.dirichlet(np.ones(5), size=n).astype(np.float32) for n in (3, 40, 0, 7, 1, 40, 12)]
    together = viterbi(documents, schema=schema)
    monkeypatch.setattr(module, "_CELLS", 100)
    assert max(len(batch) for batch in module._batches([3, 40, 0, 7, 1, 40, 12], tags=5)) < 7
    for one, other in zip(together, viterbi(documents, schema=schema), strict=True):
        assert np.array_equal(one, other)


@given(scheme=SCHEMES, data=st.data())
@settings(deadline=None, derandomize=True, max_examples=40)
def test_each_label_has_its_own_path_where_labels_are_kept_apart(scheme: Scheme, data: st.DataObject) -> None:
    layered = build_schema(["A", "B-A", "C"], scheme=scheme, layered=True)
    columns = [data.draw(documents(tags=layered.tags_of_a_label, longest=6)) for _ in layered.labels]
    lengths = [min(map(len, column), default=0) for column in zip(*columns, strict=False)]
    given_documents = [np.stack([column[n][:size] for column in columns], axis=1) for n, size in enumerate(lengths)]
    paths = viterbi(given_documents, schema=layered)
    assert [path.shape for path in paths] == [(size, 3) for size in lengths]
    for number in range(3):
        alone = viterbi([p[:, number] for p in given_documents], schema=layered.of_label(number))
        assert [path[:, number].tolist() for path in paths] == [path.tolist() for path in alone]
    assert all(path.dtype == np.int64 for path in paths)


def test_layers_without_labels_or_documents() -> None:
    assert viterbi([], schema=build_schema(["A"], layered=True)) == []
    none = viterbi([np.zeros((4, 0, 3), dtype=np.float32)], schema=build_schema([], layered=True))
    assert [path.shape for path in none] == [(4, 0)]
