"""Layers of the lab's settings, and errors that are told together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from raretag.errors import UsageError
from raretag.experiments import LabSettings
from raretag.experiments.biaslab.settings_file import load_lab_settings


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "lab.yaml"
    path.write_text(
        "model: bias-only\nmarginals: 99/1\nmechanisms: [btl-mask]\nwindows:\n  unit: paragraph\n  max_tokens: 64\n",
        encoding="utf-8",
    )
    return path


def test_nothing_given_is_the_defaults() -> None:
    assert load_lab_settings() == LabSettings()


def test_later_layers_win(file: Path) -> None:
    found = load_lab_settings(
        config=file,
        named={"marginals": "60/40", "seeds": "3,4"},
        overrides=["seeds=5", "windows.max_tokens=128", "learning_rate=3e-3"],
    )
    assert (found.model, found.marginals, found.seeds) == ("bias-only", ((0.6, 0.4),), (5,))
    assert (found.windows.unit, found.windows.max_tokens, found.learning_rate) == ("paragraph", 128, 0.003)
    assert list(found.mechanisms) == ["btl-mask"]


def test_mechanisms_are_replaced_as_a_whole(file: Path) -> None:
    found = load_lab_settings(config=file, named={"mechanisms": {"mine": {"objective": {"name": "focal"}}}})
    assert list(found.mechanisms) == ["mine"]


def test_every_error_is_told_at_once(file: Path) -> None:
    file.write_text(
        "marginals: [[0.5, 0.4]]\nmodle: full\nseeds: [1, 1]\nsimulations: 5\nwindows: {unti: line}\n"
        "mechanisms:\n  mine:\n    nieghbours: 3\n    objective: {name: fokal}\n    neighbours: {k: 5}\n",
        encoding="utf-8",
    )
    with pytest.raises(UsageError) as error:
        load_lab_settings(config=file, overrides=["held_out=2"])
    told = str(error.value)
    for line in (
        "marginals: (0.5, 0.4) sum to 0.9, not to 1",
        "modle: there is no such key; did you mean model?",
        "seeds: seeds must be different whole numbers",
        "simulations: Input should be greater than or equal to 499",
        "windows.unti: there is no such key; did you mean unit?",
        "mechanisms.mine.nieghbours: there is no such key; did you mean neighbours?",
        "fokal",
        "did you mean focal?",
        "mechanisms.mine.neighbours.k: there is no such key; there are: neighbours, temperature, weight",
        "held_out: Input should be less than 1",
        str(file),
    ):
        assert line in told


def test_methods_that_do_not_go_together_are_all_told() -> None:
    with pytest.raises(UsageError) as error:
        load_lab_settings(named={"model": "bias-only", "mechanisms": "cosine,ldam,seesaw+per-label"})
    told = str(error.value)
    assert "3 settings cannot be used" in told
    assert "mechanisms.cosine.head.name: a bias-only model has no use for the head cosine" in told
    assert "mechanisms.ldam: objective 'ldam' needs head.name to be cosine" in told
    assert "mechanisms.seesaw+per-label: objective 'seesaw' needs head.name to be softmax or cosine" in told


@pytest.mark.parametrize(
    "content",
    [
        "mechanisms: 5", "mechanisms: [[all-classes]]", "mechanisms: [{all-classes: null}]", "model: [frozen]",
        "mechanisms: {mine: {objective: focal}}", "mechanisms: {mine: {objective: {name: [a]}}}", "marginals: {a: 1}",
        "seeds: {a: 1}", "windows: 5", "steps: many", "mechanisms: {mine: {regularisers: [a]}}", "1: 2", "- a", "a: [",
        "model: {a: 1}", "mechanisms: {1: null}", "mechanisms: {[1, 2]: null}",
    ],
)  # fmt: skip
def test_every_kind_of_nonsense_is_a_usage_error(content: str, file: Path) -> None:
    file.write_text(content, encoding="utf-8")
    with pytest.raises(UsageError, match=r"lab\.yaml"):
        load_lab_settings(config=file)


@pytest.mark.parametrize("override", ["seeds", "=5", "seeds=x", "windows=5", "mechanisms=xyz", "marginals=1/2/3"])
def test_overrides_that_are_none(override: str) -> None:
    with pytest.raises(UsageError):
        load_lab_settings(overrides=[override])


def test_overrides_that_are_read() -> None:
    found = load_lab_settings(overrides=["marginals=80/20", "mechanisms=btl-mask,focal", "seeds=1,2"])
    assert (found.marginals, found.seeds, list(found.mechanisms)) == (((0.8, 0.2),), (1, 2), ["btl-mask", "focal"])


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"missing\.yaml"):
        load_lab_settings(config=tmp_path / "missing.yaml")


def test_a_name_that_was_chosen_may_be_anything(file: Path) -> None:
    content: dict[str, Any] = {"mechanisms": {"my own: 50/50": {"about": "mine"}}}
    assert load_lab_settings(named=content).mechanisms["my own: 50/50"].about == "mine"
