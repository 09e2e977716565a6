"""What there is: every registered method with its options, whole at every width."""

from __future__ import annotations

import json
from collections.abc import Mapping
from io import StringIO
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console

from raretag.cli.methods import Method, described, show_methods
from raretag.objectives import OBJECTIVES, REGULARISERS
from raretag.sampling import SAMPLERS
from raretag.training.heads import HEADS
from raretag.training.second_stage import SECOND_STAGES

from .conftest import Run

COMMANDS: dict[str, Mapping[str, Any]] = {
    "objectives": {**OBJECTIVES, **REGULARISERS},
    "samplers": SAMPLERS,
    "heads": {**HEADS, **SECOND_STAGES},
}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_method_has_a_line(raretag: Run, command: str) -> None:
    shown = raretag(command)
    assert shown.code == 0, shown.err
    lines = {line.split()[0]: line for line in shown.out.splitlines() if line.strip()}
    for name, entry in COMMANDS[command].items():
        assert described(name, entry).told in lines[name]
        assert entry.about in lines[name]
        assert entry.source in lines[name]


@pytest.mark.parametrize("command", COMMANDS)
def test_machines_get_the_same(raretag: Run, command: str) -> None:
    content = json.loads(raretag(command, "--json", "-").out)
    rows = {row["name"]: row for role in content.values() for row in role}
    assert list(rows) == list(COMMANDS[command])
    for name, row in rows.items():
        fields = COMMANDS[command][name].options.model_fields
        assert {option: one["default"] for option, one in row["options"].items()} == {
            option: field.default for option, field in fields.items()
        }
        assert all(one["description"] for one in row["options"].values())


def test_objectives_say_what_they_are_made_for(raretag: Run) -> None:
    lines = {line.split()[0]: line for line in raretag("objectives").out.splitlines() if line.strip()}
    assert "head cosine" in lines["ldam"]
    assert "sampler per-class" in lines["btl"]
    assert "head" not in lines["focal"]
    rows = json.loads(raretag("objectives", "--json", "-").out)["objectives"]
    told = {row["name"]: (row["heads"], row["sampler"]) for row in rows}
    assert told["ldam"] == (["cosine"], "length-bucketed")
    assert told["btl"][1] == "per-class"


def test_second_stages_stand_apart_from_heads(raretag: Run) -> None:
    content = json.loads(raretag("heads", "--json", "-").out)
    names = {role: [row["name"] for row in rows] for role, rows in content.items()}
    assert names == {"heads": list(HEADS), "second_stages": list(SECOND_STAGES)}
    assert "--set second_stage.name=NAME" in raretag("heads").out


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("objectives", "objective.start=SHARE, of the steps, before which it is cross-entropy"),
        ("samplers", "sampler.start=SHARE, of the steps, before which it is length-bucketed"),
    ],
)
def test_that_a_method_may_begin_late_is_told(raretag: Run, command: str, told: str) -> None:
    assert told in raretag(command).out


def test_json_into_a_file(raretag: Run, tmp_path: object) -> None:
    shown = raretag("samplers", "--json", f"{tmp_path}/samplers.json")
    assert shown.code == 0
    assert "length-bucketed" in shown.out


@pytest.mark.parametrize("width", [60, 80, 100, 149, 150, 200])
def test_nothing_is_cut_at_any_width(width: int) -> None:
    console = Console(file=StringIO(), width=width, force_terminal=True, color_system=None, markup=False)
    methods = [described(name, entry) for name, entry in OBJECTIVES.items()]
    show_methods("objective", methods, console)
    assert isinstance(console.file, StringIO)
    lines = console.file.getvalue().splitlines()
    assert max(map(cell_len, lines)) <= width
    words = " ".join(lines).split()
    for method in methods:
        assert {method.name, *method.about.split(), *method.source.split()} <= set(words)
        assert {option.rstrip(",") for option in method.told.split()} <= {word.rstrip(",") for word in words}
    assert ("options and defaults" in lines[0]) == (width >= 150)


def test_defaults_are_written_as_yaml_reads_them() -> None:
    options = {key: {"default": value} for key, value in {"a": 1e-3, "b": None, "c": False, "d": "x", "e": 2.0}.items()}
    method = Method(name="m", about="", source="", options=options)
    assert method.told == "a=0.001, b=null, c=false, d=x, e=2"
