"""What the lab can be told: how marginals, seeds and mechanisms may be written, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from raretag.experiments import LabSettings
from raretag.experiments.biaslab.mechanisms import GROUPS, PRESETS
from raretag.experiments.biaslab.settings import RATES, STEPS


def lab(**content: Any) -> LabSettings:
    return LabSettings.model_validate(content)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("60/25/10/4/1", ((0.6, 0.25, 0.1, 0.04, 0.01),)),
        ("0.99/0.01", ((0.99, 0.01),)),
        ("99/1", ((0.99, 0.01),)),
        (" 99/1 , 50/50 ", ((0.99, 0.01), (0.5, 0.5))),
        (["99/1", [0.5, 0.5]], ((0.99, 0.01), (0.5, 0.5))),
        ([0.7, 0.3], ((0.7, 0.3),)),
        ([[0.7, 0.3], [0.6, 0.4]], ((0.7, 0.3), (0.6, 0.4))),
        ("99.5/0.5", ((0.995, 0.005),)),
    ],
)
def test_marginals_as_people_write_them(written: Any, read: tuple[tuple[float, ...], ...]) -> None:
    found = lab(marginals=written).marginals
    assert len(found) == len(read)
    for row, expected in zip(found, read, strict=True):
        assert row == pytest.approx(expected, abs=1e-15)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(1, 997), min_size=1, max_size=12).filter(lambda row: sum(row) < 1000))
def test_per_cent_and_shares_are_read_alike(row: list[int]) -> None:
    """In tenths of a per cent, so that what is written sums to 100 or 1."""
    row = [1000 - sum(row), *row]
    shares = [one / 1000 for one in row]
    for written in ("/".join(f"{one / 10:g}" for one in row), "/".join(f"{one:g}" for one in shares)):
        (found,) = lab(marginals=written, mechanisms="all-classes").marginals
        assert found == pytest.approx(shares, abs=1e-12)


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("60/25/10/4/0.9", r"\(0\.6, 0\.25, 0\.1, 0\.04, 0\.009\) sum to 0\.999, not to 1"),
        ([[0.6, 0.3]], r"sum to 0\.9, not to 1"),
        ([[0.6, 0.4, 0.0]], r"\(0\.6, 0\.4, 0\): each probability must be above 0; leave the label out"),
        ("60/40/0", "each probability must be above 0"),
        ([[1.2, -0.2]], "each probability must be above 0"),
        ("100", r"\(1\) are not two probabilities or more"),
        ([[1.0]], "are not two probabilities or more"),
        ([[]], r"\(\) are not two probabilities or more"),
        ("60/40,0.6/0.4", "the same probabilities are given twice"),
        ("sixty/forty", "'sixty/forty' is no set of probabilities: write for example 60/25/10/4/1"),
        ("", "'' is no set of probabilities"),
        ("60/40/", "'60/40/' is no set of probabilities"),
        ("60/40,", "'' is no set of probabilities"),
        ("60;40", "'60;40' is no set"),
        ("nan/1", "finite number"),
        ("inf/1", "finite number"),
        ([], "give at least one set"),
        (5, "valid tuple"),
        (None, "valid tuple"),
        ({"O": 0.6, "A": 0.4}, "valid tuple"),
        ([["a", "b"]], "valid number"),
    ],
)
def test_marginals_that_are_none(written: Any, told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        lab(marginals=written)


@pytest.mark.parametrize(("written", "read"), [(7, (7,)), ("7", (7,)), ("7, 8,9", (7, 8, 9)), ([3, 1], (3, 1))])
def test_seeds_as_people_write_them(written: Any, read: tuple[int, ...]) -> None:
    assert lab(seeds=written).seeds == read


@pytest.mark.parametrize("written", [-1, 2**32, [1, 1], "1,x", "", [], None, 1.5, [1.5], {"a": 1}])
def test_seeds_that_are_none(written: Any) -> None:
    with pytest.raises(ValidationError, match="seeds"):
        lab(seeds=written)


@pytest.mark.parametrize(
    ("written", "names"),
    [
        ("btl-mask", ["btl-mask"]),
        ("btl-mask, focal+balanced", ["btl-mask", "focal+balanced"]),
        ("paper", list(GROUPS["paper"])),
        (["all-classes", "paper"], list(GROUPS["paper"])),
        ({"all-classes": None, "mine": {"objective": {"name": "focal"}}}, ["all-classes", "mine"]),
    ],
)
def test_mechanisms_as_people_write_them(written: Any, names: list[str]) -> None:
    assert list(lab(mechanisms=written).mechanisms) == names


@pytest.mark.parametrize("nothing", [None, {}, [], ""])
def test_without_mechanisms_the_model_says_which(nothing: Any) -> None:
    assert list(lab(mechanisms=nothing).mechanisms) == list(PRESETS)
    assert list(lab(model="full", mechanisms=nothing).mechanisms) == list(GROUPS["paper"])
    assert list(lab(model="bias-only").mechanisms) == list(PRESETS)


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("btl-msk", "there is no mechanism 'btl-msk'; did you mean btl-mask[?]"),
        ("fokal+balanced", "there is no mechanism 'fokal'; did you mean focal[?]"),
        ("xyz", "there is no mechanism 'xyz'; there are all-classes"),
        ({"mine": None}, "there is no mechanism 'mine'"),
        (["all-classes", 5], "mechanisms"),
        ("focal+dice", "'focal[+]dice' names two of the kind objective"),
        ("knn+per-label", "neighbours vote for one tag a token, but head.name per-label keeps labels apart"),
        ({"mine": {"neighbours": {}, "head": {"name": "per-label"}}}, "keeps labels apart"),
        ("ldam", "objective 'ldam' needs head.name to be cosine, not softmax"),
        ({"mine": {"objective": {"name": "focal", "gama": 2}}}, "mine.objective.gama"),
        ({"mine": {"sampler": {"name": "per-class", "others": "drop"}}}, "mine.sampler.others"),
        ({"mine": {"sampler": {"start": 0.5}}}, "no effect on length-bucketed"),
        ({"mine": {"colour": "red"}}, "mine.colour"),
        ({"mine": 5}, "mine"),
        (5, "mechanisms"),
    ],
)
def test_mechanisms_that_are_none(written: Any, told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        lab(mechanisms=written)


@pytest.mark.parametrize(
    "content", [{"mechanisms": [["all-classes"]]}, {"mechanisms": [{"all-classes": None}]}, {"model": ["frozen"]}]
)
def test_lists_where_names_belong_are_refused_and_no_crash(content: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=next(iter(content))):
        lab(**content)


def test_a_bias_only_model_has_no_use_for_a_head_without_biases() -> None:
    with pytest.raises(ValidationError, match="a bias-only model has no use for the head cosine"):
        lab(model="bias-only", mechanisms="all-classes,cosine")
    assert list(lab(model="frozen", mechanisms="cosine").mechanisms) == ["cosine"]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("design", "sentence"), ("model", "half"), ("steps", 0), ("measurements", 0), ("measurements", 1001),
        ("tokens", 0), ("held_out", 0), ("held_out", 1), ("encoder", ""), ("scheme", "IOBES"), ("batch_tokens", 15),
        ("learning_rate", 0), ("learning_rate", 1), ("learning_rate", float("nan")), ("ledger_steps", 0),
        ("simulations", 498), ("precision", "float16"), ("checkpoint_seconds", -1), ("windows", {"max_tokens": 4}),
        ("colour", "red"),
    ],
)  # fmt: skip
def test_values_out_of_range(key: str, value: Any) -> None:
    with pytest.raises(ValidationError) as error:
        lab(**{key: value})
    assert error.value.errors()[0]["loc"][0] == key


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ({"model": "frozen", "precision": "float32"}, "precision is that of the full model"),
        ({"model": "bias-only", "precision": "bfloat16"}, "precision is that of the full model"),
        ({"mechanisms": "viterbi"}, "viterbi is argmax unless design is mention and scheme is BIO"),
        ({"mechanisms": "viterbi", "design": "mention"}, "viterbi is argmax"),
        ({"mechanisms": "viterbi", "scheme": "BIO"}, "viterbi is argmax"),
        ({"seeds": [1, 2, 3], "simulations": 1498}, "3 seeds need 1,499 simulations"),
    ],
)
def test_options_that_would_do_nothing(content: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        lab(**content)


def test_options_that_do_something() -> None:
    assert lab(model="full", precision="bfloat16").precision == "bfloat16"
    assert list(lab(mechanisms="viterbi", design="mention", scheme="BIO").mechanisms) == ["viterbi"]
    assert lab(seeds=[1, 2, 3], simulations=1499).simulations == 1499


def test_what_is_written_down_reads_back() -> None:
    chosen = lab(
        model="full", seeds="3,1", marginals="99/1", mechanisms={"all-classes": None, "mine": {"about": "my own"}}
    )
    assert LabSettings.model_validate(chosen.model_dump(mode="json")) == chosen
    assert LabSettings.model_validate_json(chosen.model_dump_json()) == chosen


def test_each_model_has_steps_and_a_rate_of_its_own() -> None:
    mechanism = PRESETS["all-classes"]
    assert STEPS.keys() == RATES.keys() == {"bias-only", "frozen", "full"}
    for model in STEPS:
        chosen = lab(model=model)
        assert chosen.least_steps == STEPS[model]
        assert chosen.training(mechanism, seed=1, epochs=2).optimiser.learning_rate == RATES[model]
        told = lab(model=model, steps=7, learning_rate=0.1)
        assert told.least_steps == 7
        assert told.training(mechanism, seed=1, epochs=2).optimiser.learning_rate == 0.1


def test_a_training_is_told_everything() -> None:
    chosen = lab(
        model="full", encoder="org/model", scheme="BIO", windows={"max_tokens": 64}, batch_tokens=128, ledger_steps=3,
        precision="bfloat16", checkpoint_seconds=5,
    )  # fmt: skip
    train = chosen.training(PRESETS["btl-mask-mean"], seed=5, epochs=2)
    assert (train.encoder, train.seed, train.tagging.scheme, train.windows.max_tokens) == ("org/model", 5, "BIO", 64)
    assert (train.optimiser.epochs, train.optimiser.batch_tokens, train.ledger_steps) == (2, 128, 3)
    assert (train.precision, train.checkpoint_seconds) == ("bfloat16", 5)
    assert (train.objective.name, train.sampler.name) == ("btl", "per-class")


def test_simulations_grow_with_the_seeds_unless_they_are_given() -> None:
    assert lab(seeds=[1]).draws == lab(seeds=[1, 2, 3, 4]).draws == 1999
    assert lab(seeds=[1, 2, 3, 4, 5]).draws == 2499
    assert lab(seeds=[1], simulations=499).draws == 499
