import json
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raretag.corpus.document import Corpus, Document, Mention
from raretag.corpus.finding import Finding
from raretag.corpus.inventory import inventory, tail_group


@pytest.mark.parametrize(
    ("mentions", "group"),
    [(0, "tail"), (49, "tail"), (50, "medium"), (499, "medium"), (500, "head"), (9000, "head")],
)
def test_tail_groups_change_at_50_and_500(mentions: int, group: str) -> None:
    assert tail_group(mentions) == group


def test_every_figure_of_a_small_corpus() -> None:
    one = Document(
        id="1",
        text="x" * 40,
        mentions=(
            Mention(label="SIGN", start=0, end=10),
            Mention(label="DRUG", start=9, end=12),
            Mention(label="SIGN", start=20, end=30, fragments=((20, 22), (28, 30))),
            Mention(label="DRUG", start=22, end=28),
            Mention(label="SIGN", start=30, end=31),
        ),
        metadata={"group": "p1", "split": "train"},
    )
    two = Document(id="2", text="x" * 5, mentions=(Mention(label="SIGN", start=0, end=5),), metadata={"group": "p1"})
    three = Document(id="3", text="xx", metadata={"split": "test"})
    found = inventory(
        Corpus(
            documents=(one, two, three),
            findings=(Finding(rule="tagging.overlap"), Finding(rule="tagging.overlap", document="1")),
        )
    )
    assert (found.documents, found.characters, found.mentions) == (3, 47, 6)
    assert found.documents_without_mention == 1
    assert found.ratio == 2.0
    # the fragments leave a gap that the other mention fills: no shared character
    assert (found.overlapping, found.discontinuous) == (2, 1)
    assert found.groups == 1
    assert found.splits == {"test": 1, "train": 1}
    assert found.findings == {"tagging.overlap": 2}
    sign, drug = found.labels
    assert (sign.label, sign.mentions, sign.documents, sign.share) == ("SIGN", 4, 2, 4 / 6)
    assert (sign.mean_length, sign.discontinuous, sign.overlapping, sign.group) == (20 / 4, 1, 1, "tail")
    assert (drug.label, drug.mentions, drug.documents, drug.overlapping) == ("DRUG", 2, 1, 1)


def test_an_empty_corpus_has_no_ratio_and_no_label() -> None:
    found = inventory(Corpus(documents=()))
    assert (found.documents, found.mentions, found.labels, found.ratio) == (0, 0, (), None)


def test_json_has_built_in_types_only() -> None:
    document = Document(id="1", text="abc", mentions=(Mention(label="A", start=0, end=1),))
    written = inventory(Corpus(documents=(document,))).to_json()
    assert json.loads(json.dumps(written, allow_nan=False)) == written
    assert written["labels"][0]["group"] == "tail"


spans = st.tuples(st.sampled_from("AB"), st.integers(0, 30), st.integers(1, 10))


@given(st.lists(spans, max_size=12))
def test_overlaps_equal_a_comparison_of_all_pairs(drawn: list[tuple[str, int, int]]) -> None:
    mentions = tuple(Mention(label=label, start=start, end=start + n) for label, start, n in drawn)
    expected = Counter(
        m.label
        for i, m in enumerate(mentions)
        if any(i != j and m.start < o.end and o.start < m.end for j, o in enumerate(mentions))
    )
    found = inventory(Corpus(documents=(Document(id="1", text="x" * 40, mentions=mentions),)))
    assert {row.label: row.overlapping for row in found.labels if row.overlapping} == dict(expected)
    assert found.overlapping == expected.total()
