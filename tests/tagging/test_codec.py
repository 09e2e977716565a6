"""Mentions to tags and back: what tags can hold comes back, what does not has a Finding."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import PreTrainedTokenizerFast

from raretag.corpus import Document, Finding, Mention
from raretag.errors import UsageError
from raretag.tagging import (
    IGNORE,
    OverlapPolicy,
    Schema,
    Tokens,
    WindowSettings,
    build_schema,
    decode,
    encode,
    make_windows,
    tokenise,
)
from raretag.tagging.schema import Scheme

LABELS = ["Drug", "B-Drug", "Rare-Sign"]
COUNTS = {"Drug": 90, "B-Drug": 9, "Rare-Sign": 1}
PIECES = ["fever ", "fevers ", "no", " ", "\n", "\r\n", "\r", "熱がある。", "😀", "-", "x" * 120, "İ12.5mg "]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=15).map("".join)
SCHEMES: st.SearchStrategy[Scheme] = st.sampled_from(["BIO", "IO"])
POLICIES: st.SearchStrategy[OverlapPolicy] = st.sampled_from(["longest", "shortest", "rarest"])


def spans(mentions: list[Mention] | tuple[Mention, ...]) -> Counter[tuple[str, int, int]]:
    return Counter((m.label, m.start, m.end) for m in mentions)


def found(findings: tuple[Finding, ...]) -> list[tuple[str, str | None, int | None, int | None]]:
    return [(f.rule, f.label, f.start, f.end) for f in findings]


def tokens_of(text: str, tokenizer: PreTrainedTokenizerFast) -> Tokens:
    return tokenise([text], tokenizer=tokenizer)[0]


def through_windows(text: str, tokens: Tokens, tags: npt.NDArray[np.int64]) -> list[int]:
    """Cut the tags into windows, and put the judged parts together again."""
    chosen = WindowSettings(unit="line", max_tokens=8, stride=2, context=1)
    again: list[int] = []
    for window in make_windows(text, tokens, document=0, settings=chosen, capacity=6):
        seen = tags[window.start : window.end].tolist()
        again += seen[window.own_start - window.start : window.own_end - window.start]
    return again


@st.composite
def apart(draw: st.DrawFn, tokens: Tokens, labels: list[str]) -> list[Mention]:
    """Mentions with token borders that share no character, in any order."""
    mentions: list[Mention] = []
    position = 0
    while position < len(tokens):
        first = position + draw(st.integers(0, 2))
        last = first + draw(st.integers(0, 5))
        position = last + 1
        if last < len(tokens) and (not mentions or tokens.starts[first] >= mentions[-1].end):
            label = draw(st.sampled_from(labels))
            mentions.append(Mention(label=label, start=int(tokens.starts[first]), end=int(tokens.ends[last])))
    return draw(st.permutations(mentions))


@st.composite
def anything(draw: st.DrawFn, text: str) -> list[Mention]:
    """Mentions with any borders, overlaps, fragments and doubles, of known and unknown labels."""
    mentions: list[Mention] = []
    while text and len(mentions) < 6 and draw(st.booleans()):
        borders = draw(st.lists(st.integers(0, len(text)), min_size=2, max_size=4, unique=True).map(sorted))
        pairs = tuple(zip(borders[::2], borders[1::2], strict=False))
        fragments = pairs if len(pairs) > 1 else ()
        label = draw(st.sampled_from([*LABELS, "Unknown"]))
        mentions.append(Mention(label=label, start=pairs[0][0], end=pairs[-1][1], fragments=fragments))
        if draw(st.integers(0, 5)) == 0:
            mentions.append(mentions[-1])
    return mentions


@given(text=TEXTS, data=st.data())
@settings(deadline=None, derandomize=True, max_examples=200)
def test_mentions_apart_come_back(tokenizer: PreTrainedTokenizerFast, text: str, data: st.DataObject) -> None:
    tokens = tokens_of(text, tokenizer)
    document = Document(id="d", text=text, mentions=tuple(data.draw(apart(tokens, LABELS))))
    schema = build_schema(LABELS)
    policy = data.draw(POLICIES)
    encoded = encode(document, tokens, schema=schema, overlaps=policy, counts=COUNTS)
    assert encoded.findings == ()
    assert encoded.tags.dtype == np.int64
    assert IGNORE not in encoded.tags
    again = through_windows(text, tokens, encoded.tags)
    assert again == encoded.tags.tolist()
    assert spans(decode(again, tokens, schema=schema)) == spans(document.mentions)


@given(text=TEXTS, scheme=SCHEMES, policy=POLICIES, data=st.data())
@settings(deadline=None, derandomize=True, max_examples=300)
def test_mentions_that_do_not_come_back_are_those_with_a_finding(
    tokenizer: PreTrainedTokenizerFast, text: str, scheme: Scheme, policy: OverlapPolicy, data: st.DataObject
) -> None:
    tokens = tokens_of(text, tokenizer)
    document = Document(id="d", text=text, mentions=tuple(data.draw(anything(text))))
    schema = build_schema(LABELS, scheme=scheme)
    encoded = encode(document, tokens, schema=schema, overlaps=policy, counts=COUNTS)
    whole = spans([m for m in document.mentions if not m.fragments])
    missing = (
        whole
        - spans(decode(encoded.tags, tokens, schema=schema))
        + spans([m for m in document.mentions if m.fragments])
    )
    told = Counter((f.label, f.start, f.end) for f in encoded.findings)
    assert told == missing
    assert {f.document for f in encoded.findings} <= {"d"}
    # a token is left out only under a mention that is not kept
    lost = np.zeros(len(tokens), dtype=bool)
    for mention in document.mentions:
        for start, end in mention.parts:
            lost |= (tokens.starts < end) & (tokens.ends > start)
    assert lost[encoded.tags == IGNORE].all()
    assert (encoded.tags[~lost] == 0).all()


@given(text=TEXTS, scheme=SCHEMES, policy=POLICIES, data=st.data())
@settings(deadline=None, derandomize=True)
def test_the_order_of_mentions_does_not_matter(
    wordpiece: PreTrainedTokenizerFast, text: str, scheme: Scheme, policy: OverlapPolicy, data: st.DataObject
) -> None:
    tokens = tokens_of(text, wordpiece)
    document = Document(id="d", text=text, mentions=tuple(data.draw(anything(text))))
    shuffled = replace(document, mentions=tuple(data.draw(st.permutations(document.mentions))))
    schema = build_schema(LABELS, scheme=scheme)
    first, second = (encode(d, tokens, schema=schema, overlaps=policy, counts=COUNTS) for d in (document, shuffled))
    assert first.tags.tolist() == second.tags.tolist()
    assert Counter(found(first.findings)) == Counter(found(second.findings))


@given(tags=st.lists(st.integers(0, 6) | st.just(IGNORE), min_size=7, max_size=7), scheme=SCHEMES)
@settings(deadline=None, derandomize=True, max_examples=300)
def test_any_tags_decode_to_mentions_apart_in_order(tags: list[int], scheme: Scheme) -> None:
    schema = build_schema(LABELS, scheme=scheme)
    tags = [min(tag, len(schema.tags) - 1) for tag in tags]
    starts = np.arange(7) * 2
    tokens = Tokens(ids=starts, starts=starts, ends=starts + 2)
    mentions = decode(tags, tokens, schema=schema)
    assert all(a.end <= b.start for a, b in pairwise(mentions))
    labels = [next((m.label for m in mentions if m.start <= start < m.end), None) for start in starts]
    assert labels == [None if tag < 1 else schema.tags[tag][2:] for tag in tags]


def test_bad_sequences_are_repaired() -> None:
    schema = build_schema(["Drug", "Sign"])
    starts = np.arange(6)
    tokens = Tokens(ids=starts, starts=starts, ends=starts + 1)
    mentions = decode([2, 4, 4, 3, IGNORE, 2], tokens, schema=schema)
    assert [(m.label, m.start, m.end) for m in mentions] == [
        ("Drug", 0, 1),
        ("Sign", 1, 3),
        ("Sign", 3, 4),
        ("Drug", 5, 6),
    ]


def encoded_text(
    tokenizer: PreTrainedTokenizerFast,
    text: str,
    *mentions: Mention,
    scheme: Scheme = "BIO",
    overlaps: OverlapPolicy = "longest",
) -> tuple[list[str], list[tuple[str, str | None, int | None, int | None]]]:
    """Names of the tags (`-` where ignored), and the findings."""
    schema = build_schema(LABELS, scheme=scheme)
    document = Document(id="d", text=text, mentions=mentions)
    encoded = encode(document, tokens_of(text, tokenizer), schema=schema, overlaps=overlaps, counts=COUNTS)
    return [schema.tags[tag] if tag >= 0 else "-" for tag in encoded.tags], found(encoded.findings)


def mention(label: str, start: int, end: int, *fragments: tuple[int, int]) -> Mention:
    return Mention(label=label, start=start, end=end, fragments=fragments)


@pytest.mark.parametrize(
    ("policy", "tags", "kept"),
    [
        ("longest", ["B-Drug", "I-Drug", "I-Drug", "O"], ("Drug", 0, 13)),
        ("shortest", ["-", "B-B-Drug", "-", "-"], ("B-Drug", 3, 8)),
        ("rarest", ["-", "B-Rare-Sign", "I-Rare-Sign", "I-Rare-Sign"], ("Rare-Sign", 3, 16)),
    ],
)
def test_overlap_policies(
    wordpiece: PreTrainedTokenizerFast, policy: OverlapPolicy, tags: list[str], kept: tuple[str, int, int]
) -> None:
    text = "no fever rash mg"
    mentions = [mention("Drug", 0, 13), mention("B-Drug", 3, 8), mention("Rare-Sign", 3, 16)]
    if policy == "longest":
        mentions[2] = mention("Rare-Sign", 3, 13)
    given_tags, findings = encoded_text(wordpiece, text, *mentions, overlaps=policy)
    assert given_tags == tags
    lost = [m for m in mentions if (m.label, m.start, m.end) != kept]
    assert findings == [("tagging.overlap", m.label, m.start, m.end) for m in lost]


def test_a_policy_is_never_silently_another(wordpiece: PreTrainedTokenizerFast) -> None:
    document = Document(id="d", text="no")
    tokens = tokens_of("no", wordpiece)
    with pytest.raises(UsageError, match="how frequent"):
        encode(document, tokens, schema=build_schema(LABELS), overlaps="rarest")
    with pytest.raises(UsageError, match="longest, shortest, rarest"):
        encode(document, tokens, schema=build_schema(LABELS), overlaps="first")  # type: ignore[arg-type]


def test_adjacent_mentions_of_one_label(wordpiece: PreTrainedTokenizerFast) -> None:
    touching = (mention("Drug", 0, 2), mention("Drug", 3, 8), mention("B-Drug", 9, 13))
    assert encoded_text(wordpiece, "no fever rash", *touching) == (["B-Drug", "B-Drug", "B-B-Drug"], [])
    tags, findings = encoded_text(wordpiece, "no fever rash", *touching, scheme="IO")
    assert tags == ["I-Drug", "I-Drug", "I-B-Drug"]
    assert findings == [("tagging.adjacent", "Drug", 0, 2), ("tagging.adjacent", "Drug", 3, 8)]


def test_what_comes_back_by_another_mention_has_no_finding(wordpiece: PreTrainedTokenizerFast) -> None:
    mentions = (mention("Drug", 0, 8), mention("Drug", 0, 2), mention("Drug", 3, 8))
    _, findings = encoded_text(wordpiece, "no fever", *mentions, scheme="IO", overlaps="shortest")
    assert findings == [("tagging.adjacent", "Drug", 0, 2), ("tagging.adjacent", "Drug", 3, 8)]


def test_a_mention_given_twice_is_one_mention_and_one_finding(wordpiece: PreTrainedTokenizerFast) -> None:
    one = mention("Drug", 0, 2)
    tags, findings = encoded_text(wordpiece, "no", one, one)
    assert tags == ["B-Drug"]
    assert findings == [("tagging.overlap", "Drug", 0, 2)]


@pytest.mark.parametrize(
    ("text", "lost", "rule", "tags"),
    [
        ("no fever", mention("Drug", 3, 7), "tagging.inside-token", ["O", "B-Drug"]),
        ("no fever", mention("Drug", 2, 8), "tagging.inside-token", ["O", "B-Drug"]),
        ("no fever", mention("Unknown", 3, 8), "tagging.unknown-label", ["O", "-"]),
        ("no fever", mention("Drug", 2, 3), "tagging.no-token", ["O", "O"]),
        ("no\x00fever", mention("Drug", 2, 3), "tagging.no-token", None),
        ("no fever rash", mention("Drug", 0, 13, (0, 2), (9, 13)), "tagging.fragments", ["-", "O", "-"]),
    ],
)
def test_what_tags_cannot_hold(
    wordpiece: PreTrainedTokenizerFast, text: str, lost: Mention, rule: str, tags: list[str] | None
) -> None:
    given_tags, findings = encoded_text(wordpiece, text, lost)
    assert findings == [(rule, lost.label, lost.start, lost.end)]
    if tags is not None:
        assert given_tags == tags


def test_kept_mentions_win_over_fragments_and_unknown_labels(wordpiece: PreTrainedTokenizerFast) -> None:
    mentions = (
        mention("Unknown", 0, 13),
        mention("Rare-Sign", 0, 13, (0, 2), (9, 13)),
        mention("Drug", 0, 2),
    )
    tags, findings = encoded_text(wordpiece, "no fever rash", *mentions)
    assert tags == ["B-Drug", "-", "-"]
    assert [rule for rule, *_ in findings] == ["tagging.unknown-label", "tagging.fragments"]


@pytest.mark.parametrize("text", ["", " \r\n"])
def test_documents_without_tokens(tokenizer: PreTrainedTokenizerFast, text: str) -> None:
    tokens = tokens_of(text, tokenizer)
    schema: Schema = build_schema(LABELS)
    mentions = (mention("Drug", 0, 1),) if text else ()
    encoded = encode(Document(id="d", text=text, mentions=mentions), tokens, schema=schema)
    assert encoded.tags.shape == (0,)
    assert [f.rule for f in encoded.findings] == ["tagging.no-token"] * len(mentions)
    assert decode(encoded.tags, tokens, schema=schema) == []


def test_half_a_character_cannot_be_tagged(bytewise: PreTrainedTokenizerFast) -> None:
    """All bytes of a character belong to its mention, and two neighbours stay apart."""
    mentions = (mention("Drug", 0, 1), mention("Drug", 1, 2))
    tags, findings = encoded_text(bytewise, "😀熱", *mentions)
    assert tags == ["B-Drug", *["I-Drug"] * 3, "B-Drug", *["I-Drug"] * 2]
    assert findings == []


def test_a_byte_of_the_same_character_begins_no_mention() -> None:
    tokens = Tokens(ids=np.arange(3), starts=np.array([0, 0, 1]), ends=np.array([1, 1, 2]))
    schema = build_schema(["A"])
    begin = schema.begin(0)
    assert [(m.start, m.end) for m in decode([begin, begin, 0], tokens, schema=schema)] == [(0, 1)]
    assert [(m.start, m.end) for m in decode([begin, begin, begin], tokens, schema=schema)] == [(0, 1), (1, 2)]


@given(text=TEXTS, scheme=SCHEMES, policy=POLICIES, data=st.data())
@settings(deadline=None, derandomize=True, max_examples=300)
def test_layers_are_the_tags_of_each_label_alone(
    tokenizer: PreTrainedTokenizerFast, text: str, scheme: Scheme, policy: OverlapPolicy, data: st.DataObject
) -> None:
    tokens = tokens_of(text, tokenizer)
    document = Document(id="d", text=text, mentions=tuple(data.draw(anything(text))))
    layered = build_schema(LABELS, scheme=scheme, layered=True)
    encoded = encode(document, tokens, schema=layered, overlaps=policy, counts=COUNTS)
    assert encoded.tags.shape == (len(tokens), len(LABELS))
    assert encoded.tags.dtype == np.int64
    told: list[Finding] = []
    for number, label in enumerate(LABELS):
        own = replace(document, mentions=tuple(m for m in document.mentions if m.label == label))
        alone = encode(own, tokens, schema=build_schema([label], scheme=scheme), overlaps=policy, counts=COUNTS)
        assert encoded.tags[:, number].tolist() == alone.tags.tolist()
        told += alone.findings
    known = [finding for finding in encoded.findings if finding.label in LABELS]
    assert Counter(found(tuple(known))) == Counter(found(tuple(told)))


@given(text=TEXTS, scheme=SCHEMES, policy=POLICIES, data=st.data())
@settings(deadline=None, derandomize=True, max_examples=300)
def test_layers_give_every_mention_back_or_tell_of_it(
    tokenizer: PreTrainedTokenizerFast, text: str, scheme: Scheme, policy: OverlapPolicy, data: st.DataObject
) -> None:
    tokens = tokens_of(text, tokenizer)
    document = Document(id="d", text=text, mentions=tuple(data.draw(anything(text))))
    schema = build_schema(LABELS, scheme=scheme, layered=True)
    encoded = encode(document, tokens, schema=schema, overlaps=policy, counts=COUNTS)
    back = decode(encoded.tags, tokens, schema=schema)
    whole = spans([m for m in document.mentions if not m.fragments])
    missing = whole - spans(back) + spans([m for m in document.mentions if m.fragments])
    assert Counter((f.label, f.start, f.end) for f in encoded.findings) == missing
    assert [(m.start, m.end) for m in back] == sorted((m.start, m.end) for m in back)
    # other labels overlap freely
    one_each = {mention.label: mention for mention in document.mentions if not mention.fragments}
    several = replace(document, mentions=tuple(one_each.values()))
    rules = {f.rule for f in encode(several, tokens, schema=schema, overlaps=policy, counts=COUNTS).findings}
    assert rules <= {"tagging.no-token", "tagging.inside-token", "tagging.unknown-label"}


def test_layers_hold_what_one_tag_a_token_cannot(wordpiece: PreTrainedTokenizerFast) -> None:
    text = "no fever rash mg"
    mentions = (
        mention("Drug", 0, 13),
        mention("B-Drug", 3, 8),
        mention("Rare-Sign", 3, 16),
        mention("Unknown", 0, 2),
        mention("Drug", 9, 16),
        mention("B-Drug", 0, 13, (0, 2), (9, 13)),
    )
    schema = build_schema(LABELS, layered=True)
    tokens = tokens_of(text, wordpiece)
    encoded = encode(Document(id="d", text=text, mentions=mentions), tokens, schema=schema)
    assert encoded.tags.T.tolist() == [[1, 2, 2, IGNORE], [IGNORE, 1, IGNORE, 0], [0, 1, 2, 2]]
    assert found(encoded.findings) == [
        ("tagging.overlap", "Drug", 9, 16),
        ("tagging.fragments", "B-Drug", 0, 13),
        ("tagging.unknown-label", "Unknown", 0, 2),
    ]
    assert spans(decode(encoded.tags, tokens, schema=schema)) == spans(mentions[:3])
    assert schema.count(encoded.tags).tolist() == [0, 1, 2, 1, 0, 1, 2]


@pytest.mark.parametrize("labels", [[], LABELS])
def test_layers_of_nothing(wordpiece: PreTrainedTokenizerFast, labels: list[str]) -> None:
    schema = build_schema(labels, layered=True)
    for text in ("", "no fever"):
        tokens = tokens_of(text, wordpiece)
        encoded = encode(Document(id="d", text=text), tokens, schema=schema)
        assert encoded.tags.shape == (len(tokens), len(labels))
        assert decode(encoded.tags, tokens, schema=schema) == []
        assert schema.count(encoded.tags).tolist() == [len(tokens)] + [0] * (len(schema.tags) - 1)
