"""Verdicts from figures, and the figures that the sentences hold."""

from __future__ import annotations

from typing import Any

import pytest

from raretag.experiments.biaslab.conclusions import conclude
from raretag.experiments.biaslab.mechanisms import PRESETS
from raretag.experiments.biaslab.results import Conclusion, Part
from raretag.experiments.biaslab.summaries import summarise

from .conftest import make_measurement, make_run


def concluded(*seeds: dict[str, Any], empirical: tuple[float, float] = (0.7, 0.3), **run: Any) -> Conclusion:
    """Of seeds that end in these figures; where labels are read hard, all is outside."""
    runs = []
    for number, figures in enumerate(seeds):
        end = make_measurement(9, **figures)
        hard = {"predicted": (1.0, 0.0), "tv": 0.3, "amplification": None, "never_predicted": ("A",), "p_value": None}
        cells = tuple(one.model_copy(update=hard) if one.reading == "hard" else one for one in end.cells)
        restored = tuple(
            one.model_copy(update={"tv": 0.0125}) if one.prior == "restored" and one.reading == "soft" else one
            for one in cells
        )
        both = {"training": empirical, "held_out": empirical}
        curve = [end.model_copy(update={"cells": restored})]
        runs.append(make_run(curve, seed=number, **{"empirical": both, **run}))
    (summary,) = summarise(runs, mechanisms={"all-classes": PRESETS["all-classes"]})
    return conclude(summary)


NEAR, FAR = {"relative_error": 0.05}, {"relative_error": 0.5}
SURE, CHANCE = {"p_value": 0.0005}, {"p_value": 0.3}


@pytest.mark.parametrize(
    ("figures", "verdict"),
    [
        (NEAR | CHANCE, "preserves"),
        (NEAR | {"p_value": 0.01}, "preserves"),
        (FAR | CHANCE, "undecided"),
        (FAR | {"p_value": 0.01}, "undecided"),
        (FAR | SURE | {"amplification": 1.4}, "amplifies"),
        (FAR | SURE | {"amplification": 0.6}, "flattens"),
        (FAR | SURE | {"amplification": -0.5}, "reverses"),
        (FAR | SURE | {"amplification": 1.04}, "shifts"),
        (FAR | SURE | {"amplification": 0.96}, "shifts"),
        (FAR | SURE | {"amplification": None}, "shifts"),
        # however small, a difference that is no chance is one
        (NEAR | SURE | {"amplification": 1.2}, "amplifies"),
        # without a p-value only its size counts
        (NEAR | {"p_value": None}, "preserves"),
        (FAR | {"p_value": None, "amplification": 1.4}, "amplifies"),
    ],
)
def test_the_verdict_on_one_seed(figures: dict[str, Any], verdict: str) -> None:
    assert concluded(figures).verdict == verdict


def test_the_least_p_value_counts_against_the_number_of_seeds() -> None:
    two = [NEAR | {"p_value": 0.006}, NEAR | {"p_value": 0.9}]
    assert concluded(*two).verdict == "preserves"
    assert concluded(NEAR | {"p_value": 0.004, "amplification": 1.2}, two[1] | {"amplification": 1.2}).verdict == (
        "amplifies"
    )
    # errors and exponents are means over the seeds
    assert concluded({"relative_error": 0.1} | CHANCE, {"relative_error": 0.28} | CHANCE).verdict == "preserves"
    assert concluded({"relative_error": 0.1} | CHANCE, {"relative_error": 0.32} | CHANCE).verdict == "undecided"
    assert concluded(FAR | SURE | {"amplification": 1.5}, FAR | SURE | {"amplification": 0.3}).verdict == "flattens"


def test_only_expected_shares_on_held_out_text_at_the_end_are_judged() -> None:
    start = make_measurement(1, relative_error=0.9, p_value=0.0005)
    other: dict[Part, Any] = {"training": {"relative_error": 0.9, "p_value": 0.0005}}
    run = make_run([start, make_measurement(9, relative_error=0.05, p_value=0.4, change=other)])
    (summary,) = summarise([run], mechanisms={"all-classes": PRESETS["all-classes"]})
    assert conclude(summary).verdict == "preserves"


def test_the_first_sentence_tells_the_largest_and_the_rarest() -> None:
    found = concluded(FAR | SURE | {"predicted": (0.85, 0.15), "tv": 0.15, "amplification": 2.047})
    first = found.sentences[0]
    assert first.startswith("It amplifies the probabilities: on held-out text it gives 85 % to O, which has 70 %")
    assert "15 % to A, which has 30 %" in first
    assert first.endswith("(total variation 0.150, exponent 2.05).")
    # by what the text has, not by place
    turned = concluded(FAR | SURE | {"predicted": (0.15, 0.85)}, empirical=(0.3, 0.7)).sentences[0]
    assert "gives 85 % to A, which has 70 % and 15 % to O, which has 30 %" in turned


def test_the_second_sentence_compares_with_what_was_foretold() -> None:
    moved = FAR | SURE | {"predicted": (0.9, 0.1)}
    foretold = concluded(moved, effective_prior=(0.9, 0.1)).sentences[1]
    assert "is what its effective prior foretells" in foretold
    assert "0.000 from it" in foretold
    assert "with the prior restored the total variation is 0.013" in foretold or "is 0.012" in foretold
    assert "no token is decided to be A" in foretold
    part = concluded(moved, effective_prior=(0.75, 0.25)).sentences[1]
    assert "is in part what its effective prior foretells" in part
    assert "0.150 from it" in part
    other = concluded(moved, effective_prior=(0.4, 0.6)).sentences[1]
    assert "is not what its effective prior foretells" in other


def test_a_mechanism_that_has_training_right_fails_to_generalise() -> None:
    run = make_run(
        [make_measurement(9, change={"training": {"predicted": (0.7, 0.3)}}, **(FAR | SURE))],
        empirical={"training": (0.7, 0.3), "held_out": (0.5, 0.5)},
    )
    (summary,) = summarise([run], mechanisms={"all-classes": PRESETS["all-classes"]})
    assert "generalisation" in conclude(summary).sentences[1]


def test_what_preserves_is_not_blamed_for_the_decision() -> None:
    found = concluded(NEAR | CHANCE)
    assert found.sentences[0].startswith("It keeps the probabilities: ")
    assert "no token is decided to be A" in found.sentences[1]
    undecided = concluded(FAR | CHANCE)
    assert "cannot tell" in undecided.sentences[0]
    assert "foretells" not in undecided.sentences[1]


def test_a_label_that_some_seed_predicts_is_not_lost() -> None:
    runs = [
        make_run([make_measurement(9, tv=0.2, never_predicted=lost)], seed=seed)
        for seed, lost in enumerate([("A",), ()])
    ]
    (summary,) = summarise(runs, mechanisms={"all-classes": PRESETS["all-classes"]})
    assert "decided tags have a total variation of 0.200" in conclude(summary).sentences[1]


def test_it_belongs_to_its_mechanism_and_marginals() -> None:
    found = concluded(NEAR | CHANCE, marginals="99/1 %")
    assert (found.mechanism, found.marginals) == ("all-classes", "99/1 %")
    assert all(sentence.endswith(".") for sentence in found.sentences)


def test_where_mentions_are_labelled_only_shares_among_labels_are_judged() -> None:
    """`O` is not drawn there, and the p-value leaves it out: a wrong share of it must not make the rest undecided."""
    figures: dict[str, Any] = {"predicted": (0.8, 0.15, 0.05), "amplification": 1.9, "amplification_among_labels": 1.02}
    end = make_measurement(9, relative_error=0.5, p_value=0.9, **figures)
    run = make_run(
        [end],
        labels=("O", "A", "B"),
        empirical={"training": (0.5, 0.375, 0.125), "held_out": (0.5, 0.375, 0.125)},
        effective_prior=(0.5, 0.375, 0.125),
    )
    (summary,) = summarise([run], mechanisms={"all-classes": PRESETS["all-classes"]})
    assert conclude(summary, outside_is_drawn=True).verdict == "undecided"
    found = conclude(summary, outside_is_drawn=False)
    assert found.verdict == "preserves"
    assert found.sentences[0].startswith("It keeps the probabilities among labels")
    assert "exponent among labels 1.02" in found.sentences[0]


def test_an_unfinished_training_is_told() -> None:
    moved: dict[str, Any] = FAR | SURE | {"predicted": (0.9, 0.1)}
    assert "had not come to rest" not in concluded(moved, effective_prior=(0.9, 0.1)).sentences[1]
    runs = [make_run([make_measurement(9, **moved).model_copy(update={"memorised": 0.01})], effective_prior=(0.7, 0.3))]
    (summary,) = summarise(runs, mechanisms={"all-classes": PRESETS["all-classes"]})
    assert "had not come to rest" in conclude(summary).sentences[1]
