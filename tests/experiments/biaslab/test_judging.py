"""Whether chance explains a difference: p-values by what a learner could know."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from transformers import PreTrainedTokenizerFast

from raretag.corpus import Corpus
from raretag.experiments import LabSettings
from raretag.experiments.biaslab.designs import Design, build_design
from raretag.experiments.biaslab.judging import judged
from raretag.experiments.biaslab.mechanisms import PRESETS, named
from raretag.experiments.biaslab.results import PARTS, Part, Run
from raretag.experiments.biaslab.text import Text, cut_text

from .conftest import CAPACITY, cell, make_measurement, make_run

NATURAL = (0.6, 0.25, 0.1, 0.04, 0.01)
SIMULATIONS = 499


def drawn_run(design: Design, *, seed: int, told: np.ndarray | None = None) -> Run:
    """A run that predicts `told` everywhere, by default the planted shares, of labels drawn by the design."""
    empirical: dict[Part, tuple[float, ...]] = {}
    for part, drawn in design.draw(seed=seed).items():
        kept = drawn.outcomes[drawn.outcomes >= 0]
        shares = np.bincount(kept, minlength=len(design.labels) + 1) / len(kept)
        empirical[part] = tuple(shares.tolist())
    predicted = {part: tuple((design.planted(part) if told is None else told).tolist()) for part in PARTS}
    curve = [
        make_measurement(step, change={part: {"predicted": predicted[part]} for part in PARTS}, p_value=None)
        for step in (1, 9)
    ]
    labels = ("O", *design.labels)
    return make_run(curve, seed=seed, labels=labels, empirical=empirical)


def judge(run: Run, design: Design, *, mechanism: str = "all-classes", simulations: int = SIMULATIONS) -> Run:
    return judged(run, design=design, mechanism=named(mechanism)[mechanism], simulations=simulations)


@pytest.mark.parametrize("name", ["token", "mention"])
def test_who_tells_the_planted_shares_is_seldom_called_wrong(name: str, text: Text) -> None:
    """On the training part, where these are all that there is to know, p-values are uniform."""
    design = build_design(name, text, marginals=(*NATURAL[:3], 0.05) if name == "token" else (0.5, 0.3, 0.2))
    values = []
    for seed in range(24):
        (_, last) = judge(drawn_run(design, seed=seed), design).curve
        p = cell(last, "training", "soft").p_value
        assert p is not None
        values.append(p)
    # six expected below a fourth; more than thirteen come once in two thousand
    assert 1 <= sum(value < 0.25 for value in values) <= 13
    assert np.mean(values) == pytest.approx(0.5, abs=0.2)


def test_who_tells_the_training_shares_is_seldom_called_wrong_on_other_text(
    notes: Corpus, tokenizer: PreTrainedTokenizerFast, tiny_encoder: Path
) -> None:
    """Though shares of a short training part are further from those of a long other one than planted ones are."""
    settings = LabSettings(encoder=str(tiny_encoder), tokens=10**6, held_out=0.85)
    text = cut_text(notes.documents, name="notes", tokenizer=tokenizer, capacity=CAPACITY, settings=settings)
    design = build_design("token", text, marginals=NATURAL)
    values = []
    for seed in range(24):
        learned = np.array(drawn_run(design, seed=seed).empirical["training"])
        p = cell(judge(drawn_run(design, seed=seed, told=learned), design).curve[-1], "held_out", "soft").p_value
        assert p is not None
        values.append(p)
    assert 1 <= sum(value < 0.25 for value in values) <= 13
    assert np.mean(values) == pytest.approx(0.5, abs=0.2)


@pytest.mark.parametrize("told", [[p**2 for p in NATURAL], [0.2] * 5, [0.64, 0.22, 0.09, 0.04, 0.01], [1, 0, 0, 0, 0]])
def test_other_shares_are_no_chance(told: list[float], text: Text) -> None:
    design = build_design("token", text, marginals=NATURAL)
    shares = np.array(told) / sum(told)
    for measured in judge(drawn_run(design, seed=1, told=shares), design).curve:
        for one in measured.cells:
            assert one.p_value == pytest.approx(1 / (SIMULATIONS + 1))


def test_where_mentions_are_labelled_outside_has_no_say(text: Text) -> None:
    """Shares among the labels alone count: tokens outside are known for what they are."""
    design = build_design("mention", text, marginals=(0.5, 0.3, 0.2))
    plain = judge(drawn_run(design, seed=2), design)
    planted = design.planted("training")
    moved = np.array([0.9, *(0.1 * planted[1:] / planted[1:].sum())])
    other = judge(drawn_run(design, seed=2, told=moved), design)
    for part in PARTS:
        assert cell(plain.curve[-1], part, "soft").p_value == cell(other.curve[-1], part, "soft").p_value


def test_a_predictor_of_nothing_but_outside_has_no_shares_among_labels(text: Text) -> None:
    design = build_design("mention", text, marginals=(0.5, 0.3, 0.2))
    found = judge(drawn_run(design, seed=2, told=np.array([1.0, 0, 0, 0])), design)
    assert {one.p_value for one in found.curve[-1].cells} == {None}


def test_none_where_text_explains_labels_or_a_token_has_several(text: Text) -> None:
    types = build_design("word-type", text, marginals=NATURAL)
    assert {one.p_value for one in judge(drawn_run(types, seed=1), types).curve[-1].cells} == {None}
    tokens = build_design("token", text, marginals=NATURAL)
    apart = judge(drawn_run(tokens, seed=1), tokens, mechanism="per-label").curve[-1]
    assert {one.p_value is None for one in apart.cells if one.reading == "hard"} == {True}
    assert {one.p_value is None for one in apart.cells if one.reading != "hard"} == {False}


def test_the_same_again_and_nothing_else_is_changed(text: Text) -> None:
    design = build_design("token", text, marginals=NATURAL)
    run = drawn_run(design, seed=3)
    first, again = (judge(run, design) for _ in range(2))
    assert first == again
    assert judge(first, design) == first
    bare = first.model_copy(
        update={
            "curve": tuple(
                one.model_copy(update={"cells": tuple(c.model_copy(update={"p_value": None}) for c in one.cells)})
                for one in first.curve
            )
        }
    )
    assert bare == run
    # more simulations, a finer value
    finer = cell(judge(run, design, simulations=1999).curve[-1], "training", "soft").p_value
    assert finer == pytest.approx(cell(first.curve[-1], "training", "soft").p_value, abs=0.1)


def test_presets_are_judged_by_their_shares_alone(text: Text, tmp_path: Path) -> None:
    design = build_design("token", text, marginals=NATURAL)
    run = drawn_run(design, seed=3)
    assert len({judge(run, design, mechanism=name).model_dump_json() for name in PRESETS}) == 1
