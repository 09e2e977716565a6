"""What belongs together, by text and by patient, and through others."""

from __future__ import annotations

from raretag.corpus.units import tied


def test_one_text_or_one_patient_is_one_unit() -> None:
    documents = [("a", "1", ""), ("b", "2", "p"), ("c", "1", ""), ("d", "3", "p"), ("e", "4", "")]
    assert tied(documents) == [[0, 2], [1, 3], [4]]
    assert tied([]) == []


def test_ties_carry_on() -> None:
    assert tied([("a", "1", "p"), ("b", "2", "q"), ("c", "2", "p"), ("d", "3", "q"), ("e", "4", "r")]) == [
        [0, 1, 2, 3],
        [4],
    ]


def test_names_of_several_kinds_are_not_mixed_up() -> None:
    assert tied([("x", "1", ""), ("1", "2", ""), ("2", "3", "x")]) == [[0], [1], [2]]
