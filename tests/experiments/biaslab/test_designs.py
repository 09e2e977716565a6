"""Labels drawn at random: which tokens share one, how often each comes, and the tags that say so."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raretag.corpus import Corpus, Document
from raretag.errors import DataError
from raretag.experiments import LabSettings
from raretag.experiments.biaslab.designs import Design, Drawn, Units, build_design, drawn_schema, tags_of
from raretag.experiments.biaslab.results import PARTS
from raretag.experiments.biaslab.text import OUTSIDE, UNTOLD, Text, cut_text
from raretag.tagging import IGNORE, build_schema

from .conftest import CAPACITY

DESIGNS = ("token", "mention", "word-type")
NATURAL = (0.6, 0.25, 0.1, 0.04, 0.01)
LABELLED = (0.5, 0.3, 0.15, 0.05)


def marginals_of(name: str) -> tuple[float, ...]:
    return LABELLED if name == "mention" else NATURAL


@st.composite
def drawings(draw: st.DrawFn) -> Drawn:
    """Any outcomes of up to four labels; a label begins anew wherever it must and at some other places."""
    outcomes = np.array(draw(st.lists(st.sampled_from([IGNORE, 0, 0, 1, 2, 3, 4]), min_size=1, max_size=40)))
    anew = np.array(draw(st.lists(st.booleans(), min_size=len(outcomes), max_size=len(outcomes))))
    before = np.concatenate([[0], outcomes[:-1]])
    return Drawn(outcomes=outcomes.astype(np.int64), begins=(outcomes > 0) & (anew | (outcomes != before)))


@pytest.mark.parametrize("scheme", ["IO", "BIO"])
@settings(deadline=None, max_examples=60)
@given(drawn=drawings())
def test_tags_say_of_each_token_what_was_drawn(scheme: Any, drawn: Drawn) -> None:
    labels = ("A", "B", "C", "D")
    flat, layered = (build_schema(labels, scheme=scheme, layered=kind) for kind in (False, True))
    tags, columns = tags_of(drawn, schema=flat), tags_of(drawn, schema=layered)
    assert tags.dtype == columns.dtype == np.int64
    assert columns.shape == (len(drawn.outcomes), 4)
    for tag, column, outcome, begins in zip(
        tags.tolist(), columns.tolist(), drawn.outcomes.tolist(), drawn.begins.tolist(), strict=True
    ):
        if outcome == IGNORE:
            assert tag == IGNORE
            assert set(column) == {IGNORE}
            continue
        prefix = "" if outcome == 0 else "B-" if begins and scheme == "BIO" else "I-"
        assert flat.tags[tag] == (prefix + labels[outcome - 1] if prefix else "O")
        # each label's own tags: outside, then those that the label has
        own = dict(enumerate(("", "B-", "I-") if scheme == "BIO" else ("", "I-")))
        assert [own[one] for one in column] == [prefix if label == outcome - 1 else "" for label in range(4)]
    assert flat.count(tags).tolist() == layered.count(columns).tolist()


@settings(deadline=None, max_examples=40)
@given(drawn=drawings())
def test_a_schema_counts_mentions_and_tags(drawn: Drawn) -> None:
    labels = ("A", "B", "C", "D")
    schema = drawn_schema(drawn, labels=labels, scheme="BIO", layered=False)
    assert schema.mention_counts == tuple(
        int(((drawn.outcomes == 1 + k) & drawn.begins).sum()) for k in range(len(labels))
    )
    assert sum(schema.tag_counts) == int((drawn.outcomes >= 0).sum())
    for k, number in enumerate(schema.mention_counts):
        assert schema.tag_counts[schema.begin(k)] == number
        assert schema.tag_counts[schema.inside(k)] == int((drawn.outcomes == 1 + k).sum()) - number
    plain = drawn_schema(drawn, labels=labels, scheme="IO", layered=True)
    assert plain.layered
    assert plain.mention_counts == schema.mention_counts
    assert plain.tag_counts == tuple(int((drawn.outcomes == k).sum()) for k in range(5))


@pytest.mark.parametrize("name", DESIGNS)
def test_a_seed_draws_the_same_and_another_does_not(name: str, text: Text) -> None:
    designs = [build_design(name, text, marginals=marginals_of(name)) for _ in range(2)]
    first, again = (design.draw(seed=5) for design in designs)
    other = designs[0].draw(seed=6)
    for part in PARTS:
        assert np.array_equal(first[part].outcomes, again[part].outcomes)
        assert np.array_equal(first[part].begins, again[part].begins)
        assert not np.array_equal(first[part].outcomes, other[part].outcomes)


@pytest.mark.parametrize("name", DESIGNS)
def test_labels_beside_outside_have_names_and_planted_shares(name: str, text: Text) -> None:
    design = build_design(name, text, marginals=marginals_of(name))
    assert design.labels == ("L1", "L2", "L3", "L4")
    for part in PARTS:
        planted = design.planted(part)
        assert planted.sum() == pytest.approx(1)
        if name != "mention":
            assert planted == pytest.approx(NATURAL)
            continue
        numbers = text.parts[part].mentions
        covered = (numbers >= 0).sum() / (numbers != UNTOLD).sum()
        assert planted == pytest.approx([1 - covered, *(covered * p for p in LABELLED)])


@pytest.mark.parametrize("name", ["token", "mention"])
def test_units_are_labelled_as_often_as_planted(name: str, text: Text) -> None:
    marginals = marginals_of(name)
    design = build_design(name, text, marginals=marginals)
    drawn = design.draw(seed=2)
    for part in PARTS:
        outcomes, begins = drawn[part].outcomes, drawn[part].begins
        counted = outcomes[begins] if name == "mention" else outcomes
        for k, chance in enumerate(marginals, start=design.first):
            expected = chance * len(counted)
            # beyond once in a hundred thousand
            assert abs((counted == k).sum() - expected) < 4.5 * math.sqrt(expected * (1 - chance))


def test_tokens_are_drawn_one_by_one(text: Text) -> None:
    """The label of a token says nothing of the next one's."""
    outcomes = build_design("token", text, marginals=(0.5, 0.5)).draw(seed=3)["training"].outcomes
    alike = float((outcomes[1:] == outcomes[:-1]).mean())
    assert alike == pytest.approx(0.5, abs=4.5 * 0.5 / math.sqrt(len(outcomes)))


def test_every_token_begins_a_mention_of_its_own(text: Text) -> None:
    for name in ("token", "word-type"):
        drawn = build_design(name, text, marginals=NATURAL).draw(seed=1)["training"]
        assert np.array_equal(drawn.begins, drawn.outcomes > 0)


def test_mentions_keep_their_boundaries_and_outside_stays(text: Text) -> None:
    drawn = build_design("mention", text, marginals=LABELLED).draw(seed=1)
    for part in PARTS:
        numbers, one = text.parts[part].mentions, drawn[part]
        assert np.array_equal(one.outcomes == 0, numbers == OUTSIDE)
        assert np.array_equal(one.outcomes == IGNORE, numbers == UNTOLD)
        assert numbers.max() > 100
        for number in range(int(numbers.max()) + 1):
            (own,) = np.nonzero(numbers == number)
            assert len({*one.outcomes[own].tolist()}) == 1
            assert one.begins[own].tolist() == [True] + [False] * (len(own) - 1)


def test_what_no_tag_can_tell_is_not_drawn_and_mentions_side_by_side_stay_apart() -> None:
    of = np.array([0, 0, 1, -1, -2, 2, 2, -1])
    units = Units(of=of, sizes=np.array([2, 1, 2]))
    design = Design(
        name="mention",
        labels=("L1",),
        probabilities=np.array([1.0]),
        units=MappingProxyType(dict.fromkeys(PARTS, units)),
    )
    drawn = design.draw(seed=0)["training"]
    assert drawn.outcomes.tolist() == [1, 1, 1, 0, IGNORE, 1, 1, 0]
    assert np.flatnonzero(drawn.begins).tolist() == [0, 2, 5]
    assert units.outside == 2
    assert design.planted("training") == pytest.approx([2 / 7, 5 / 7])
    tags = tags_of(drawn, schema=build_schema(("L1",)))
    assert tags.tolist() == [1, 2, 1, 0, IGNORE, 1, 2, 0]


def test_a_word_type_has_one_label_in_both_parts(text: Text) -> None:
    drawn = build_design("word-type", text, marginals=NATURAL).draw(seed=4)
    label: dict[int, int] = {}
    for part in PARTS:
        for token, outcome in zip(text.parts[part].ids.tolist(), drawn[part].outcomes.tolist(), strict=True):
            assert label.setdefault(token, outcome) == outcome
    assert len({*label.values()}) > 1


def test_word_types_fill_quotas_of_the_training_tokens(text: Text) -> None:
    biggest = int(np.bincount(text.parts["training"].ids).max())
    for seed in range(5):
        outcomes = build_design("word-type", text, marginals=(0.6, 0.3, 0.1)).draw(seed=seed)["training"].outcomes
        missed = np.bincount(outcomes, minlength=3) - np.array([0.6, 0.3, 0.1]) * len(outcomes)
        assert np.abs(missed).max() < biggest


@st.composite
def types_of(draw: st.DrawFn) -> tuple[list[int], list[float]]:
    """Tokens of each word type in training, some only held out, and probabilities."""
    sizes = draw(st.lists(st.integers(0, 50), min_size=1, max_size=30).filter(any))
    weights = draw(st.lists(st.integers(1, 20), min_size=2, max_size=6))
    return sizes, [weight / sum(weights) for weight in weights]


@settings(deadline=None, max_examples=80)
@given(drawn=types_of(), seed=st.integers(0, 1000))
def test_no_quota_is_missed_by_more_than_a_type(drawn: tuple[list[int], list[float]], seed: int) -> None:
    sizes, probabilities = drawn
    of = np.repeat(np.arange(len(sizes)), sizes)
    units = Units(of=of, sizes=np.array(sizes))
    both: Mapping[Any, Units] = dict.fromkeys(PARTS, units)
    labels = tuple(f"L{k}" for k in range(1, len(probabilities)))
    design = Design(name="word-type", labels=labels, probabilities=np.array(probabilities), units=both)
    outcomes = design.draw(seed=seed)["training"].outcomes
    missed = np.bincount(outcomes, minlength=len(probabilities)) - np.array(probabilities) * sum(sizes)
    assert np.abs(missed).max() <= max(sizes) + 1e-6


def test_probabilities_are_made_to_sum_to_one(text: Text) -> None:
    rounded = (0.3333333, 0.3333333, 0.3333333)
    design = build_design("token", text, marginals=rounded)
    assert design.probabilities.sum() == pytest.approx(1, abs=1e-15)
    assert len(design.draw(seed=0)["training"].outcomes) == len(text.parts["training"])


@pytest.mark.parametrize(
    ("name", "marginals", "told"),
    [
        ("token", (0.999, 0.001), r"0\.001, needs 10,000 tokens .* held-out part has \d,\d{3}"),
        ("token", (0.9999, 0.0001), r"0\.0001, needs 100,000 tokens .* training part has 1\d,\d{3}"),
        ("word-type", (0.999, 0.001), r"needs 10,000 tokens"),
        ("mention", (0.99, 0.01), r"0\.01, needs 1,000 mentions .* training part has \d{3}"),
    ],
)
def test_too_little_text_says_how_much_is_needed(
    name: str, marginals: tuple[float, ...], told: str, text: Text
) -> None:
    with pytest.raises(DataError, match=told) as error:
        build_design(name, text, marginals=marginals)
    assert "plant no smaller probability than 0.0" in error.value.remedy


def test_just_enough_text_is_enough(text: Text) -> None:
    least = len(text.parts["held_out"])
    assert build_design("token", text, marginals=(1 - 10 / least, 10 / least)).labels == ("L1",)
    with pytest.raises(DataError, match=f"needs {least + 1:,} tokens"):
        build_design("token", text, marginals=(1 - 10 / (least + 1), 10 / (least + 1)))


@pytest.mark.parametrize("notes_kept", [320, 200, 150])
def test_the_least_probability_that_the_remedy_names_will_do(
    notes_kept: int, notes: Corpus, tokenizer: Any, tiny_encoder: Any
) -> None:
    chosen = LabSettings(encoder=str(tiny_encoder), tokens=10**6)
    documents = notes.documents[:notes_kept]
    text = cut_text(documents, name="some", tokenizer=tokenizer, capacity=CAPACITY, settings=chosen)
    least = 0.7 * 10 / len(text.parts["held_out"])
    with pytest.raises(DataError, match="held-out part") as error:
        build_design("token", text, marginals=(1 - least, least))
    named = float(error.value.remedy.split()[-1])
    assert build_design("token", text, marginals=(1 - named, named)).labels == ("L1",)


def test_text_without_mentions_cannot_have_them_labelled(notes: Corpus, tokenizer: Any, tiny_encoder: Any) -> None:
    bare = [Document(id=note.id, text=note.text) for note in notes.documents[:20]]
    chosen = LabSettings(encoder=str(tiny_encoder))
    text = cut_text(bare, name="bare", tokenizer=tokenizer, capacity=CAPACITY, settings=chosen)
    with pytest.raises(DataError, match=r"needs 20 mentions .* has 0.*more mentions"):
        build_design("mention", text, marginals=(0.5, 0.5))
