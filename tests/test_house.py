"""The plan of the house: rooms import only from the rooms above them, files are small, the command line starts fast."""

from __future__ import annotations

import ast
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[1] / "src"
ROOMS = (
    "corpus",
    "tagging",
    "objectives",
    "sampling",
    "training",
    "probability",
    "decision",
    "evaluation",
    "cluster",
    "experiments",
    "review",
    "serving",
    "reporting",
    "cli",
)
# what every room may use
GROUND_FLOOR = {"raretag", "raretag.entry", "raretag.errors", "raretag.mapped_arrays", "raretag.options"}


@cache
def modules() -> dict[str, Path]:
    """Every module of the package by its dotted name."""
    found = {}
    for path in sorted((SOURCE / "raretag").rglob("*.py")):
        parts = path.relative_to(SOURCE).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def executed(node: ast.AST) -> Iterator[ast.AST]:
    """All nodes below `node` but those that only a type checker reads."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and isinstance(child.test, ast.Name) and child.test.id == "TYPE_CHECKING":
            continue
        yield child
        yield from executed(child)


@cache
def imported(name: str) -> frozenset[str]:
    """Dotted names that a module imports, anywhere in it; modules of this package by their full name."""
    found: set[str] = set()
    for node in executed(ast.parse(modules()[name].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}: relative import"
            assert node.module is not None
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                found.add(inner if inner in modules() else node.module)
    return frozenset(found)


def room(name: str) -> str | None:
    """The room that a module of this package is in; None for the ground floor and for other packages."""
    if name == "raretag.__main__":
        return "cli"
    parts = name.split(".")
    return parts[1] if parts[0] == "raretag" and name not in GROUND_FLOOR else None


def test_the_check_sees_imports() -> None:
    assert "raretag.corpus" in imported("raretag.tagging.codec")
    assert "raretag.tagging.tokens" in imported("raretag.tagging.windows")
    assert "raretag.training.inference" not in imported("raretag.probability.scores")
    assert room("raretag.tagging.codec") == "tagging"
    assert room("raretag.errors") is room("numpy") is None


@pytest.mark.parametrize("name", modules())
def test_a_room_imports_only_from_rooms_above_it(name: str) -> None:
    own = room(name)
    if own is None:
        assert not {other for other in imported(name) if room(other)}
        return
    assert own in ROOMS, f"{own} is not in the plan"
    allowed = {*ROOMS[: ROOMS.index(own) + 1], None}
    assert sorted(other for other in imported(name) if room(other) not in allowed) == []


def test_nothing_imports_the_command_line() -> None:
    assert [name for name in modules() if room(name) != "cli" and "cli" in map(room, imported(name))] == []


def test_no_module_imports_itself_in_a_circle() -> None:
    graph = {name: {other for other in imported(name) if other in modules()} for name in modules()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"circle: {' -> '.join(error.args[1])}")


def test_files_are_small() -> None:
    lines = {name: len(path.read_text(encoding="utf-8").splitlines()) for name, path in modules().items()}
    assert [name for name, number in lines.items() if number > 500] == []
    assert statistics.median(number for number in lines.values() if number) < 150


def test_nothing_is_pickled() -> None:
    unsafe = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
    assert [name for name in modules() if {other.split(".")[0] for other in imported(name)} & unsafe] == []


@pytest.mark.parametrize(
    ("imports", "heavy"),
    [
        # what `raretag --help` needs
        ("raretag.cli.app", ("torch", "transformers", "numpy", "scipy", "pydantic")),
        # what works on cached scores, or on characters alone
        ("raretag.corpus, raretag.tagging, raretag.probability, raretag.decision", ("torch", "transformers")),
    ],
)
def test_light_parts_do_not_load_heavy_libraries(imports: str, heavy: tuple[str, ...]) -> None:
    code = f"import sys, {imports}; print(*sorted({set(heavy)!r} & set(sys.modules)))"
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []
