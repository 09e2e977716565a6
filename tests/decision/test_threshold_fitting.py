"""Thresholds: the best expected F1 of each label, shrunk where mentions are few."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raretag.corpus import Document
from raretag.decision.threshold_fitting import expected_threshold, fit_thresholds
from raretag.decision.thresholds import Thresholds
from raretag.errors import DataError
from raretag.probability import Candidates
from raretag.tagging import build_schema

SCHEMA = build_schema(["X", "Y", "Z"], mention_counts=[600, 20, 20])


def expected_f(p: np.ndarray, threshold: float, *, beta: float) -> float:
    taken = p[p > threshold]
    return float((1 + beta**2) * taken.sum() / (len(taken) + beta**2 * p.sum())) if len(taken) else 0.0


@given(p=st.lists(st.floats(0.001, 1), min_size=1, max_size=30), beta=st.sampled_from([0.5, 1.0, 1.5, 3.0]))
@settings(max_examples=200, deadline=None)
def test_no_threshold_has_a_larger_expected_f(p: list[float], beta: float) -> None:
    values = np.array(p)
    threshold = expected_threshold(values, beta=beta)
    best = max(expected_f(values, t, beta=beta) for t in (0.0, *values - 1e-12))
    assert (1 + beta**2) * threshold == pytest.approx(best)
    # a hair below, for what is just as likely as the threshold makes no difference
    assert expected_f(values, threshold - 1e-9, beta=beta) == pytest.approx(best)


@given(p=st.lists(st.floats(0.001, 1), min_size=1, max_size=30), low=st.floats(0.2, 4), high=st.floats(0.2, 4))
@settings(max_examples=200, deadline=None)
def test_more_weight_on_recall_never_raises_a_threshold(p: list[float], low: float, high: float) -> None:
    low, high = sorted((low, high))
    assert expected_threshold(np.array(p), beta=high) <= expected_threshold(np.array(p), beta=low) + 1e-12


def test_nothing_to_choose_from() -> None:
    assert expected_threshold(np.zeros(0)) == 0.5
    assert expected_threshold(np.ones(5)) == 0.5
    assert expected_threshold(np.zeros(0), beta=2) == pytest.approx(0.2)
    assert expected_threshold(np.ones(5), beta=2) == pytest.approx(0.2)


def documents(
    make: Any, number: int, *, chances: dict[int, tuple[float, float]], seed: int = 0
) -> tuple[list[Candidates], dict[str, Document]]:
    """Each label's candidates have probabilities of a beta distribution, and are there as often as these say."""
    rng = np.random.default_rng(seed)
    found, gold = [], {}
    for n in range(number):
        rows, mentions = [], []
        for token in range(0, 30, 3):
            label = int(rng.choice([*chances]))
            p = float(rng.beta(*chances[label]))
            rows.append((label, token, token, p))
            if rng.random() < p:
                mentions.append(make.span(SCHEMA.labels[label], token, token))
        found.append(make.of_rows(rows, tokens=30, document=f"d{n}"))
        gold[f"d{n}"] = Document(id=f"d{n}", text=" " * 400, mentions=tuple(mentions))
    return found, gold


def realised_f1(found: list[Candidates], gold: dict[str, Document], label: int, threshold: float) -> float:
    correct = taken = 0
    for one in found:
        own = (one.labels == label) & (one.probabilities > threshold)
        taken += int(own.sum())
        correct += int((own & one.among(gold[one.document].mentions, schema=SCHEMA)).sum())
    total = sum(m.label == SCHEMA.labels[label] for d in gold.values() for m in d.mentions)
    return 2 * correct / (taken + total)


def test_it_is_the_best_on_new_documents_where_probabilities_are_true(make: Any) -> None:
    shapes = {0: (2.0, 2.0), 1: (0.4, 1.6)}
    fitted = fit_thresholds(*documents(make, 300, chances=shapes), schema=SCHEMA)
    new = documents(make, 600, chances=shapes, seed=1)
    for label in (0, 1):
        best = max(realised_f1(*new, label, t) for t in np.linspace(0.02, 0.9, 45))
        assert realised_f1(*new, label, fitted.by_label[SCHEMA.labels[label]]) > best - 0.01
    # a label that is hardly ever sure is taken sooner
    assert fitted.by_label["Y"] < fitted.by_label["X"] - 0.05
    assert fitted.mentions["Z"] == 0
    # Z has no gold: its group, the tail, is Y's
    assert fitted.by_label["Z"] == pytest.approx(fitted.by_label["Y"], abs=0.05)


def test_few_mentions_stay_near_their_group(make: Any) -> None:
    found, gold = documents(make, 100, chances={0: (2.0, 2.0), 1: (0.4, 1.6)})
    one = make.of_rows([(2, 0, 0, 0.98)], tokens=4, document="few")
    gold["few"] = Document(id="few", text=" " * 400, mentions=(make.span("Z", 0, 0),))
    fitted = fit_thresholds([*found, one], gold, schema=SCHEMA)
    alone = expected_threshold(np.array([0.98]))
    assert fitted.by_label["Z"] == pytest.approx((alone + 5 * fitted.by_label["Y"]) / 6, abs=0.02)


def test_a_group_without_gold_has_the_mean_of_all(make: Any) -> None:
    found, gold = documents(make, 50, chances={0: (2.0, 2.0)})
    fitted = fit_thresholds(found, gold, schema=SCHEMA)
    assert fitted.by_label["Y"] == fitted.by_label["Z"] == pytest.approx(fitted.by_label["X"])


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
    with pytest.raises(DataError, match="no document has a gold mention"):
        fit_thresholds(found, {"a": Document(id="a", text=" " * 400)}, schema=SCHEMA)
    with pytest.raises(DataError, match="has no gold"):
        fit_thresholds(found, {}, schema=SCHEMA)


def test_a_beta_is_of_its_label(make: Any) -> None:
    found, gold = documents(make, 100, chances={0: (2.0, 2.0), 1: (0.4, 1.6)})
    plain = fit_thresholds(found, gold, schema=SCHEMA).by_label
    same = fit_thresholds(found, gold, schema=SCHEMA, betas={"X": 1.0, "Y": 1.0, "Z": 1.0}).by_label
    keen = fit_thresholds(found, gold, schema=SCHEMA, betas={"X": 1.0, "Y": 2.0, "Z": 2.0}).by_label
    assert plain == same
    assert keen["X"] == plain["X"]
    assert keen["Y"] < 0.7 * plain["Y"]


def test_a_beta_is_not_felt_by_others_and_holds_without_gold(make: Any) -> None:
    found, gold = documents(make, 100, chances={0: (2.0, 2.0), 1: (0.4, 1.6), 2: (0.4, 1.6)})

    def fitted(y: float, z: float, *, own: dict[str, Document] = gold) -> Any:
        return fit_thresholds(found, own, schema=SCHEMA, betas={"X": 1.0, "Y": y, "Z": z}).by_label

    assert fitted(3.0, 1.0)["Z"] == fitted(1.0, 1.0)["Z"]
    assert fitted(3.0, 1.0)["Y"] == fitted(3.0, 3.0)["Y"]
    without = {
        name: Document(id=name, text=one.text, mentions=tuple(m for m in one.mentions if m.label == "X"))
        for name, one in gold.items()
    }
    assert fitted(3.0, 3.0, own=without)["Y"] < fitted(1.0, 1.0, own=without)["Y"] - 0.05
