"""Comparing: alike recipes do not differ, a better one is found out, and what cannot be compared is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from transformers import TrainerCallback

from raretag.corpus import Corpus
from raretag.corpus.demo import demo_corpus
from raretag.decision.after_training import AfterTraining
from raretag.decision.costs import Costs
from raretag.errors import DataError, UsageError
from raretag.evaluation import CORRECT, Counts
from raretag.experiments.comparison.compare import Comparison, compare
from raretag.experiments.comparison.contestant import Contestant, called, contestant
from raretag.experiments.comparison.differences import TESTED, differences
from raretag.experiments.comparison.rows import FIGURES, Row
from raretag.tagging import build_schema
from raretag.training.settings import SplitSettings, TrainSettings

COSTS = Costs.model_validate({"currency": "EUR", "default": {"miss": 10.0, "false_alarm": 1.0}})


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return demo_corpus(documents=16)


@pytest.fixture(scope="module")
def recipes(tiny_encoder: Path) -> list[Contestant]:
    content = {"encoder": str(tiny_encoder), "optimiser": {"epochs": 1, "learning_rate": 0.02}, "precision": "float32"}
    plain = TrainSettings.model_validate(content)
    longer = TrainSettings.model_validate({**content, "optimiser": {"epochs": 4, "learning_rate": 0.02}})
    argmax = AfterTraining.of({"policy": {"rule": "argmax"}})
    return [
        Contestant(name="short", settings=plain, after=argmax),
        Contestant(name="again", settings=plain, after=argmax),
        Contestant(name="long", settings=longer, after=argmax),
    ]


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory, corpus: Corpus, recipes: list[Contestant]) -> Comparison:
    out = tmp_path_factory.mktemp("compared")
    done = compare(corpus, recipes, folds=2, seeds=[13, 14], out=out, costs=COSTS, resamples=200)
    # what trains alike is trained once: two settings, two seeds
    assert len(list((out / "trainings").iterdir())) == 4
    return done


def test_the_same_settings_come_to_the_same(compared: Comparison) -> None:
    rows = {row.name: row for row in compared.rows}
    assert rows["short"].to_json() == {**rows["again"].to_json(), "recipe": "short"}
    for one in compared.differences:
        if one.recipe == "again" and one.p is not None:
            assert one.difference.value == 0
            assert one.p == 1


def test_trainings_of_several_versions_are_told(corpus: Corpus, recipes: list[Contestant], tmp_path: Path) -> None:
    first = compare(corpus, recipes[:2], folds=2, seeds=[13], out=tmp_path, resamples=10)
    assert first.mixed == {}
    file = next(tmp_path.glob("trainings/*/fold-1/manifest.json"))
    manifest = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps({**manifest, "raretag": "0.0.1"}), encoding="utf-8")
    told = compare(corpus, recipes[:2], folds=2, seeds=[13], out=tmp_path, resamples=10).mixed
    assert told == {"versions of raretag": ("0.0.1", manifest["raretag"])}


def test_figures_are_of_all_documents_and_seeds(compared: Comparison, corpus: Corpus) -> None:
    gold = sum(len(document.mentions) for document in corpus.documents)
    for row in compared.rows:
        assert set(row.figures) == set(FIGURES)
        assert row.counts.values[..., 0].sum() == 2 * gold
        assert row.cost is not None
        assert row.cost.value is not None
        assert row.cost.value > 0
    price = {row.name: row.cost.value for row in compared.rows if row.cost is not None and row.cost.value is not None}
    for one in compared.differences:
        if one.figure == "cost":
            assert one.difference.value == pytest.approx(price[one.recipe] - price[compared.baseline])
    assert compared.mentions == gold
    assert compared.unequal == ("long",)
    assert {one.figure for one in compared.differences} == {*TESTED, "cost"}


def test_the_lot_is_plain(compared: Comparison) -> None:
    import json

    assert json.loads(json.dumps(compared.to_json(), allow_nan=False))["seeds"] == [13, 14]


def test_a_planted_difference_is_found(compared: Comparison) -> None:
    """A row that has a third of the mentions wrong right is better beyond chance; p of Holm is no smaller than p."""
    base = compared.rows[0]
    values = base.counts.values.copy()
    values[..., 1] = values[..., 0]
    rng = np.random.default_rng(0)
    values[..., CORRECT] = rng.binomial(values[..., 0], 0.5)
    worse = rng.binomial(values[..., CORRECT], 0.5)

    def row(name: str, correct: np.ndarray) -> object:
        counts = values.copy()
        counts[..., CORRECT] = correct
        return replace(base, name=name, counts=replace_counts(base.counts, counts))

    labels = base.counts.labels
    schema = build_schema(labels, mention_counts=base.counts.values[..., 0].sum(axis=0).tolist())
    rows = [row("base", worse), row("better", values[..., CORRECT]), row("same", worse)]
    found = differences(rows, baseline="base", schema=schema, resamples=200, permutations=2000)  # type: ignore[arg-type]
    by = {(one.recipe, one.figure): one for one in found}
    better = by["better", "micro"]
    assert better.difference.value is not None
    assert better.difference.value > 0.1
    assert better.p is not None
    assert better.adjusted is not None
    assert better.p <= better.adjusted < 0.01
    assert better.difference.interval is not None
    assert better.difference.interval[0] > 0
    assert by["same", "micro"].p == 1


def test_the_interval_of_a_macro_difference_holds_the_difference(compared: Comparison) -> None:
    """Labels of one mention, which both miss, are in no document of many resamples, and must not leave the mean."""
    rng, documents = np.random.default_rng(0), 50
    base, better = np.zeros((2, documents, 30, 3), np.int64)
    for values, share in ((base, 0.6), (better, 0.7)):
        values[:, :10, :2] = 20
        values[..., :10, CORRECT] = rng.binomial(20, share, (documents, 10))
    places = rng.integers(documents, size=20)
    base[places, np.arange(10, 30), 0] = better[places, np.arange(10, 30), 0] = 1
    names = tuple(map(str, range(documents)))

    def row(name: str, values: np.ndarray) -> Row:
        groups = tuple(("document", name) for name in names)
        counts = Counts(documents=names, groups=groups, labels=tuple(f"L{k:02}" for k in range(30)), values=values)
        return replace(compared.rows[0], name=name, counts=counts, costs=None)

    schema = build_schema([f"L{k:02}" for k in range(30)], mention_counts=base[..., 0].sum(axis=0).tolist())
    found = differences([row("base", base), row("better", better)], baseline="base", schema=schema, permutations=9)
    for one in found:
        if one.figure in ("macro", "mean_recall"):
            assert one.difference.value is not None
            assert one.difference.interval is not None
            low, high = one.difference.interval
            assert low < one.difference.value - 0.002 < one.difference.value + 0.002 < high


def replace_counts(counts: Counts, values: np.ndarray) -> Counts:
    return Counts(documents=counts.documents, groups=counts.groups, labels=counts.labels, values=values)


@pytest.mark.parametrize(
    ("names", "baseline", "seeds", "told"),
    [
        (["short"], None, [1], "at least two"),
        (["short", "short"], None, [1], "named twice"),
        (["short", "long"], "other", [1], "'other' is not among the recipes. Name one of: short, long"),
        (["short", "long"], None, [], "seeds"),
        (["short", "long"], None, [1, 1], "seeds"),
    ],
)
def test_what_cannot_be_compared(
    tmp_path: Path,
    corpus: Corpus,
    recipes: list[Contestant],
    names: list[str],
    baseline: str | None,
    seeds: list[int],
    told: str,
) -> None:
    chosen = [next(one for one in recipes if one.name == name) for name in names]
    with pytest.raises(UsageError, match=told):
        compare(corpus, chosen, folds=2, seeds=seeds, out=tmp_path, baseline=baseline)


def test_costs_that_do_not_fit_a_policy_are_told_before_the_first_training(
    tmp_path: Path, corpus: Corpus, recipes: list[Contestant]
) -> None:
    promising = replace(recipes[0], name="promising", after=AfterTraining.of({"policy": {"recall_floor": 0.8}}))
    with pytest.raises(UsageError, match="no price of a review"):
        compare(corpus, [recipes[0], promising], folds=2, seeds=[13], out=tmp_path / "out", costs=COSTS)
    assert not (tmp_path / "out").exists()


def test_a_recipe_by_name_and_by_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("recipe: inverse-sqrt\nobjective: {cap: 5}\npolicy: {rule: argmax}\n", encoding="utf-8")
    mine = contestant(str(file), overrides=["optimiser.epochs=3", "calibration.name=temperature"])
    assert mine.name == called(str(file)) == "mine"
    assert mine.settings.objective.options == {"gamma": 0.5, "cap": 5}
    assert mine.settings.optimiser.epochs == 3
    assert (mine.after.policy.rule, mine.after.calibration.name) == ("argmax", "temperature")
    assert contestant("plain").after == AfterTraining.of({"policy": {"rule": "argmax"}})
    keys = {one.key(seed=13, data="d", folds=5) for one in (mine, contestant("plain"))}
    keys |= {mine.key(seed=14, data="d", folds=5), mine.key(seed=13, data="e", folds=5)}
    keys |= {mine.key(seed=13, data="d", folds=4)}
    assert len(keys) == 5
    # of training and of the time after, in one error
    file.write_text("optimiser: {epochs: 0}\npolicy: {rul: argmax}\n", encoding="utf-8")
    with pytest.raises(
        UsageError, match=r"mine.yaml: 2 settings[^:]*:\n  optimiser.epochs: .*\n  policy.rul: .*did you"
    ):
        contestant(str(file))
    for wrong in (["policy.rule=costs"], ["policy.rule=guess"], ["calibration.name=temprature"], ["calibration=3"]):
        with pytest.raises(UsageError):
            contestant("plain", overrides=wrong)


def test_too_few_patients_are_told_before_anything_is_trained(
    corpus: Corpus, recipes: list[Contestant], tmp_path: Path
) -> None:
    two = [replace(one, metadata={"group": f"p{number % 2}"}) for number, one in enumerate(corpus.documents)]
    with pytest.raises(DataError, match="of 2 patients are too few"):
        compare(replace(corpus, documents=tuple(two)), recipes, folds=2, seeds=[13], out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_what_of_a_file_has_no_effect_is_told(corpus: Corpus, recipes: list[Contestant], tmp_path: Path) -> None:
    told: list[str] = []
    settings = recipes[0].settings.model_copy(update={"seed": 14, "split": SplitSettings(test=0.3)})
    with pytest.raises(KeyboardInterrupt):
        compare(
            corpus,
            [recipes[0], replace(recipes[0], name="mine", settings=settings)],
            folds=2,
            seeds=[13],
            out=tmp_path,
            announce=told.append,
            callbacks=_broken_off,
        )
    assert "mine: its seed and split will not be looked at: a comparison has its own" in told


def _broken_off() -> list[TrainerCallback]:
    raise KeyboardInterrupt


def test_a_calibration_that_needs_a_prior_nobody_knows_is_told_before_training(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("objective: {name: vector-scaling}\ncalibration: {name: prior-restore}\n", encoding="utf-8")
    with pytest.raises(UsageError, match="recipe mine: this calibration needs the prior that training taught"):
        contestant(str(file))


def test_a_patience_that_folds_never_ask_for_is_not_another_training() -> None:
    hasty, usual = contestant("plain", overrides=["optimiser.patience=1"]), contestant("plain")
    assert hasty.for_folds().settings == usual.settings
    # where there are documents to stop by, it is
    assert hasty.key(seed=13, data="d", folds=1) != usual.key(seed=13, data="d", folds=1)


def test_what_is_wrong_after_training_is_told_with_its_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("policy: {rule: threshold, betta: 2}\ncalibration: {name: temprature}\n", encoding="utf-8")
    with pytest.raises(UsageError) as refused:
        contestant(str(file))
    assert refused.value.file == str(file)
    for words in ("policy.rule", "policy.betta: there is no such key; did you mean beta?", "temprature"):
        assert words in refused.value.what


def test_what_no_label_can_have_is_told_before_the_first_training(
    tmp_path: Path, corpus: Corpus, recipes: list[Contestant]
) -> None:
    lost = contestant("plain", overrides=["policy.rule=thresholds", "policy.recall_floor={Nope: 0.5}"])
    with pytest.raises(UsageError, match=r"recipe lost: .*'Nope'"):
        compare(corpus, [recipes[0], replace(lost, name="lost")], folds=2, seeds=[13], out=tmp_path / "out")
    with pytest.raises(DataError, match="parts"):
        compare(corpus, recipes, folds=99, seeds=[13], out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_another_rule_drops_the_beta_of_thresholds() -> None:
    assert contestant("rare").after.policy.beta
    assert contestant("rare", overrides=["policy.rule=argmax"]).after.policy.beta is None
