"""Thresholds: the best F1 of each label, shrunk where mentions are few."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raretag.corpus import Document
from raretag.decision.threshold_fitting import best_threshold, fit_thresholds
from raretag.decision.thresholds import Thresholds
from raretag.errors import DataError
from raretag.probability import Candidates
from raretag.tagging import build_schema

SCHEMA = build_schema(["X", "Y", "Z"], mention_counts=[600, 20, 20])


def f1(p: list[float], there: list[bool], gold: int, threshold: float) -> float:
    taken = [is_there for value, is_there in zip(p, there, strict=True) if value > threshold]
    return 2 * sum(taken) / (len(taken) + gold) if taken else 0.0


@given(
    rows=st.lists(st.tuples(st.sampled_from([0.1, 0.2, 0.3, 0.5, 0.7, 0.9]), st.booleans()), max_size=10),
    beyond=st.integers(1, 3),
)
@settings(max_examples=200, deadline=None)
def test_no_threshold_has_a_larger_f1(rows: list[tuple[float, bool]], beyond: int) -> None:
    p, there = [row[0] for row in rows], [row[1] for row in rows]
    gold = sum(there) + beyond
    threshold, best = best_threshold(np.array(p), np.array(there, dtype=bool), gold=gold)
    assert f1(p, there, gold, threshold) == pytest.approx(best)
    assert best == pytest.approx(max(f1(p, there, gold, t) for t in (0.0, 0.15, 0.25, 0.4, 0.6, 0.8, 1.0)))


def documents(
    make: Any, number: int, *, chances: dict[int, float], seed: int = 0
) -> tuple[list[Candidates], dict[str, Document]]:
    """Each label has candidates of probability uniform in (0, 1), true with p^(1 / chance): skewed on purpose."""
    rng = np.random.default_rng(seed)
    found, gold = [], {}
    for n in range(number):
        rows, mentions = [], []
        for token in range(0, 30, 3):
            label = int(rng.choice([*chances]))
            p = float(rng.random())
            rows.append((label, token, token, p))
            if rng.random() < p ** chances[label]:
                mentions.append(make.span(SCHEMA.labels[label], token, token))
        found.append(make.of_rows(rows, tokens=30, document=f"d{n}"))
        gold[f"d{n}"] = Document(id=f"d{n}", text=" " * 400, mentions=tuple(mentions))
    return found, gold


def test_labels_that_are_sure_too_early_have_higher_thresholds(make: Any) -> None:
    found, gold = documents(make, 150, chances={0: 0.3, 1: 4.0})
    fitted = fit_thresholds(found, gold, schema=SCHEMA)
    assert fitted.by_label["X"] + 0.2 < fitted.by_label["Y"]
    assert fitted.mentions["Z"] == 0
    # Z has no gold: its group, the tail, is Y's
    assert fitted.by_label["Z"] == pytest.approx(fitted.by_label["Y"], abs=0.08)


def test_true_probabilities_are_cut_near_half_of_f1(make: Any) -> None:
    found, gold = documents(make, 400, chances={0: 1.0})
    fitted = fit_thresholds(found, gold, schema=SCHEMA)
    p = np.concatenate([one.probabilities for one in found])
    grid = np.linspace(0.05, 0.95, 91)
    best = max(2 * p[p > t].sum() / ((p > t).sum() + p.sum()) for t in grid)
    assert fitted.by_label["X"] == pytest.approx(best / 2, abs=0.1)


def test_few_mentions_stay_near_their_group(make: Any) -> None:
    found, gold = documents(make, 100, chances={0: 1.0})
    one = make.of_rows([(1, 0, 0, 0.98), (1, 2, 2, 0.9)], tokens=4, document="few")
    gold["few"] = Document(id="few", text=" " * 400, mentions=(make.span("Y", 0, 0),))
    fitted = fit_thresholds([*found, one], gold, schema=SCHEMA)
    # alone it would be 0.94; X says about 0.35, and one mention weighs 1 against 20, in the label and in its group
    assert fitted.by_label["X"] < fitted.by_label["Y"] < fitted.by_label["X"] + 0.1


def test_a_label_that_never_wins_its_place_has_its_groups_threshold(make: Any) -> None:
    found, gold = [], {}
    for n in range(100):
        # Y is there, but an X that is not is always likelier in its place; every other X is there
        found.append(make.of_rows([(0, 0, 1, 0.9), (1, 0, 0, 0.3), (0, 4, 4, 0.8)], tokens=6, document=f"d{n}"))
        mentions = (make.span("Y", 0, 0), make.span("X", 4, 4))
        gold[f"d{n}"] = Document(id=f"d{n}", text=" " * 400, mentions=mentions)
    fitted = fit_thresholds(found, gold, schema=SCHEMA)
    assert fitted.mentions["Y"] == 100
    # of a hundred mentions a threshold of its own would have most of the say, and be 1
    assert fitted.by_label["Y"] == pytest.approx(fitted.by_label["X"])
    assert fitted.by_label["X"] < 0.6
    # and where no label wins, all keep where they started
    alone = [make.of_rows([(0, 0, 1, 0.9), (1, 0, 0, 0.3)], tokens=6)]
    lost = fit_thresholds(
        alone, {"a": Document(id="a", text=" " * 400, mentions=(make.span("Y", 0, 0),))}, schema=SCHEMA
    )
    assert lost.by_label["Y"] == pytest.approx(0.5)


def test_accepted_mentions_are_above_their_threshold_and_never_overlap(make: Any) -> None:
    thresholds = Thresholds(by_label={"X": 0.5, "Y": 0.1, "Z": 0.9}, mentions={})
    found = make.of_rows([(0, 0, 1, 0.6), (1, 1, 1, 0.3), (2, 4, 4, 0.8), (0, 6, 6, 0.51)], tokens=8)
    # Y has 0.2 over its threshold, X 0.1
    assert [found.labels[n] for n in thresholds.accept(found, schema=SCHEMA)] == [1, 0]
    layered = build_schema(SCHEMA.labels, layered=True)
    assert [found.labels[n] for n in thresholds.accept(found, schema=layered)] == [0, 1, 0]


def test_other_labels_than_fitted_on(make: Any) -> None:
    thresholds = Thresholds(by_label={"X": 0.5}, mentions={})
    with pytest.raises(DataError, match="other labels"):
        thresholds.accept(make.of_rows([], tokens=3), schema=SCHEMA)


def test_nothing_to_fit_on(make: Any) -> None:
    found = [make.of_rows([(0, 0, 0, 0.5)], tokens=3)]
    with pytest.raises(DataError, match="no gold mention is a candidate"):
        fit_thresholds(found, {"a": Document(id="a", text=" " * 400, mentions=(make.span("X", 1, 2),))}, schema=SCHEMA)
    with pytest.raises(DataError, match="has no gold"):
        fit_thresholds(found, {}, schema=SCHEMA)
