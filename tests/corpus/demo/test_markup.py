"""The notation of the demo corpus and its rendering."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raretag.corpus.demo.critical import TOPICS
from raretag.corpus.demo.draw import Draw
from raretag.corpus.demo.general import MAN, SLOTS
from raretag.corpus.demo.markup import Choice, Number, Span, parse
from raretag.corpus.demo.notes import KINDS
from raretag.corpus.demo.render import Line, Renderer
from raretag.corpus.demo.themes import THEMES

WORDS = st.text(alphabet="abc µé.,/-", min_size=1)


def rendered(source: str, *, seed: int = 0, **slots: str) -> Line:
    entries = {name: (entry,) for name, entry in slots.items()}
    return Renderer(slots=entries, draw=Draw(seed), typo_rate=0).line(source, capital=False)


def marked(line: Line) -> list[tuple[str, str]]:
    return [(mention.label, line.text[mention.start : mention.end]) for mention in line.mentions]


def test_plain_text_is_kept() -> None:
    assert rendered("no change, 5 %.") == Line("no change, 5 %.", ())


def test_slots_are_filled_and_marked_where_the_name_has_a_capital() -> None:
    line = rendered("{drug} then {Drug}", drug="iron")
    assert line.text == "iron then iron"
    assert marked(line) == [("Drug", "iron")]
    assert line.mentions[0].start == 10


def test_nested_mentions_come_enclosing_first() -> None:
    line = rendered("[Procedure|biopsy of the [Body_site|arm]]")
    assert marked(line) == [("Procedure", "biopsy of the arm"), ("Body_site", "arm")]


def test_parts_with_one_key_make_one_mention() -> None:
    line = rendered("[Symptom#1|upper] and [Symptom#2|lower [Symptom#1|pain]]")
    assert [mention.parts for mention in line.mentions] == [((0, 5), (16, 20)), ((10, 20),)]


def test_parts_of_different_labels_stay_apart() -> None:
    line = rendered("[A#1|one] [B#1|two]")
    assert [mention.fragments for mention in line.mentions] == [(), ()]


@pytest.mark.parametrize(
    "source", ["<a|b", "a>", "a]", "}", "[Test|a", "[Test]", "{drug", "{0.10-0.5}", "<a]", "[Test|a>"]
)
def test_broken_notation_is_refused(source: str) -> None:
    with pytest.raises(ValueError, match=r"stray|unclosed|not found|decimals"):
        parse(source)


def test_an_unknown_slot_is_refused() -> None:
    with pytest.raises(KeyError):
        rendered("{drugg}", drug="iron")


def test_an_empty_mention_is_refused() -> None:
    with pytest.raises(ValueError, match="not a span"):
        rendered("[Test|]")


@given(low=st.integers(0, 999), more=st.integers(0, 999), seed=st.integers())
def test_numbers_stay_in_their_range(low: int, more: int, seed: int) -> None:
    assert low <= int(rendered(f"{{{low}-{low + more}}}", seed=seed).text) <= low + more
    text = rendered(f"{{{low}.05-{low + more}.25}}", seed=seed).text
    assert low + 0.05 <= float(text) <= low + more + 0.25
    assert len(text.partition(".")[2]) == 2


@given(options=st.lists(WORDS, min_size=1), seed=st.integers())
def test_a_choice_takes_one_alternative(options: list[str], seed: int) -> None:
    assert rendered(f"<{'|'.join(options)}>", seed=seed).text in options


@given(pieces=st.lists(st.tuples(st.booleans(), WORDS), min_size=1), seed=st.integers())
def test_offsets_point_at_what_was_marked(pieces: list[tuple[bool, str]], seed: int) -> None:
    line = rendered("".join(f"[Test|<{text}|{text}>]" if mark else text for mark, text in pieces), seed=seed)
    assert line.text == "".join(text for _, text in pieces)
    assert marked(line) == [("Test", text) for mark, text in pieces if mark]


@given(seed=st.integers())
def test_misspelling_moves_the_offsets_along(seed: int) -> None:
    line = Renderer(slots={}, draw=Draw(seed), typo_rate=1).line("troublesome [Symptom|palpitations] daily")
    ((label, word),) = marked(line)
    assert label == "Symptom"
    assert word != "palpitations"
    assert set(word) <= set("palpitations")
    assert abs(len(word) - len("palpitations")) <= 1
    assert line.text.endswith(f" {word} daily")


@given(seed=st.integers(), count=st.integers(1, 50))
def test_draws_stay_in_range(seed: int, count: int) -> None:
    draw = Draw(seed)
    items = list(range(count))
    assert draw.below(count) in items
    assert draw.pick_early(items) in items
    assert sorted(draw.shuffled(items)) == items


def test_every_entry_and_sentence_renders_under_every_theme() -> None:
    sentences = [sentence for kind in KINDS for section in kind.sections for sentence in section.sentences]
    sentences += [sentence for topic in TOPICS for sentence in (*topic.reports, *topic.lookalikes)]
    for theme in THEMES:
        slots = {**SLOTS, **MAN, **theme, "age": ("70",)}
        entries = [entry for name in slots for entry in slots[name]]
        for number, source in enumerate(sentences + entries):
            renderer = Renderer(slots=slots, draw=Draw(number), typo_rate=0)
            assert renderer.line(source, capital=False).text.strip(" ") or source == " "


def test_the_parser_tells_the_parts_apart() -> None:
    assert parse("{1-9}") == (Number(1, 9, 0),)
    assert parse("<a|>") == (Choice((("a",), ())),)
    assert parse("[Test#x|a]") == (Span("Test", "x", ("a",)),)
