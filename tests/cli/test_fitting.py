"""No width of the terminal cuts a number."""

from __future__ import annotations

from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from raretag.cli.fitting import Column, print_table
from raretag.cli.tables import show_evaluation, show_inventory
from raretag.corpus import Corpus, Document, Mention
from raretag.corpus.inventory import inventory
from raretag.evaluation import Evaluation, evaluate

LABELS = ("Adverse_reaction_to_a_drug", "病名", "Sign")


def terminal(width: int) -> Console:
    return Console(file=StringIO(), width=width, force_terminal=True, color_system=None, markup=False)


def printed(console: Console) -> str:
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    documents = tuple(
        Document(
            id=str(n),
            text="x" * 1500,
            mentions=tuple(
                Mention(label=label, start=k, end=k + 1)
                for label, number in zip(LABELS, (1200, 40 + n, 1), strict=True)
                for k in range(number)
            ),
        )
        for n in range(9)
    )
    return Corpus(documents=documents)


@pytest.fixture(scope="module")
def evaluation(corpus: Corpus) -> Evaluation:
    found = {document.id: document.mentions[: 900 + 20 * int(document.id)] for document in corpus.documents}
    counts = {"Adverse_reaction_to_a_drug": 112_345, "病名": 60, "Sign": 3}
    return evaluate(corpus.documents, found, labels=LABELS, training_counts=counts, resamples=50)


@pytest.mark.parametrize("width", [30, 45, 60, 70, 80, 90, 100, 200])
def test_numbers_are_whole_at_every_width(evaluation: Evaluation, corpus: Corpus, width: int) -> None:
    console = terminal(width)
    show_evaluation(evaluation, console)
    show_inventory(inventory(corpus), console, format="brat")
    shown = printed(console)
    assert "…" not in shown
    row = evaluation.strict.labels[LABELS[0]]
    assert row.f1 is not None
    assert row.f1_interval is not None
    assert {"10,800", f"{row.f1:.3f}"} <= set(shown.split())
    if width >= 60:
        assert f"{row.f1_interval[0]:.2f}-{row.f1_interval[1]:.2f}" in shown.split()
        assert f"{row.recall:.3f}" in shown.split()
        assert max(map(cell_len, shown.splitlines())) <= width


@pytest.mark.parametrize(
    ("width", "there", "absent"), [(60, "recall", "found"), (90, "right", "group"), (110, "group", "left out")]
)
def test_columns_leave_in_order(evaluation: Evaluation, width: int, there: str, absent: str) -> None:
    console = terminal(width)
    show_evaluation(evaluation, console)
    lines = printed(console).splitlines()
    assert there in lines[0]
    assert absent not in lines[0]
    told = [line for line in lines if line.startswith("left out at this width")]
    assert bool(told) == (absent != "left out")
    assert all(absent in line for line in told[:1])


def test_groups_say_what_their_figure_is(evaluation: Evaluation) -> None:
    console = terminal(120)
    show_evaluation(evaluation, console)
    assert "head (micro over 1 label)" in printed(console)
    assert "tail (micro over 1 label)" in printed(console)
    assert "macro over 3 labels with gold" in printed(console)
    assert "macro over 2 labels with >= 10" in printed(console)


def test_one_of_each_is_singular() -> None:
    one = Document(id="a", text="xx", mentions=(Mention(label="A", start=0, end=1),))
    console = terminal(100)
    show_inventory(inventory(Corpus(documents=(one,))), console, format="brat")
    assert "1 document (brat), 2 characters, 1 mention of 1 label\n" in printed(console)


@given(
    label=st.text(min_size=1, max_size=40).filter(str.isprintable),
    numbers=st.lists(st.integers(0, 10**9), min_size=1, max_size=8),
    width=st.integers(5, 150),
)
def test_any_table_shows_every_number_that_stays(label: str, numbers: list[int], width: int) -> None:
    others = [Column(heading=f"c{k}", cells=(f"{n:,}",), leaves=k or None) for k, n in enumerate(numbers)]
    console = terminal(width)
    print_table(console, Column(heading="label", cells=(label,), justify="left"), others=others)
    shown = printed(console)
    left_out = shown.partition("left out at this width: ")[2].replace(",", " ").split()
    for column in others:
        assert column.cells[0] in shown.split() or column.heading in left_out
    assert others[0].heading not in left_out
