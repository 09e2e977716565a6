"""costs.yaml: what it says, and everything that is wrong in it at once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from raretag.decision.cost_table import CostTable
from raretag.decision.costs import Costs
from raretag.decision.costs_file import read_costs
from raretag.errors import UsageError
from raretag.tagging import build_schema

SCHEMA = build_schema(["Allergy", "Dose", "Drug"])
GOOD = """
currency: EUR
default: {miss: 100, false_alarm: 2.5}
labels:
  Allergy: {miss: 1000, wrong_label: 40}
  Dose: {false_alarm: 7}
review: 1
"""


def written(folder: Path, text: str) -> Path:
    file = folder / "costs.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def test_what_a_label_does_not_tell_is_the_defaults(tmp_path: Path) -> None:
    table = CostTable.of(read_costs(written(tmp_path, GOOD), schema=SCHEMA), SCHEMA)
    assert table.miss.tolist() == [1000, 100, 100]
    assert table.false_alarm.tolist() == [2.5, 7, 2.5]
    # gold by decided; without a cost of its own a wrong label is the gold's miss and the decided label's false alarm
    np.testing.assert_array_equal(table.wrong_label, [[0, 40, 40], [102.5, 0, 102.5], [102.5, 107, 0]])
    assert table.review == 1


def test_the_defaults_wrong_label_is_every_labels() -> None:
    costs = Costs.model_validate({"currency": "h", "default": {"miss": 3, "false_alarm": 1, "wrong_label": 2}})
    assert CostTable.of(costs, SCHEMA).wrong_label[1].tolist() == [2, 0, 2]
    assert CostTable.of(costs, SCHEMA).review is None


def test_a_label_with_costs_of_its_own_leaves_the_defaults_wrong_label() -> None:
    costs = Costs.model_validate(
        {
            "currency": "h",
            "default": {"miss": 20, "false_alarm": 2, "wrong_label": 12},
            "labels": {"Allergy": {"miss": 500}, "Dose": {"false_alarm": 3, "wrong_label": 1}, "Drug": {}},
        }
    )
    # a missed allergy is 500, by whatever label it is marked
    assert CostTable.of(costs, SCHEMA).wrong_label.tolist() == [[0, 503, 502], [1, 0, 1], [12, 12, 0]]


def test_a_table_of_other_labels_or_of_wrong_ones_is_refused() -> None:
    costs = Costs.model_validate(
        {"currency": "h", "default": {"miss": 3, "false_alarm": 1}, "labels": {"Dsoe": {"miss": 1}}}
    )
    with pytest.raises(UsageError, match="costs of 'Dsoe', but the run has no such label"):
        CostTable.of(costs, SCHEMA)
    layered = build_schema(SCHEMA.labels, layered=True)
    for own in ({"default": {"miss": 3, "false_alarm": 1, "wrong_label": 0}}, {"labels": {"Dose": {"wrong_label": 2}}}):
        told = {"currency": "h", "default": {"miss": 3, "false_alarm": 1}, **own}
        with pytest.raises(UsageError, match="labels of this run may overlap"):
            CostTable.of(Costs.model_validate(told), layered)


def test_all_mistakes_are_told_together(tmp_path: Path) -> None:
    text = """
currency: EUR
default: {false_alarm: -2}
labels:
  Alergy: {miss: 3}
  Dose: {mis: .nan, false_alarm: .nan}
review: yes
revew: 3
"""
    with pytest.raises(UsageError) as told:
        read_costs(written(tmp_path, text), schema=SCHEMA)
    message = str(told.value)
    for part in (
        "7 costs cannot be used",
        "default.miss: is missing",
        "default.false_alarm: Input should be greater than or equal to 0, not -2",
        "labels.Dose.mis: there is no such key; did you mean miss?",
        "labels.Dose.false_alarm: Input should be a finite number, not nan",
        "review: Input should be a valid number, not True",
        "revew: there is no such key; did you mean review?",
        "labels.Alergy: the run has no such label; did you mean Allergy?",
        "Write currency",
        "costs.yaml",
    ):
        assert part in message, part


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("currency: EUR", "default: is missing"),
        ("currency: EUR\ndefault: 3", "default: "),
        ("currency: EUR\ndefault: {miss: 1, false_alarm: 1}\nlabels: [Dose]", "labels: "),
        ("- 3", "holds no keys"),
        ("", "currency: is missing"),
        ("currency: ' '\ndefault: {miss: 1, false_alarm: 1}", "currency: String should have at least 1 character"),
        (
            "currency: EUR\ndefault: {miss: '5', false_alarm: 1}",
            "default.miss: Input should be a valid number, not '5'",
        ),
    ],
)
def test_what_is_no_costs_file(tmp_path: Path, text: str, part: str) -> None:
    with pytest.raises(UsageError) as told:
        read_costs(written(tmp_path, text), schema=SCHEMA)
    assert part in str(told.value)


def test_a_label_that_yaml_takes_for_no_is_told_once(tmp_path: Path) -> None:
    schema = build_schema(["No", "1"])
    text = "currency: EUR\ndefault: {miss: 1, false_alarm: 1}\nlabels:\n  No: {miss: 3}\n  1: {miss: 2}\n"
    with pytest.raises(UsageError, match=r"labels\.No \(line 4\), labels\.1 \(line 5\) .* Put such names in quotes"):
        read_costs(written(tmp_path, text), schema=schema)
    quoted = text.replace("No:", "'No':").replace("1: {miss: 2}", "'1': {miss: 2}")
    assert CostTable.of(read_costs(written(tmp_path, quoted), schema=schema), schema).miss.tolist() == [3, 2]


def test_a_layered_schema_has_no_wrong_label(tmp_path: Path) -> None:
    layered = build_schema(SCHEMA.labels, layered=True)
    with pytest.raises(UsageError, match=r"labels\.Allergy\.wrong_label: labels of this run may overlap"):
        read_costs(written(tmp_path, GOOD), schema=layered)
    costs = read_costs(written(tmp_path, GOOD.replace(", wrong_label: 40", "")), schema=layered)
    assert CostTable.of(costs, layered).wrong_label[0].tolist() == [0, 1007, 1002.5]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_costs(tmp_path / "none.yaml", schema=SCHEMA)
