from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from raretag.corpus.stratification import Unit, stratify

mentions = st.dictionaries(st.sampled_from("ABCDEF"), st.integers(1, 30), max_size=4)


@given(st.lists(mentions, min_size=3, max_size=25), st.integers(2, 3), st.integers(0, 99))
def test_single_documents_meet_the_sizes_and_spread_the_rarest_label(
    drawn: list[dict[str, int]], parts: int, seed: int
) -> None:
    units = [Unit(documents=1, mentions=m) for m in drawn]
    sizes = [len(units) - (parts - 1), *[1] * (parts - 1)]
    dealt = stratify(units, sizes=sizes, seed=seed)
    assert [len(part) for part in dealt] == sizes
    assert sorted(index for part in dealt for index in part) == list(range(len(units)))
    having = Counter(label for m in drawn for label in m)
    if having:
        rarest = min(having, key=lambda label: (having[label], sum(m.get(label, 0) for m in drawn), label))
        reached = sum(any(rarest in drawn[index] for index in part) for part in dealt)
        assert reached == min(parts, having[rarest])


@given(st.lists(st.tuples(st.integers(1, 9), mentions), min_size=3, max_size=20), st.integers(0, 99))
def test_no_part_stays_empty_when_units_are_large(drawn: list[tuple[int, dict[str, int]]], seed: int) -> None:
    units = [Unit(documents=n, mentions=m) for n, m in drawn]
    total = sum(n for n, _ in drawn)
    dealt = stratify(units, sizes=[total - 2, 1, 1], seed=seed)
    assert all(dealt)
    assert sorted(index for part in dealt for index in part) == list(range(len(units)))


def test_the_mentions_of_a_label_follow_the_sizes() -> None:
    units = [Unit(documents=1, mentions={"A": 1 + k % 7, "B": 1 + k % 3}) for k in range(100)]
    train, test = stratify(units, sizes=[80, 20], seed=0)
    for label in "AB":
        inside = [sum(units[index].mentions[label] for index in part) for part in (train, test)]
        assert abs(inside[1] / sum(inside) - 0.2) < 0.03


def test_one_rich_document_goes_to_the_larger_part() -> None:
    units = [Unit(documents=1, mentions={"A": n}) for n in (40, 1, 1, 1, 1)]
    train, test = stratify(units, sizes=[4, 1], seed=3)
    assert 0 in train
    assert len(test) == 1
