"""The text of the lab: whole documents in two parts, whatever the seed, with the places of true mentions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from transformers import PreTrainedTokenizerFast

from raretag.corpus import Corpus, Document, Mention
from raretag.errors import DataError
from raretag.experiments import LabSettings
from raretag.experiments.biaslab.results import PARTS
from raretag.experiments.biaslab.text import OUTSIDE, UNTOLD, Text, cut_text
from raretag.tagging import IGNORE, WindowSettings, tokenise

from .conftest import CAPACITY

Cut = Callable[..., Text]


@pytest.fixture
def cut(tokenizer: PreTrainedTokenizerFast, tiny_encoder: Path) -> Cut:
    def cut(documents: list[Document], **content: object) -> Text:
        settings = LabSettings.model_validate({"encoder": str(tiny_encoder), "seeds": 1, **content})
        return cut_text(documents, name="some", tokenizer=tokenizer, capacity=CAPACITY, settings=settings)

    return cut


def test_documents_stay_whole_and_on_one_side(notes: Corpus, cut: Cut, tokenizer: PreTrainedTokenizerFast) -> None:
    text = cut(list(notes.documents), tokens=2000)
    lengths = {}
    for document in notes.documents:
        (pieces,) = tokenise([document.text], tokenizer=tokenizer)
        lengths[tuple(pieces.ids.tolist())] = len(pieces)
    found = []
    for part in PARTS:
        one = text.parts[part]
        numbers, counts = np.unique(one.documents, return_counts=True)
        assert numbers.tolist() == list(range(text.facts.documents[part]))
        assert (np.diff(one.documents) >= 0).all()
        assert len(one) == text.facts.tokens[part]
        for number, count in zip(numbers, counts, strict=True):
            ids = tuple(one.ids[one.documents == number].tolist())
            assert lengths[ids] == count
            found.append(ids)
    assert len(found) == len(set(found))
    # as many tokens as asked for, no document more than it takes
    total = sum(text.facts.tokens.values())
    assert 2000 <= total < 2000 + max(lengths.values())


@pytest.mark.parametrize("held_out", [0.1, 1 / 3, 0.5, 0.9])
def test_the_share_held_out_is_kept_to_within_a_document(held_out: float, notes: Corpus, cut: Cut) -> None:
    text = cut(list(notes.documents), tokens=3000, held_out=held_out)
    tokens = text.facts.tokens
    total = sum(tokens.values())
    assert tokens["training"] - 100 < (1 - held_out) * total <= tokens["training"]


def test_two_documents_are_one_for_each_part(notes: Corpus, cut: Cut) -> None:
    for held_out in (0.001, 0.999):
        text = cut(list(notes.documents[:2]), held_out=held_out)
        assert text.facts.documents == {"training": 1, "held_out": 1}


def test_seeds_and_the_order_of_settings_change_nothing(notes: Corpus, cut: Cut) -> None:
    first = cut(list(notes.documents), tokens=1000)
    other = cut(list(notes.documents), tokens=1000, seeds=[8, 9], mechanisms="focal", marginals="99/1")
    assert first.facts == other.facts
    for part in PARTS:
        assert np.array_equal(first.parts[part].ids, other.parts[part].ids)
    # and not simply the first ones
    assert not np.array_equal(
        first.parts["training"].ids[:40], cut(list(notes.documents[:2])).parts["training"].ids[:40]
    )


def test_the_hash_tells_other_text_and_other_mentions(notes: Corpus, cut: Cut) -> None:
    documents = list(notes.documents[:10])
    plain = cut(documents).facts.sha256
    fewer = [replace(documents[0], mentions=documents[0].mentions[1:]), *documents[1:]]
    renamed = [replace(one, id=f"other-{one.id}") for one in documents]
    relabelled = [replace(one, mentions=tuple(replace(m, label="Other") for m in one.mentions)) for one in documents]
    assert cut(fewer).facts.sha256 != plain
    assert cut(documents[:9]).facts.sha256 != plain
    # neither names nor labels are part of what is looked at
    assert cut(renamed).facts.sha256 == cut(relabelled).facts.sha256 == plain


def test_mentions_are_numbered_through_where_they_stand(text: Text, tokenizer: PreTrainedTokenizerFast) -> None:
    for part in PARTS:
        one = text.parts[part]
        pieces = tokenizer.convert_ids_to_tokens(one.ids.tolist())
        numbers = one.mentions
        assert np.unique(numbers).tolist() == list(range(-1, int(numbers.max()) + 1))
        first = [int(np.flatnonzero(numbers == number)[0]) for number in range(int(numbers.max()) + 1)]
        assert first == sorted(first)
        told = [" ".join(pieces[n] for n in np.flatnonzero(numbers == number)) for number in range(len(first))]
        assert set(told) == {"chest pain", "cough", "rash", "pain"}
        # the phrases are nowhere else
        assert not {"cough", "rash", "chest"} & {pieces[n] for n in np.flatnonzero(numbers == OUTSIDE)}
        # three in each note
        assert len(told) == 3 * text.facts.documents[part]


def test_of_mentions_that_overlap_the_longest_counts_and_the_rest_is_untold(cut: Cut) -> None:
    marked = Document(
        id="a",
        text="fever and chest pain daily",
        mentions=(
            Mention(label="A", start=0, end=9),
            Mention(label="B", start=6, end=20),
            Mention(label="A", start=21, end=26),
        ),
    )
    text = cut([marked, replace(marked, id="b")])
    for part in PARTS:
        assert text.parts[part].mentions.tolist() == [UNTOLD, 0, 0, 0, 1]


def test_tags_are_put_where_tokens_are_judged_and_nowhere_else(notes: Corpus, cut: Cut) -> None:
    windows = WindowSettings(unit="tokens", max_tokens=16, stride=4, context=3).model_dump()
    text = cut(list(notes.documents), tokens=800, windows=windows)
    for part in PARTS:
        one = text.parts[part]
        tags = np.arange(len(one)) % 7
        dataset = one.labelled(tags)
        placed = np.concatenate([window.labels[window.labels != IGNORE] for window in dataset.windows])
        assert np.array_equal(placed, tags)
        seen = np.concatenate([window.input_ids[window.labels != IGNORE] for window in dataset.windows])
        assert np.array_equal(seen, one.ids)
        assert any((window.labels == IGNORE).sum() > 2 for window in dataset.windows)
        columns = np.stack([tags, tags + 1], axis=1)
        layered = one.labelled(columns)
        assert np.array_equal(
            np.concatenate([w.labels[(w.labels != IGNORE).all(axis=1)] for w in layered.windows]), columns
        )
        assert [len(w.input_ids) for w in layered.windows] == [len(w.labels) for w in layered.windows]


@pytest.mark.parametrize("texts", [[], ["fever"], ["fever", ""], ["", "  \n", "\t"]])
def test_one_document_cannot_be_two_parts(texts: list[str], cut: Cut) -> None:
    documents = [Document(id=str(number), text=one) for number, one in enumerate(texts)]
    with pytest.raises(DataError, match="documents with text cannot make a part to train on and one to hold out"):
        cut(documents)


def test_documents_without_text_are_passed_over(notes: Corpus, cut: Cut) -> None:
    documents = list(notes.documents[:6])
    blanks = [Document(id=f"blank-{number}", text=" \n" * number) for number in range(5)]
    assert sum(cut(documents + blanks).facts.documents.values()) == 6
