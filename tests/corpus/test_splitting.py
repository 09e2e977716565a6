import random
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from raretag.corpus.document import Corpus, Document, Mention
from raretag.corpus.fingerprints import drawn_hash
from raretag.corpus.splitting import Split, folds, official_split, split_corpus
from raretag.errors import DataError, UsageError

MACCROBAT = Path(__file__).parents[2] / ".." / "shared" / "data" / "maccrobat"


def note(name: str, labels: str = "", *, text: str | None = None, **metadata: str) -> Document:
    mentions = tuple(Mention(label=label, start=k, end=k + 1) for k, label in enumerate(labels))
    return Document(id=name, text=text or f"{name} {'x' * len(labels)}", mentions=mentions, metadata=metadata)


def long_tailed(number: int, *, seed: int) -> Corpus:
    rng = random.Random(seed)
    rate = {"A": 0.9, "B": 0.4, "C": 0.1, "D": 0.04, "E": 0.025}
    return Corpus(
        documents=tuple(
            note(
                f"n{k:04}",
                "".join(label * rng.randint(1, 4) for label, r in rate.items() if rng.random() < r),
            )
            for k in range(number)
        )
    )


def parts(split: Split) -> list[list[str]]:
    return [[document.id for document in part] for part in (split.train, split.validation, split.test)]


def test_160_documents_give_exactly_32_for_test() -> None:
    split = split_corpus(long_tailed(160, seed=0), test=0.2, validation=0.1, seed=1)
    assert [len(part) for part in parts(split)] == [112, 16, 32]


@given(st.integers(3, 40), st.floats(0, 0.45), st.floats(0, 0.45), st.integers(0, 9), st.randoms())
def test_a_split_is_a_partition_of_the_sizes_asked_for_in_any_order(
    number: int, test: float, validation: float, seed: int, rng: random.Random
) -> None:
    corpus = long_tailed(number, seed=seed)
    split = split_corpus(corpus, test=test, validation=validation, seed=seed)
    found = parts(split)
    assert sorted(name for part in found for name in part) == [document.id for document in corpus.documents]
    for share, part in ((validation, found[1]), (test, found[2])):
        # no part asked for is left empty, even where rounding would have it so
        forced = share * number < 0.5 or len(found[0]) == 1
        assert abs(len(part) - share * number) <= (1 if forced else 0.5)
        assert bool(part) == (share > 0)
    shuffled = list(corpus.documents)
    rng.shuffle(shuffled)
    again = split_corpus(Corpus(documents=tuple(shuffled)), test=test, validation=validation, seed=seed)
    assert again == split


def test_another_seed_gives_another_split() -> None:
    corpus = long_tailed(80, seed=0)
    assert split_corpus(corpus, test=0.2, validation=0.1, seed=0) != split_corpus(
        corpus, test=0.2, validation=0.1, seed=1
    )


@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 12)), min_size=8, max_size=30), st.integers(0, 9))
def test_patients_and_equal_texts_never_straddle(drawn: list[tuple[int, int]], seed: int) -> None:
    corpus = Corpus(
        documents=tuple(
            note(f"n{k:02}", text=f"text {text}", **({"group": f"p{group}"} if group else {}))
            for k, (group, text) in enumerate(drawn)
        )
    )
    try:
        results = [
            split_corpus(corpus, test=0.25, validation=0.25, seed=seed),
            *folds(corpus, folds=3, seed=seed),
        ]
    except DataError:
        reject()  # all of it is tied to less than three units
    assert sorted(d.id for split in results[1:] for d in split.test) == [d.id for d in corpus.documents]
    for split in results:
        place = {name: k for k, part in enumerate(parts(split)) for name in part}
        tied: dict[str, set[int]] = {}
        for document in corpus.documents:
            for tie in (document.text, document.metadata.get("group", document.id)):
                tied.setdefault(tie, set()).add(place[document.id])
        assert all(len(found) == 1 for found in tied.values())


def test_a_tie_may_run_over_several_documents() -> None:
    chain = [note("a", text="same", group="p"), note("b", text="same", group="q"), note("c", group="q")]
    corpus = Corpus(documents=(*chain, note("d"), note("e")))
    split = split_corpus(corpus, test=0.4, validation=0.0, seed=0)
    assert parts(split) == [["a", "b", "c"], [], ["d", "e"]]


def covered(corpus: Corpus, split: list[list[str]], *, least: int) -> int:
    """How many (label, part) pairs are filled, of the labels that have a document for every part."""
    labels = {d.id: {m.label for m in d.mentions} for d in corpus.documents}
    having = Counter(label for found in labels.values() for label in found)
    return sum(
        any(label in labels[name] for name in part) for label, n in having.items() if n >= least for part in split
    )


@pytest.mark.parametrize("seed", range(10))
def test_every_label_reaches_every_part_where_a_random_split_leaves_gaps(seed: int) -> None:
    corpus = long_tailed(160, seed=seed)
    having = Counter(label for d in corpus.documents for label in {m.label for m in d.mentions})
    possible = 3 * sum(number >= 3 for number in having.values())
    ours = parts(split_corpus(corpus, test=0.2, validation=0.1, seed=seed))
    assert covered(corpus, ours, least=3) == possible


def test_a_random_split_does_leave_gaps() -> None:
    gaps = 0
    for seed in range(10):
        corpus = long_tailed(160, seed=seed)
        names = [document.id for document in corpus.documents]
        random.Random(seed).shuffle(names)
        having = Counter(label for d in corpus.documents for label in {m.label for m in d.mentions})
        possible = 3 * sum(number >= 3 for number in having.values())
        gaps += possible - covered(corpus, [names[:112], names[112:128], names[128:]], least=3)
    assert gaps > 0


def test_folds_test_each_document_once_and_spread_rare_labels() -> None:
    corpus = long_tailed(103, seed=4)
    made = folds(corpus, folds=5, seed=0)
    everyone = [document.id for document in corpus.documents]
    assert sorted(document.id for fold in made for document in fold.test) == everyone
    assert sorted(len(fold.test) for fold in made) == [20, 20, 21, 21, 21]
    for fold in made:
        assert sorted(d.id for d in (*fold.train, *fold.test)) == everyone
        assert fold.validation == ()
    tests = [[document.id for document in fold.test] for fold in made]
    having = Counter(label for d in corpus.documents for label in {m.label for m in d.mentions})
    assert covered(corpus, tests, least=5) == 5 * sum(number >= 5 for number in having.values())
    assert folds(Corpus(documents=corpus.documents[::-1]), folds=5, seed=0) == made


def test_official_parts_are_used_where_every_document_names_one() -> None:
    corpus = Corpus(documents=(note("b", split="train"), note("a", split="train"), note("c", split="test")))
    split = official_split(corpus)
    assert split is not None
    assert parts(split) == [["a", "b"], [], ["c"]]
    assert (split.origin, split.findings) == ("the corpus' own parts", ())
    assert split_corpus(corpus, test=0.5, validation=0.2, seed=0) == split


@pytest.mark.parametrize(
    ("names", "origin"),
    [
        ((), "drawn"),
        (("train",), "drawn: the corpus names no test part"),
        (("train", "validation"), "drawn: the corpus names no test part"),
        (("test",), "drawn: the corpus names no train part"),
        (("validation",), "drawn: the corpus names no train and no test part"),
    ],
)
def test_without_train_and_test_the_parts_are_drawn_and_say_why(names: tuple[str, ...], origin: str) -> None:
    named = [{"split": names[k % len(names)]} if names else {} for k in range(10)]
    corpus = Corpus(documents=tuple(note(str(k), **metadata) for k, metadata in enumerate(named)))
    assert official_split(corpus) is None
    split = split_corpus(corpus, test=0.2, validation=0, seed=0)
    assert [len(part) for part in parts(split)] == [8, 0, 2]
    assert (split.origin, split.findings) == (origin, ())


def test_folds_say_which_they_are() -> None:
    corpus = Corpus(documents=tuple(note(str(k)) for k in range(4)))
    assert [fold.origin for fold in folds(corpus, folds=2, seed=0)] == ["drawn: fold 1 of 2", "drawn: fold 2 of 2"]


def test_a_stray_document_does_not_undo_the_official_parts_silently() -> None:
    named = [note("a", split="train"), note("b", split="train"), note("c", split="test")]
    corpus = Corpus(documents=(*named, note("z"), note("stray", split="")))
    for split in (official_split, lambda corpus: split_corpus(corpus, test=0.2, validation=0.1, seed=0)):
        with pytest.raises(DataError, match=r"3 documents name a part of a split, 2 do not.*'stray'") as caught:
            split(corpus)
        assert "train, validation, test" in caught.value.remedy


def test_what_official_parts_share_with_test_is_found_and_left_there() -> None:
    corpus = Corpus(
        documents=(
            note("a", split="train", text="one text", group="p"),
            note("b", split="validation", text="another", group=""),
            note("c", split="test", text="of the same patient", group="p"),
            note("d", split="test", text="one  text\r\n"),
            note("e", split="test", text="another", group=""),
            note("f", split="test", text="of its own", group="q"),
            note("g", split="test", text="of its own", group="q"),
        )
    )
    split = split_corpus(corpus, test=0.2, validation=0.1, seed=0)
    assert parts(split) == [["a"], ["b"], ["c", "d", "e", "f", "g"]]
    assert [(finding.rule, finding.document) for finding in split.findings] == [
        ("split.shared-group", "c"),
        ("split.shared-text", "d"),
        ("split.shared-text", "e"),
    ]


def test_an_unknown_part_names_the_document() -> None:
    with pytest.raises(DataError, match=r"document 'a': no such part of a split: 'Test'.*train, validation, test"):
        official_split(Corpus(documents=(note("a", split="Test"), note("b", split="train"))))


@pytest.mark.parametrize(("test", "validation"), [(1.0, 0.0), (-0.1, 0.1), (0.5, 0.5), (0.2, float("nan")), (0.0, 1.5)])
def test_impossible_shares_are_wrong_usage(test: float, validation: float) -> None:
    with pytest.raises(UsageError, match="shares"):
        split_corpus(long_tailed(20, seed=0), test=test, validation=validation, seed=0)


def test_too_few_documents_or_patients_are_a_data_error() -> None:
    one_patient = Corpus(documents=tuple(note(str(k), group="p") for k in range(20)))
    with pytest.raises(DataError, match="1 separable documents"):
        split_corpus(one_patient, test=0.2, validation=0, seed=0)
    with pytest.raises(DataError, match="cannot fill 3 parts"):
        split_corpus(long_tailed(2, seed=0), test=0.2, validation=0.1, seed=0)
    with pytest.raises(DataError, match="cannot fill 6 parts"):
        folds(long_tailed(5, seed=0), folds=6, seed=0)
    with pytest.raises(UsageError, match="at least 2 folds"):
        folds(long_tailed(5, seed=0), folds=1, seed=0)


@pytest.mark.corpora
def test_rare_labels_of_real_case_reports_reach_both_parts_more_often_than_at_random() -> None:
    if not MACCROBAT.is_dir():
        pytest.skip("needs the shared corpora beside the project: maccrobat")
    documents = []
    for path in sorted(MACCROBAT.glob("*.ann")):
        found = re.findall(r"^T\d+\t(\S+) ", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
        mentions = tuple(Mention(label=label, start=0, end=1) for label in found)
        documents.append(Document(id=path.stem, text=path.stem, mentions=mentions))
    corpus = Corpus(documents=tuple(documents))
    split = split_corpus(corpus, test=0.2, validation=0, seed=0)
    assert (len(split.train), len(split.test)) == (128, 32)
    ours = covered(corpus, [[d.id for d in split.train], [d.id for d in split.test]], least=2)
    names = [document.id for document in documents]
    at_random = []
    for seed in range(20):
        random.Random(seed).shuffle(names)
        at_random.append(covered(corpus, [names[:128], names[128:]], least=2))
    having = Counter(label for d in documents for label in {m.label for m in d.mentions})
    assert ours == 2 * sum(number >= 2 for number in having.values())
    assert ours > sum(at_random) / len(at_random) + 1
    mentions_in_test = sum(len(document.mentions) for document in split.test)
    assert abs(mentions_in_test / sum(len(d.mentions) for d in documents) - 0.2) < 0.04


def test_whose_documents_are_decides_how_folds_are_drawn() -> None:
    one = Document(id="a", text="x")
    named = replace(one, metadata={"group": "p"})
    assert drawn_hash([one]) == drawn_hash([replace(one, metadata={"group": "", "site": "s"})])
    assert drawn_hash([one]) != drawn_hash([named])
    assert drawn_hash([one, replace(named, id="b")]) == drawn_hash([replace(named, id="b"), one])
