"""`raretag compare` and `raretag recipes show|copy` as a person meets them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from raretag.corpus.demo import demo_corpus
from raretag.corpus.formats import write_corpus
from raretag.training.recipes import RECIPES, recipe, recipe_text
from raretag.training.settings_file import load_recipe

from .conftest import Run


@pytest.fixture
def few(tmp_path: Path) -> Path:
    write_corpus(demo_corpus(documents=12), tmp_path / "few", format="brat")
    return tmp_path / "few"


def test_compare_goes_on_where_it_was(raretag: Run, few: Path, tiny_encoder: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("objective: {name: focal}\npolicy: {rule: argmax}\n", encoding="utf-8")
    (tmp_path / "costs.yaml").write_text("{currency: EUR, default: {miss: 10, false_alarm: 1}}", encoding="utf-8")
    words: list[object] = ["compare", few, "--recipes", f"plain,{tmp_path / 'mine.yaml'}", "--folds", 2]
    words += ["--out", tmp_path / "out", "--encoder", tiny_encoder, "--set", "optimiser.epochs=1"]
    done = raretag(*words, "--costs", tmp_path / "costs.yaml", "--jobs", 2)
    assert done.code == 0, done.err
    assert "minus plain" in done.out
    assert "mine" in done.out
    told = json.loads((tmp_path / "out" / "compare.json").read_text(encoding="utf-8"))
    assert [row["recipe"] for row in told["rows"]] == ["plain", "mine"]
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "compare.json",
        "compare.md",
        "compare.svg",
        ".compare.lock",
        "trainings",
    }
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("model.safetensors")}
    assert len(times) == 4
    # another policy needs no other training; a promise that no part can make is told
    (tmp_path / "mine.yaml").write_text("objective: {name: focal}\npolicy: {rule: argmax, recall_floor: 0.95}\n")
    again = raretag(*words, "--json", "-")
    assert again.code == 0, again.err
    assert "recall floor of mine was not in force" in (tmp_path / "out" / "compare.md").read_text(encoding="utf-8")
    assert {path: path.stat().st_mtime_ns for path in times} == times
    assert json.loads(again.out)["rows"][0]["micro"] == told["rows"][0]["micro"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--recipes", "plain"], "at least two"),
        (["--recipes", "plain,palin"], "did you mean plain?"),
        (["--recipes", "plain,inverse-sqrt", "--baseline", "rare"], "not among"),
        (["--recipes", "plain,inverse-sqrt", "--folds", "99"], "documents"),
        (["--recipes", "plain,inverse-sqrt", "--seeds", "a"], "no list of numbers"),
        (["--recipes", "plain,nowhere.yaml"], "nowhere.yaml"),
        (["--recipes", "plain,inverse-sqrt", "--set", "policy.rule=costs"], "file of costs"),
        (["--recipes", "plain,inverse-sqrt", "--set", "optimiser.epoch=1"], "did you mean epochs?"),
    ],
)
def test_bad_input(raretag: Run, few: Path, tmp_path: Path, words: list[str], told: str) -> None:
    refused = raretag("compare", few, "--out", tmp_path / "out", *words)
    assert refused.code in {1, 2}
    assert told in refused.err
    assert not (tmp_path / "out" / "trainings").exists()


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_is_shown_and_copied(raretag: Run, tmp_path: Path, name: str) -> None:
    shown = raretag("recipes", "show", name)
    assert shown.code == 0
    assert shown.out == recipe_text(name)
    assert shown.out.startswith("# raretag train DATA --out RUN --recipe ")
    copied = raretag("recipes", "copy", name, tmp_path / "mine.yaml")
    assert copied.code == 0, copied.err
    assert all(f"left out, as it is for some corpora: {rule.why}" in copied.err for rule in recipe(name).rules)
    assert load_recipe(config=tmp_path / "mine.yaml") == load_recipe(recipe_name=name)
    assert raretag("recipes", "copy", name, tmp_path / "mine.yaml").code == 2
    assert raretag("recipes", "copy", name, tmp_path / "no" / "mine.yaml").code == 1


def test_unknown_recipes(raretag: Run) -> None:
    refused = raretag("recipes", "show", "palin")
    assert refused.code == 2
    assert "did you mean plain?" in refused.err


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("seed=4", "Give --seeds"),
        ("split.test=0.5", "Give --folds"),
        ("optimiser.patience=1", "Leave"),
        ("optimiser={patience: 1}", "Leave"),
        ("split={}", "Give --folds"),
    ],
)
def test_settings_that_a_comparison_has_its_own_of(
    raretag: Run, few: Path, tmp_path: Path, wrong: str, told: str
) -> None:
    refused = raretag("compare", few, "--out", tmp_path / "out", "--set", wrong)
    assert refused.code == 2
    assert told in refused.err
