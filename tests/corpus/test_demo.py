"""The demo corpus: the same everywhere, long-tailed, right by construction, and hard enough to learn something from."""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from functools import cache
from itertools import pairwise

import pytest

from raretag.corpus.demo import demo_corpus
from raretag.corpus.document import Corpus, Document, Mention
from raretag.errors import UsageError

CRITICAL = {
    "Allergy_reaction",
    "Anticoagulant_bleed",
    "Device_failure",
    "Resuscitation_limit",
    "Suicidal_ideation",
    "Transfusion_reaction",
}
DIGEST = "16b64a6896cb36c531c720ec1fd92f829015eece94755d9f1557620f269642f8"


@cache
def corpus() -> Corpus:
    return demo_corpus()


def surface(document: Document, mention: Mention) -> str:
    return " ".join(document.text[start:end] for start, end in mention.parts)


def counts(of: Corpus) -> Counter[str]:
    return Counter(mention.label for document in of.documents for mention in document.mentions)


def surfaces(documents: tuple[Document, ...]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for document in documents:
        for mention in document.mentions:
            found[mention.label].add(surface(document, mention).lower())
    return found


def digest(of: Corpus) -> str:
    rows = [
        [d.id, d.text, dict(sorted(d.metadata.items())), [[m.label, m.parts] for m in d.mentions]] for d in of.documents
    ]
    return hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()


def test_it_is_the_same_on_every_machine() -> None:
    assert digest(corpus()) == DIGEST
    assert digest(demo_corpus(seed=1)) != DIGEST


def test_size_and_long_tail() -> None:
    found = counts(corpus())
    assert len(corpus().documents) == 320
    assert corpus().format == "demo"
    assert len(found) == 17
    assert set(found) >= CRITICAL
    assert max(found.values()) >= 100 * min(found.values())
    rarest = [label for label, _ in found.most_common()][-len(CRITICAL) :]
    assert set(rarest) == CRITICAL
    ordered = sorted(found.values())
    assert all(large <= 3 * small for small, large in pairwise(ordered))


@pytest.mark.parametrize("seed", range(3))
def test_the_tail_does_not_depend_on_the_seed(seed: int) -> None:
    found = counts(demo_corpus(seed=seed))
    assert len(found) == 17
    assert max(found.values()) >= 100 * min(found.values())


@pytest.mark.parametrize("documents", [1, 2, 7, 20, 640])
def test_other_sizes_keep_the_proportions(documents: int) -> None:
    other = demo_corpus(documents=documents)
    assert len(other.documents) == documents
    if documents >= 20:
        found, usual = counts(other), counts(corpus())
        assert set(found) == set(usual)
        assert all(found[label] * 320 / documents < 2 * usual[label] for label in usual)


def test_an_empty_corpus_is_refused() -> None:
    with pytest.raises(UsageError, match="ask for 1 or more"):
        demo_corpus(documents=0)


def test_documents_are_short_notes_with_patients_and_kinds() -> None:
    documents = corpus().documents
    patients = Counter(document.metadata["group"] for document in documents)
    assert len({document.metadata["kind"] for document in documents}) == 5
    assert max(patients.values()) == 2
    assert 20 <= sum(count == 2 for count in patients.values()) <= 80
    for document in documents:
        title, *lines = document.text.splitlines()
        assert title
        assert 5 <= len(lines) <= 10
        assert all(line == line.strip() and "  " not in line for line in lines)
        assert 50 <= len(document.text.split()) <= 190
        assert not set("{}[]<>|") & set(document.text)


def test_spans_have_clean_edges_and_stay_on_their_line() -> None:
    for document in corpus().documents:
        for mention in document.mentions:
            for start, end in mention.parts:
                text = document.text[start:end]
                assert text == text.strip()
                assert "\n" not in text
                assert not text.lower().startswith(("a ", "an ", "the ", "his ", "her "))
                assert start == 0 or not (document.text[start - 1].isalnum() and text[0].isalnum())
                assert not (document.text[end].isalnum() and text[-1].isalpha())


def test_overlaps_and_fragments_are_a_handful() -> None:
    overlapping = fragmented = 0
    for document in corpus().documents:
        starts = sorted((mention.start, mention.end) for mention in document.mentions)
        overlapping += sum(end > start for (_, end), (start, _) in pairwise(starts))
        fragmented += sum(bool(mention.fragments) for mention in document.mentions)
    assert 0 < overlapping < 0.01 * counts(corpus()).total()
    assert fragmented == 3


def test_every_label_has_many_wordings() -> None:
    assert min(len(forms) for forms in surfaces(corpus().documents).values()) >= 5


def test_some_wordings_carry_two_labels_or_none() -> None:
    by_label = surfaces(corpus().documents)
    labels: dict[str, set[str]] = defaultdict(set)
    for label, forms in by_label.items():
        for form in forms:
            labels[form].add(label)
    assert sum(len(both) > 1 for both in labels.values()) >= 50
    for rare in ("Allergy_reaction", "Anticoagulant_bleed"):
        assert any({"Symptom", rare} <= both for both in labels.values()), rare
    assert labels["rash"] >= {"Symptom", "Absent_finding"}
    assert labels["ms"] >= {"Disease", "Drug"}
    for word in ("cold", "discharge"):
        inside = outside = 0
        for document in corpus().documents:
            at = document.text.lower().find(word)
            while at >= 0:
                marked = any(start <= at < end for mention in document.mentions for start, end in mention.parts)
                inside, outside = inside + marked, outside + (not marked)
                at = document.text.lower().find(word, at + 1)
        assert inside >= 5, word
        assert outside >= 5, word


def test_some_wordings_of_held_out_patients_are_new() -> None:
    def held_out(document: Document) -> bool:
        return int(document.metadata["group"][-4:]) % 5 == 0

    train = surfaces(tuple(document for document in corpus().documents if not held_out(document)))
    total = new = 0
    for document in corpus().documents:
        for mention in document.mentions if held_out(document) else ():
            total += 1
            new += surface(document, mention).lower() not in train[mention.label]
    assert 0.1 <= new / total <= 0.5


def test_negation_units_and_letters_beyond_ascii_occur() -> None:
    text = " ".join(document.text for document in corpus().documents).lower()
    for cue in (" no ", "denies", "without", " nil ", "never", "?"):
        assert text.count(cue) >= 10, cue
    for sign in ("µ", "°c", "×10⁹/l", "mg", "mmol/l", "é", "ö"):
        assert sign in text, sign
