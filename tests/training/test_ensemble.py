"""Several models of one run: trained apart, asked together, broken off and resumed like one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy
from pydantic import ValidationError

from raretag.corpus import Corpus
from raretag.errors import DataError, UsageError
from raretag.experiments.cross_validation import steps_of
from raretag.probability.run_context import context_of
from raretag.training import Predictor, RunFolder, train
from raretag.training.ensemble import prior_together, together
from raretag.training.run_folder import read_json
from raretag.training.second_stage.run import second_stage_run
from raretag.training.settings import TrainSettings

from .conftest import StopAt, weights

MEMBER = {"objective": {"name": "weighted", "gamma": 0.5}, "optimiser": {"epochs": 2}}


@pytest.fixture
def asked(small_settings: dict[str, Any]) -> TrainSettings:
    return TrainSettings.model_validate({**small_settings, "ensemble": [MEMBER], "checkpoint_seconds": 0})


@pytest.fixture
def run(tmp_path: Path, small_corpus: Corpus, asked: TrainSettings) -> RunFolder:
    return train(small_corpus, out=tmp_path / "run", settings=asked)


def alone(corpus: Corpus, out: Path, settings: TrainSettings) -> RunFolder:
    return train(corpus, out=out, settings=settings)


def exact(run: RunFolder) -> Predictor:
    return replace(run.predictor(), precision="float32")


def test_each_model_is_what_it_would_be_alone(
    tmp_path: Path, run: RunFolder, small_corpus: Corpus, asked: TrainSettings
) -> None:
    singles = [alone(small_corpus, tmp_path / str(n), one) for n, one in enumerate(asked.members)]
    for mine, single in zip((run, *run.further), singles, strict=True):
        expected = weights(single)
        assert all(np.array_equal(expected[name], value) for name, value in weights(mine).items())
    assert steps_of(run) == sum(steps_of(one) for one in singles)
    assert run.manifest["data"] == singles[1].manifest["data"] == run.further[0].manifest["data"]
    # what they say is the geometric mean
    documents = small_corpus.documents[:3]
    # bfloat16 would round too coarsely for this
    said = exact(run).predict(documents)
    one, two = (exact(single).predict(documents) for single in singles)
    for joint, first, second in zip(said, one, two, strict=True):
        product = np.sqrt(first.probabilities.astype(np.float64) * second.probabilities)
        np.testing.assert_allclose(joint.probabilities, product / product.sum(axis=1, keepdims=True), atol=1e-6)
    hidden = exact(run).predict_with_hidden(documents)
    np.testing.assert_allclose(hidden[0].probabilities, said[0].probabilities, atol=1e-6)


@pytest.mark.parametrize("broken", ["further", "own"])
def test_broken_off_it_goes_on(
    broken: str, tmp_path: Path, run: RunFolder, small_corpus: Corpus, asked: TrainSettings
) -> None:
    """In the further model, which comes first, and in the run's own."""
    out = tmp_path / "cut"
    # the further model takes fewer steps than the run's own
    stop = 3 if broken == "further" else run.further[0].manifest["steps"] + 1
    with pytest.raises(KeyboardInterrupt):
        train(small_corpus, out=out, settings=asked, callbacks=[StopAt(stop)])
    with pytest.raises(DataError, match="not finished"):
        RunFolder.open(out)
    status = read_json(out / "ensemble" / "2" / "manifest.json")["status"]
    assert status == ("training" if broken == "further" else "complete")
    resumed = train(small_corpus, out=out, settings=asked, resume=True)
    for mine, other in zip((run, *run.further), (resumed, *resumed.further), strict=True):
        expected = weights(mine)
        assert all(np.array_equal(expected[name], value) for name, value in weights(other).items())


def test_the_effective_prior_is_that_of_all(
    tmp_path: Path, run: RunFolder, small_corpus: Corpus, asked: TrainSettings
) -> None:
    assert TrainSettings.model_validate(run.manifest["settings"]).ensemble == (MEMBER,)
    first, second = (
        one.manifest["prior"]["effective"]
        for one in (alone(small_corpus, tmp_path / "alone", asked.members[0]), *run.further)
    )
    mean = {tag: (first[tag] * second[tag]) ** 0.5 for tag in first}
    total = sum(mean.values())
    assert first != pytest.approx(second, rel=0.05)
    assert run.manifest["prior"]["effective"] == pytest.approx({tag: value / total for tag, value in mean.items()})
    assert context_of(run).weight is None


def test_a_lost_model_is_told(run: RunFolder) -> None:
    (run.path / "ensemble" / "2" / "manifest.json").unlink()
    with pytest.raises(DataError, match="not a run folder"):
        run.predictor()


def test_no_second_stage_for_several_heads(tmp_path: Path, run: RunFolder, small_corpus: Corpus) -> None:
    with pytest.raises(UsageError, match="ensemble"):
        second_stage_run(run, small_corpus, out=tmp_path / "other", name="crt")


@pytest.mark.parametrize(
    ("ensemble", "parts"),
    [
        ([{"windows": {"context": 3}}], ["ensemble.0", "windows: not a part that models differ in", "optimiser"]),
        ([{}], ["differs in nothing"]),
        ([MEMBER, {"objective": {"name": "focal", "gama": 1}}], ["ensemble.1.objective", "gama"]),
        ([{"optimiser": {"epochs": 0}}], ["ensemble.0.optimiser.epochs"]),
        ([{"optimiser": 6}], ["ensemble.0.optimiser"]),
        ([MEMBER, MEMBER], ["ensemble.1", "has already"]),
    ],
)
def test_members_that_cannot_be(ensemble: list[dict[str, Any]], parts: list[str]) -> None:
    with pytest.raises(ValidationError) as caught:
        TrainSettings.model_validate({"ensemble": ensemble})
    assert all(part in str(caught.value) for part in parts)


def test_a_named_part_takes_the_place_of_the_runs() -> None:
    settings = TrainSettings.model_validate(
        {"objective": {"name": "focal", "gamma": 3}, "optimiser": {"epochs": 6, "warmup": 0.2}, "ensemble": [MEMBER]}
    )
    first, second = settings.members
    assert first == settings.model_copy(update={"ensemble": ()})
    assert second.objective.options == {"gamma": 0.5}
    assert (second.optimiser.epochs, second.optimiser.warmup) == (2, 0.2)


@given(
    st_numpy.arrays(np.float32, (3, 4, 5), elements=st.floats(0, 1, width=32)),
    st_numpy.arrays(np.bool_, 4),
)
def test_together_is_a_distribution_that_keeps_agreement(raw: np.ndarray[Any, Any], shut: np.ndarray[Any, Any]) -> None:
    raw = raw + np.float32(1e-6)
    # tags that training never saw are shut in every model, and calibrators know them by that
    raw[..., :4][..., shut] = 0
    p = raw / raw.sum(axis=-1, keepdims=True)
    joint = together(list(p))
    np.testing.assert_allclose(joint.sum(axis=-1), 1, atol=1e-5)
    np.testing.assert_allclose(together([p[0], p[0]]), p[0], atol=1e-5)
    np.testing.assert_allclose(joint, together(list(p[::-1])), atol=1e-6)
    assert np.array_equal(joint == 0, p[0] == 0)


def test_what_one_model_alone_shuts_stays_open() -> None:
    one, two = np.array([[0.5, 0.5]], np.float32), np.array([[1.0, 0.0]], np.float32)
    assert 0 < together([one, two])[0, 1] < 1e-15


def test_layered_priors_go_together_by_label() -> None:
    one = {"empirical": {}, "effective": {"A": {"O": 0.5, "B": 0.5}}, "unique": True}
    two = {"empirical": {}, "effective": {"A": {"O": 0.8, "B": 0.2}}, "unique": False}
    joint = prior_together([one, two])
    assert joint["effective"]["A"] == pytest.approx({"O": 2 / 3, "B": 1 / 3})
    assert not joint["unique"]
