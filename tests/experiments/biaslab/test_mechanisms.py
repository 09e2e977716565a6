"""Mechanisms by name: presets, groups of them, and methods joined by a plus."""

from __future__ import annotations

import difflib

import pytest
from pydantic import ValidationError

from raretag.experiments.biaslab.mechanisms import GROUPS, PRESETS, Mechanism, named
from raretag.objectives import OBJECTIVES, REGULARISERS
from raretag.sampling import SAMPLERS
from raretag.training.heads import HEADS


def test_a_preset_and_a_group_go_by_their_names() -> None:
    assert named("btl-mask") == {"btl-mask": PRESETS["btl-mask"]}
    assert list(named("paper")) == [
        "all-classes", "weighted-loss", "per-class-batches", "btl-mask", "btl-mask-mean", "btl-mask-mean-knn"
    ]  # fmt: skip
    assert named("all") == dict(PRESETS)


def test_the_variants_that_the_paper_leaves_open_are_all_there() -> None:
    """Other labels masked or relabelled, by no weight, the batch's in a sum or a mean, or the training part's."""
    variants = named("btl-variants")
    assert len(variants) == 8
    told = {
        (
            one.sampler.options["others"],
            one.objective.options["weight"],
            one.objective.options["reduction"] if one.objective.options["weight"] == "batch" else "-",
        )
        for one in variants.values()
    }
    reductions = [("none", "-"), ("batch", "sum"), ("batch", "weighted-mean"), ("global", "-")]
    assert told == {(others, *kind) for others in ("mask", "relabel") for kind in reductions}
    for one in variants.values():
        # windows as they come, each label as often
        assert one.sampler.options["without"] is None
        assert one.sampler.options["order"] == "uniform"


def test_neighbours_are_all_that_the_paper_adds_at_last() -> None:
    plain, voted = PRESETS["btl-mask-mean"], PRESETS["btl-mask-mean-knn"]
    assert plain.training == voted.training
    assert plain.neighbours is None
    assert voted.neighbours is not None


def test_what_is_not_trained_is_not_in_the_training() -> None:
    training = named("focal+balanced+knn+viterbi")["focal+balanced+knn+viterbi"].training
    assert training == named("focal+balanced")["focal+balanced"].training
    assert training != named("focal")["focal"].training
    assert Mechanism(about="one").training == Mechanism(about="another").training


@pytest.mark.parametrize("name", [*OBJECTIVES, *SAMPLERS, *HEADS, *REGULARISERS, "knn", "viterbi"])
def test_every_method_has_a_mechanism_by_its_name(name: str) -> None:
    (found,) = named(name).values()
    plain = Mechanism().model_dump()
    changed = {key for key, value in found.model_dump().items() if value != plain[key]} - {"about"}
    role = {
        **dict.fromkeys(OBJECTIVES, "objective"),
        **dict.fromkeys(SAMPLERS, "sampler"),
        **dict.fromkeys(HEADS, "head"),
        **dict.fromkeys(REGULARISERS, "regularisers"),
        "knn": "neighbours",
        "viterbi": "decision",
    }[name]
    # the plain ones are what there is without a name
    assert changed == ({role} if name not in ("cross-entropy", "softmax") else set())


def test_no_two_methods_share_a_name() -> None:
    names = [*PRESETS, *GROUPS, *OBJECTIVES, *SAMPLERS, *HEADS, *REGULARISERS, "knn", "viterbi"]
    assert len(names) == len(set(names))


def test_methods_are_joined_in_any_order() -> None:
    name = "viterbi + per-class+prior-kl+focal+confidence-penalty+cosine"
    (found,) = named(name).values()
    assert list(named(name)) == [name]
    assert (found.objective.name, found.sampler.name, found.head.name) == ("focal", "per-class", "cosine")
    assert found.regularisers == {"prior-kl": {}, "confidence-penalty": {}}
    assert (found.decision, found.neighbours) == ("viterbi", None)
    turned = "+".join(reversed([word.strip() for word in name.split("+")]))
    assert named(turned)[turned].training == found.training


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("focal+dice", "'focal[+]dice' names two of the kind objective"),
        ("random+balanced", "two of the kind sampler"),
        ("cosine+softmax", "two of the kind head"),
        ("knn+knn", "two of the kind neighbours"),
        ("viterbi+viterbi", "two of the kind decision"),
        ("focal+", "there is no mechanism ''"),
        ("", "there is no mechanism ''"),
        ("btl-mask+knn", "the preset 'btl-mask' cannot be joined with methods by [+]"),
        ("knn+paper", "the preset 'paper' cannot be joined"),
        ("Focal", "there is no mechanism 'Focal'; did you mean focal[?]"),
    ],
)
def test_words_that_name_nothing_or_too_much(name: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        named(name)


def test_the_hint_is_the_nearest_name() -> None:
    for wrong in ("btl_mask", "balanced-softmx", "per-clas"):
        with pytest.raises(ValueError, match="did you mean") as error:
            named(wrong)
        hint = str(error.value).rpartition("did you mean ")[2].rstrip("?")
        names = [*PRESETS, *GROUPS, *OBJECTIVES, *SAMPLERS, *HEADS, *REGULARISERS]
        assert hint == max(names, key=lambda one: difflib.SequenceMatcher(None, wrong, one).ratio())


def test_neighbours_cannot_vote_where_labels_are_kept_apart() -> None:
    with pytest.raises(ValidationError, match="keeps labels apart"):
        named("knn+per-label")
    with pytest.raises(ValidationError, match="colour"):
        Mechanism.model_validate({"colour": "red"})
