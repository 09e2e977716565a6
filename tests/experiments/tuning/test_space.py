"""Spaces: what they propose, that the built-in ones fit every setting, and that all that is wrong is told at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from raretag.corpus import Corpus
from raretag.errors import UsageError
from raretag.experiments.comparison.contestant import contestant
from raretag.experiments.tuning.goal import GoalName, goal_of
from raretag.experiments.tuning.space import Choice, Parameter, Range, Value
from raretag.experiments.tuning.space_file import BUILT_IN, read_space, space_of
from raretag.experiments.tuning.task import closed_parts, task_of

from .conftest import SPACE, TaskOf, space


def test_what_is_open_depends_on_what_was_chosen(tmp_path: Path) -> None:
    searched = space(tmp_path)

    def first(one: Parameter) -> Value:
        return one.values.choices[0] if isinstance(one.values, Choice) else one.values.low

    def last(one: Parameter) -> Value:
        return one.values.choices[-1] if isinstance(one.values, Choice) else one.values.high

    assert searched.filled(first) == {
        "optimiser.learning_rate": 0.0001,
        "optimiser.epochs": 1,
        "objective.name": "cross-entropy",
    }
    assert searched.filled(last)["objective.gamma"] == 1.0


@pytest.mark.parametrize("goal", ["brier", "macro10-f1"])
@pytest.mark.parametrize("name", BUILT_IN)
def test_the_built_in_spaces_can_be_trained(corpus: Corpus, name: str, goal: GoalName, tmp_path: Path) -> None:
    aim = goal_of(goal)
    made = task_of(
        corpus,
        recipe="plain",
        space=space_of(name, goal=aim),
        goal=aim,
        folds=2,
        out=tmp_path / "out",
    )
    assert made.is_cheap == (name == "head")
    assert ("policy.beta.tail" in made.space.keys) == (goal == "macro10-f1")
    assert ("calibration.name" in made.space.keys) == (goal == "brier")


def test_the_same_setting_beside_different_choices(tmp_path: Path) -> None:
    searched = space(
        tmp_path,
        "objective.name: {choices: [weighted, focal]}\n"
        "objective.gamma:\n"
        "  - {low: 0.1, high: 1.0, when: {objective.name: weighted}}\n"
        "  - {low: 1.0, high: 3.0, when: {objective.name: focal}}\n",
    )
    assert [one.name for one in searched.parameters] == [
        "objective.name",
        "objective.gamma of weighted",
        "objective.gamma of focal",
    ]
    told = searched.filled(lambda one: "focal" if isinstance(one.values, Choice) else one.values.high)
    assert told == {"objective.name": "focal", "objective.gamma": 3.0}


@pytest.mark.parametrize(
    ("values", "inside", "outside"),
    [
        (Range(low=4, high=12, step=4), (4, 8, 12, 8.0), (5, 16, 4.5, True, None, "8", float("nan"))),
        (Range(low=0.1, high=1.0), (0.1, 0.5, 1), (0.05, 2, True, None)),
        (Choice(choices=(None, "a", 1, True)), (None, "a", 1, True), ("b", 1.0, False, ())),
    ],
)
def test_what_could_be_proposed(
    values: Range | Choice, inside: tuple[object, ...], outside: tuple[object, ...]
) -> None:
    assert all(values.holds(one) for one in inside)
    assert not any(values.holds(one) for one in outside)


def test_numbers_as_yaml_writes_them(tmp_path: Path) -> None:
    values = space(tmp_path, "optimiser.learning_rate: {low: 1e-4, high: 1e-3, log: true}").parameters[0].values
    assert isinstance(values, Range)
    assert (values.low, values.high, values.whole) == (1e-4, 1e-3, False)


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    text = """
optimiser.epochs: 8
optimiser.warmup: {low: 0.5, high: 0.1}
optimiser.weight_decay: {low: 0, high: 0.1, log: true}
optimiser.batch_tokens: {low: 512, high: 1024, setp: 2}
objective.name: {choices: [focal]}
head.name: {choices: [softmax, softmax]}
objective.gamma: {low: few, high: 3, when: {objective.nam: focal}}
sampler.threshold: [{low: 0.1, high: 0.2}, {low: 0.2, high: 0.3}]
"""
    with pytest.raises(UsageError) as refused:
        space(tmp_path, text)
    for words in (
        "optimiser.epochs: is 8",
        "optimiser.warmup: low must be below high",
        "optimiser.weight_decay: with log, low must be above 0",
        "optimiser.batch_tokens: there is no setp; there are: low, high",
        "objective.name: choices: Tuple should have at least 2",
        "head.name: a choice is there twice",
        "objective.gamma: low is no number",
        "sampler.threshold: where there are several, each needs a when",
    ):
        assert words in refused.value.what
    assert refused.value.file == str(tmp_path / "space.yaml")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("objective.gamma: {low: 0.1, high: 1, when: {objective.name: focal}}", "does not stand above it"),
        (
            "objective.name: {choices: [weighted, focal]}\n"
            "objective.gamma: {low: 0.1, high: 1, when: {objective.name: dice}}",
            "which objective.name cannot be",
        ),
        (
            "objective.name: {choices: [weighted, focal]}\n"
            "objective.gamma: [{low: 0.1, high: 1, when: {objective.name: [weighted, focal]}},"
            " {low: 1, high: 2, when: {objective.name: focal}}]",
            "would be open at once",
        ),
        ("{}", "names no setting"),
        ("optimiser.epochs: []", "nothing to choose from"),
        (
            "objective.name: {choices: [weighted, focal]}\n"
            "objective.gamma: {low: 0.1, high: 1, when: {objective.name: [[focal]]}}",
            "no single value",
        ),
        (
            "policy.beta: {low: 1.0, high: 2.0}\npolicy.beta.tail: {low: 1.0, high: 2.0}",
            "one is a part of the other",
        ),
    ],
)
def test_conditions_that_cannot_be(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        space(tmp_path, text)


def test_a_range_that_its_steps_do_not_reach(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="high is not reached"):
        space(tmp_path, "optimiser.epochs: {low: 6, high: 16, step: 4}")


def test_nothing_is_left_to_tune() -> None:
    fixed = ["second_stage.name=null", "calibration.name=vector"]
    with pytest.raises(UsageError, match="nothing of the search space 'head' is left"):
        space_of("head", goal=goal_of("brier"), overrides=fixed)


def test_unknown_spaces() -> None:
    with pytest.raises(UsageError, match="did you mean head"):
        read_space("haed")
    with pytest.raises(UsageError, match="cannot be read"):
        read_space("nowhere.yaml")


def test_what_cannot_be_trained_is_told_at_once(task: TaskOf) -> None:
    text = """
optimiser.epoch: {low: 1, high: 4}
optimiser.warmup: {low: 0.1, high: 2.0}
objective.name: {choices: [cross-entropy, ldam, focla]}
second_stage.name: {choices: [null, crt]}
head.name: {choices: [softmax, per-label]}
"""
    with pytest.raises(UsageError) as refused:
        task(text=text, goal=goal_of("macro10-f1"))
    for words in (
        "did you mean epochs?",
        "optimiser.warmup: Input should be less than 1",
        "needs head.name to be cosine, not softmax (with objective.name=ldam)",
        "did you mean focal?",
        "second_stage.name needs head.name to be softmax, not per-label",
        "(with second_stage.name=crt, head.name=per-label)",
    ):
        assert words in refused.value.what
    with pytest.raises(UsageError, match="temprature"):
        task(text="calibration.name: {choices: [temperature, temprature]}")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("seed: {low: 1, high: 9}", "other luck"),
        ("split.test: {low: 0.1, high: 0.3}", "which documents are seen"),
        ("tagging.scheme: {choices: [BIO, IO]}", "cannot be compared"),
        ("optimiser.patience: {low: 1, high: 3}", "folds train all epochs"),
        ("policy.rule: {choices: [argmax, thresholds]}", "does not look at what is decided"),
        ("head.name: {choices: [softmax, per-label]}", "labels that are kept apart"),
    ],
)
def test_what_may_not_be_tuned(task: TaskOf, text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        task(text=text)


def test_heads_are_tuned_where_they_compare(task: TaskOf) -> None:
    assert task(text="head.name: {choices: [softmax, cosine]}").space.keys == {"head.name"}
    assert task(text="head.name: {choices: [softmax, per-label]}", goal=goal_of("macro10-f1")).space.keys


@pytest.mark.parametrize("name", BUILT_IN)
def test_several_models_have_no_one_head(corpus: Corpus, name: str, tmp_path: Path) -> None:
    aim = goal_of("macro10-f1")
    with pytest.raises(UsageError, match="have a head each"):
        task_of(corpus, recipe="rare", space=space_of(name, goal=aim), goal=aim, folds=2, out=tmp_path)
    (tmp_path / "own.yaml").write_text("recipe: rare\nsecond_stage: {name: crt}\n", encoding="utf-8")
    open_to_it = space_of(name, goal=aim, closed=["second_stage"])
    with pytest.raises(UsageError, match="have a head each"):
        task_of(corpus, recipe=str(tmp_path / "own.yaml"), space=open_to_it, goal=aim, folds=2, out=tmp_path)
    assert not {key for key in open_to_it.keys if key.startswith("second_stage")}
    task_of(corpus, recipe="rare", space=open_to_it, goal=aim, folds=2, out=tmp_path)


@pytest.mark.parametrize("name", BUILT_IN)
@pytest.mark.parametrize("head", ["cosine", "per-label"])
def test_another_head_has_a_space_of_its_own(corpus: Corpus, name: str, head: str, tmp_path: Path) -> None:
    aim, overrides = goal_of("macro10-f1"), (f"head.name={head}",)
    settings = contestant("plain", overrides=overrides).settings
    open_to_it = space_of(name, goal=aim, overrides=overrides, closed=[*closed_parts(settings, heads=[head])])
    made = task_of(
        corpus, recipe="plain", overrides=overrides, space=open_to_it, goal=aim, folds=2, out=tmp_path / "out"
    )
    assert made.space.keys
    whole = space_of(name, goal=aim)
    with pytest.raises(UsageError, match=rf"makes a softmax head anew, and the recipe has {head}"):
        task_of(corpus, recipe="plain", overrides=overrides, space=whole, goal=aim, folds=2, out=tmp_path)


def test_an_ensemble_has_no_one_head_whatever_heads_are_tuned(corpus: Corpus, tmp_path: Path) -> None:
    text = "head.name: {choices: [softmax, cosine]}\n"
    text += "second_stage.name: {choices: [null, crt], when: {head.name: softmax}}"
    aim, searched = goal_of("macro10-f1"), space(tmp_path, text)
    assert task_of(corpus, recipe="plain", space=searched, goal=aim, folds=2, out=tmp_path).space.keys
    with pytest.raises(UsageError, match="have a head each"):
        task_of(corpus, recipe="rare", space=searched, goal=aim, folds=2, out=tmp_path)


def test_all_values_that_open_a_setting_are_tried(task: TaskOf) -> None:
    text = "objective.name: {choices: [weighted, focal]}\n"
    text += "objective.gamma: {low: 1.5, high: 3.0, when: {objective.name: %s}}"
    assert task(text=text % "focal").space.keys
    with pytest.raises(UsageError, match=r"objective\.gamma.*with objective\.name=weighted"):
        task(text=text % "[focal, weighted]")


def test_what_is_set_is_not_tuned(task: TaskOf) -> None:
    with pytest.raises(UsageError, match="--set fixes it"):
        task(overrides=("optimiser.epochs=3",))


def test_the_baseline_as_far_as_it_could_be_proposed(task: TaskOf) -> None:
    # the rate of the recipe follows the encoder's width, and no gamma is open beside cross-entropy
    assert task().baseline_parameters == {"optimiser.epochs": 12, "objective.name": "cross-entropy"}
    assert task(recipe="inverse-sqrt", text=SPACE.replace("high: 20", "high: 10")).baseline_parameters == {
        "objective.name": "weighted",
        "objective.gamma": 0.5,
    }


def test_what_is_fixed_is_not_tuned(task: TaskOf) -> None:
    aim = goal_of("macro10-f1")
    assert "optimiser.epochs" not in space_of("full", goal=aim, overrides=["optimiser.epochs=3"]).keys
    # an option may not go with another method than the one it is of, so all of the part stays as it is
    left = space_of("full", goal=aim, overrides=["policy.beta.tail=3", "objective.gamma=1"]).keys
    assert not {one for one in left if one.startswith(("policy.", "objective."))}
    assert "optimiser.epochs" in left


def test_what_is_open_beside_what_is_left_out_is_left_out(tmp_path: Path) -> None:
    searched = space(
        tmp_path,
        "policy.rule: {choices: [argmax, thresholds]}\n"
        "second_stage.name: {choices: [null, crt], when: {policy.rule: thresholds}}\n"
        "second_stage.power: {low: 0.0, high: 1.0, when: {second_stage.name: crt}}\n"
        "policyx: {low: 1, high: 2}\n",
    )
    assert searched.without(["policy"]).keys == {"policyx"}


def test_a_recipe_that_leans_can_be_tuned(corpus: Corpus, tmp_path: Path) -> None:
    aim = goal_of("macro10-f1")
    (tmp_path / "leans.yaml").write_text("recipe: plain\npolicy: {rule: thresholds, beta: 2}\n", encoding="utf-8")
    (tmp_path / "bare.yaml").write_text("policy: {beta: 2}\n", encoding="utf-8")
    leaning = space_of("full", goal=aim, closed=["second_stage"])
    for recipe in (str(tmp_path / "leans.yaml"), str(tmp_path / "bare.yaml"), "rare"):
        made = task_of(corpus, recipe=recipe, space=leaning, goal=aim, folds=2, out=tmp_path / "out")
        assert made.contestant({"policy.rule": "argmax"}).after.policy.beta is None
        told = made.contestant({"policy.rule": "thresholds", "policy.beta.tail": 1.5}).after.policy.beta
        assert isinstance(told, dict)
        assert told["tail"] == 1.5
