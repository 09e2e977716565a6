from __future__ import annotations

from pathlib import Path

import pytest

from raretag.errors import UsageError
from raretag.training.recipes import RECIPES, default_recipe, recipe
from raretag.training.settings import TrainSettings
from raretag.training.settings_file import load_recipe, load_settings


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_is_valid_and_opens_with_its_command(name: str) -> None:
    from importlib.resources import files

    assert load_settings(recipe_name=name) != load_settings(recipe_name=name, overrides=["seed=99"])
    text = (files("raretag.training.recipes") / f"{name}.yaml").read_text(encoding="utf-8")
    assert text.startswith(f"# raretag train DATA --out RUN --recipe {name}\n")
    assert recipe(name).about
    assert recipe(name).source


def test_the_later_wins(tmp_path: Path) -> None:
    config = tmp_path / "s.yaml"
    config.write_text("recipe: inverse-sqrt\nseed: 5\nobjective: {gamma: 0.4}\nencoder: mine\n")
    settings = load_settings(config=config, overrides=["seed=6", "optimiser.learning_rate=3e-5"], encoder="theirs")
    assert settings.objective.options == {"gamma": 0.4, "cap": recipe("inverse-sqrt").settings["objective"]["cap"]}
    assert (settings.seed, settings.optimiser.learning_rate, settings.encoder) == (6, 3e-5, "theirs")


def test_another_objective_drops_the_former_ones_options() -> None:
    settings = load_settings(recipe_name="inverse-sqrt", overrides=["objective.name=cross-entropy"])
    assert settings.objective.options == {}


@pytest.mark.parametrize("order", [1, -1])
def test_overrides_count_together_whatever_their_order(order: int) -> None:
    settings = load_settings(overrides=["objective.tau=0.4", "objective.name=logit-adjusted"][::order])
    assert settings.objective.options == {"tau": 0.4}
    overrides = ["objective.start=0.5", "objective.name=focal"][::order]
    settings = load_settings(recipe_name="inverse-sqrt", overrides=overrides)
    assert (settings.objective.name, settings.objective.start, settings.objective.options) == ("focal", 0.5, {})


def test_another_method_keeps_what_its_role_has(tmp_path: Path) -> None:
    config = tmp_path / "s.yaml"
    config.write_text("objective: {name: weighted, gamma: 0.4, start: 0.8}\nsampler: {name: balanced, start: 0.2}\n")
    settings = load_settings(config=config, overrides=["objective.name=focal", "sampler.name=random"])
    assert (settings.objective.options, settings.objective.start, settings.sampler.start) == ({}, 0.8, 0.2)


def test_options_in_a_file_that_names_no_method_are_not_lost(tmp_path: Path) -> None:
    config = tmp_path / "s.yaml"
    config.write_text("objective: {gamma: 0.4}\n")
    assert load_settings(config=config, overrides=["objective.name=weighted"]).objective.options == {"gamma": 0.4}


def test_options_of_the_objectives_own_sampler() -> None:
    settings = load_settings(overrides=["objective.name=btl", "sampler.others=relabel", "sampler.start=0.5"])
    assert (settings.sampler_name, settings.sampler.options) == ("per-class", {"others": "relabel"})
    assert TrainSettings.model_validate(settings.model_dump(mode="json")) == settings


def test_errors_that_span_settings_are_told_plainly() -> None:
    with pytest.raises(UsageError) as caught:
        load_settings(overrides=["objective.name=ldam"])
    assert "\n  settings: objective 'ldam' needs head.name to be cosine, not softmax\n" in str(caught.value)


def test_nothing_given_is_the_default() -> None:
    assert load_settings() == TrainSettings()
    assert load_settings(recipe_name="plain") == TrainSettings()


def test_settings_are_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        TrainSettings().optimiser.epochs = 3


def test_all_errors_are_told_together() -> None:
    with pytest.raises(UsageError) as caught:
        load_settings(overrides=["optimiser.epochz=3", "windows.unit=page", "split.test=1.5", "nonsense=1", "seed=-1"])
    for word in ("optimiser.epochz", "did you mean epochs", "windows.unit", "'line'", "split.test", "nonsense", "seed"):
        assert word in str(caught.value)
    assert str(caught.value).startswith("5 settings cannot be used")
    assert str(caught.value).endswith("\nMend the settings above")


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ("optimiser: {epoch: 1}", "ensemble.0.optimiser.epoch: there is no such key; did you mean epochs?"),
        ("objective: {name: focal, gama: 1}", "ensemble.0.objective.gama: there is no such key; did you mean gamma?"),
        ("sampler: {name: plain}", "ensemble.0.sampler.name: there is no sampler 'plain'"),
    ],
)
def test_a_further_model_is_explained_as_the_first(part: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        load_settings(overrides=[f"ensemble=[{{{part}}}]"])
    assert words in caught.value.what


@pytest.mark.parametrize("text", ["", "[]", "3", "- a"])
def test_odd_files(tmp_path: Path, text: str) -> None:
    config = tmp_path / "s.yaml"
    config.write_text(text)
    if not text:
        assert load_settings(config=config) == TrainSettings()
        return
    with pytest.raises(UsageError, match="no keys"):
        load_settings(config=config)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("recipe: s.yaml\n", "recipe: there is no recipe 's.yaml'.*cannot build on another file"),
        ("recipe: [rare]\n", r"recipe: \['rare'\] is no name"),
        ("polcy: {rule: argmax}\n", "polcy: .*did you mean policy"),
        ("optimiser: 3\npolicy: x\n", "2 settings(.|\n)*optimiser(.|\n)*policy: it holds keys such as policy.rule"),
    ],
)
def test_what_is_wrong_in_a_file_is_told_with_its_name(tmp_path: Path, text: str, words: str) -> None:
    config = tmp_path / "s.yaml"
    config.write_text(text)
    with pytest.raises(UsageError, match=words) as caught:
        load_settings(config=config)
    assert caught.value.file == str(config)


@pytest.mark.parametrize(
    ("overrides", "name"),
    [
        ([], "rare"),
        (["optimiser.epochs=3", "seed=4"], "rare"),
        (["objective.name=focal"], "plain"),
        (["ensemble=[]"], "plain"),
    ],
)
def test_who_chooses_an_objective_means_one_model(overrides: list[str], name: str) -> None:
    assert default_recipe(overrides) == name
    assert len(load_settings(recipe_name=name, overrides=overrides).members) == (2 if name == "rare" else 1)


def test_a_rule_is_laid_between_recipe_and_overrides() -> None:
    frequent = load_recipe(recipe_name="rare", mentions={"A": 500, "B": 90})
    assert len(frequent.training.members) == 2
    frequent = load_recipe(recipe_name="rare", mentions={"A": 500, "B": 9000})
    assert frequent.training.ensemble == ()
    assert frequent.training.optimiser.epochs == 12
    assert frequent.why
    shorter = load_recipe(recipe_name="rare", mentions={"A": 500}, overrides=["optimiser.epochs=2"])
    assert shorter.training.optimiser.epochs == 2
    assert shorter.training.ensemble == ()
    assert shorter.why == f"in part, as the rest is set otherwise: {frequent.why}"
    undone = ["optimiser.epochs=2", "ensemble=[{objective: {name: focal}}]"]
    assert load_recipe(recipe_name="rare", mentions={"A": 500}, overrides=undone).why is None
    assert load_recipe(recipe_name="rare", mentions={"A": 9}, overrides=["optimiser.epochs=2"]).why is None
    small = load_recipe(recipe_name="rare", mentions={"A": 499, "B": 9000})
    assert [one.optimiser.epochs for one in small.training.members] == [12, 12]
    for mentions in (None, {}, {"A": 499, "B": 9501}):
        rare = load_recipe(recipe_name="rare", mentions=mentions)
        assert len(rare.training.members) == 2
        assert rare.why is None
