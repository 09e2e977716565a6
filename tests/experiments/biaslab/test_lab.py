"""The whole lab in all its models: the same again for the same seed, whatever was trained before or breaks off."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from raretag.corpus import Corpus
from raretag.experiments import BiasLabResults, LabSettings, bias_lab
from raretag.experiments.biaslab.results import PARTS, PRIORS, READINGS

from .conftest import Counting, cell, timeless

Lab = Callable[..., BiasLabResults]
MODELS = ("bias-only", "frozen", "full")


@pytest.fixture
def lab(notes: Corpus, tiny_encoder: Path, tmp_path: Path) -> Lab:
    """A lab of two mechanisms of few steps, in the folder of that name."""

    def lab(folder: str, *, resume: bool = False, callbacks: Any = (), announce: Any = None, **content: Any) -> Any:
        settings = LabSettings.model_validate(
            {
                "mechanisms": ["all-classes", "btl-mask-mean"],
                "marginals": "70/20/10",
                "encoder": str(tiny_encoder),
                "tokens": 600,
                "steps": 6,
                "batch_tokens": 96,
                "measurements": 3,
                "ledger_steps": 2,
                "simulations": 999,
                "precision": "float32" if content.get("model") == "full" else "auto",
                "model": "bias-only",
                **content,
            }
        )
        told = {"announce": announce} if announce else {}
        return bias_lab(
            notes, out=tmp_path / folder, settings=settings, name="notes", resume=resume, callbacks=callbacks, **told
        )

    return lab


@pytest.mark.parametrize("model", MODELS)
def test_a_seed_gives_the_same_results_and_another_does_not(model: str, lab: Lab) -> None:
    first, again = (timeless(lab(folder, model=model, seeds=3)) for folder in ("first", "again"))
    assert first == again
    both = lab("both", model=model, seeds=[4, 3])
    other, same = ([run for run in both.runs if run.seed == seed] for seed in (4, 3))
    # what else is trained with it changes nothing
    assert [one.model_dump(mode="json", exclude={"seconds"}) for one in same] == first["runs"]
    for one, run in zip(other, same, strict=True):
        assert one.empirical != run.empirical
        assert cell(one.curve[-1], "training", "soft") != cell(run.curve[-1], "training", "soft")


@pytest.mark.parametrize("model", ["frozen", "full"])
@pytest.mark.parametrize("step", [1, 5])
def test_broken_off_in_the_second_training_and_resumed(model: str, step: int, lab: Lab) -> None:
    content = {
        "model": model,
        "seeds": 3,
        "checkpoint_seconds": 0,
        "mechanisms": "all-classes,btl-mask-mean,btl-relabel",
    }
    whole = Counting()
    expected = lab("whole", callbacks=[whole], **content)
    with pytest.raises(KeyboardInterrupt):
        lab("cut", callbacks=[Counting(stop=(2, step))], **content)
    rest = Counting()
    resumed = lab("cut", resume=True, callbacks=[rest], **content)
    assert timeless(resumed) == timeless(expected)
    assert whole.trainings == 3
    # the first was done; of the second the steps up to the last checkpoint were
    assert rest.trainings == 2
    assert rest.steps == whole.steps - expected.runs[0].steps - (step - 1)


def test_how_often_it_is_saved_changes_no_figure(lab: Lab) -> None:
    """Nor does an interruption where saving was rarer: what is read back is what was counted, to the last digit."""
    content = {"model": "frozen", "steps": 20, "ledger_steps": 10}
    expected = lab("rarely", checkpoint_seconds=1000, **content)
    often = lab("often", checkpoint_seconds=0, **content)
    for one, other in zip(expected.runs, often.runs, strict=True):
        assert one.curve == other.curve
        assert one.ledger == other.ledger


def test_what_is_finished_is_not_trained_again_and_settings_may_grow(lab: Lab) -> None:
    first, none, more = Counting(), Counting(), Counting()
    begun = lab("one", model="frozen", callbacks=[first])
    again = lab("one", model="frozen", resume=True, callbacks=[none])
    assert (first.trainings, none.trainings) == (2, 0)
    # even the seconds are those of then
    assert again == begun
    grown = lab("one", model="frozen", resume=True, callbacks=[more], seeds=[13, 5], marginals="70/20/10,60/40")
    assert more.trainings == 2 * 2 * 2 - 2
    kept = [run for run in grown.runs if (run.seed, run.marginals) == (13, "70/20/10 %")]
    assert kept == list(begun.runs)
    # and less is asked for
    fewer = lab("one", model="frozen", resume=True, callbacks=[none], mechanisms="all-classes")
    assert none.trainings == 0
    assert fewer.runs == begun.runs[:1]


@pytest.mark.parametrize(
    "content",
    [{"steps": 12}, {"learning_rate": 0.001}, {"batch_tokens": 128}, {"tokens": 500}, {"scheme": "BIO"},
     {"design": "word-type"}, {"marginals": "70/21/9"}, {"measurements": 2}, {"model": "bias-only"}],
)  # fmt: skip
def test_what_other_settings_found_is_not_taken(content: dict[str, Any], lab: Lab) -> None:
    lab("one", model="frozen", mechanisms="all-classes", measurements=3)
    again = Counting()
    lab("one", resume=True, callbacks=[again], **{"model": "frozen", "mechanisms": "all-classes", **content})
    assert again.trainings == 1


def test_what_changes_no_result_is_no_other_setting(lab: Lab) -> None:
    lab("one", mechanisms="all-classes")
    again = Counting()
    lab("one", resume=True, callbacks=[again], mechanisms={"all-classes": {"about": "other words"}},
        checkpoint_seconds=5, steps=None if again.steps else 6)  # fmt: skip
    assert again.trainings == 0


def test_mechanisms_that_share_a_training_are_trained_once(lab: Lab) -> None:
    counting = Counting()
    names = ["btl-mask-mean", "all-classes", "btl-mask-mean-knn", "viterbi"]
    results = lab(
        "one",
        model="frozen",
        design="mention",
        scheme="BIO",
        tokens=8000,
        batch_tokens=1024,
        mechanisms=names,
        callbacks=[counting],
    )
    assert counting.trainings == 2
    # summaries are in the order that was asked for
    assert [one.mechanism for one in results.summaries] == names
    assert {run.mechanism for run in results.runs} == set(names)
    plain, voted = (next(run for run in results.runs if run.mechanism == name) for name in (names[0], names[2]))
    assert plain.ledger == voted.ledger
    assert plain.effective_prior != voted.effective_prior
    assert plain.curve != voted.curve


def test_the_file_holds_what_is_returned(lab: Lab, tmp_path: Path) -> None:
    results = lab("one", seeds=[1, 2])
    content = json.loads((tmp_path / "one" / "biaslab.json").read_text(encoding="utf-8"))
    assert BiasLabResults.model_validate(content) == results
    assert LabSettings.model_validate(results.settings).seeds == (1, 2)
    assert "fever" not in json.dumps(content)
    assert [path.name for path in tmp_path.glob("one/*")] != []
    # nothing is left of checkpoints
    assert not list(tmp_path.glob("one/runs/*/.resume"))
    assert not list(tmp_path.glob("one/**/*.safetensors"))


@pytest.mark.parametrize("scheme", ["IO", "BIO"])
@pytest.mark.parametrize(("design", "labels"), [("token", 2), ("mention", 3), ("word-type", 2)])
def test_every_design_fills_the_grid(design: str, labels: int, scheme: str, lab: Lab) -> None:
    results = lab(
        "one", design=design, scheme=scheme, tokens=8000, batch_tokens=1024, model="frozen", mechanisms="all-classes"
    )
    (run,) = results.runs
    assert run.labels == ("O", *(f"L{number}" for number in range(1, labels + 1)))
    assert run.steps >= 6
    assert [one.step for one in run.curve][-1] == run.steps
    assert len(run.curve) == 3
    for part in PARTS:
        assert sum(run.planted[part]) == pytest.approx(1)
        assert sum(run.empirical[part]) == pytest.approx(1)
        assert run.tokens[part] == results.text.tokens[part]
    for measured in run.curve:
        assert {(c.part, c.reading, c.prior) for c in measured.cells} == {
            (part, reading, prior) for part in PARTS for reading in READINGS for prior in PRIORS
        }
    assert run.ledger.steps[-1] <= run.steps
    assert len(run.ledger.loss) == len(run.ledger.steps) > 0
    for shares in (*run.ledger.loss, *run.ledger.gradient):
        assert sum(one for one in shares if one is not None) == pytest.approx(1, abs=1e-4)
    (summary,), (conclusion,) = results.summaries, results.conclusions
    assert (summary.mechanism, conclusion.mechanism) == ("all-classes", "all-classes")
    assert summary.end.cell("held_out", "soft", "raw").predicted == next(
        c.predicted for c in run.curve[-1].cells if (c.part, c.reading, c.prior) == ("held_out", "soft", "raw")
    )


def test_steps_are_rounded_up_to_whole_epochs(lab: Lab) -> None:
    (epoch,) = (run.steps for run in lab("one", steps=1, mechanisms="all-classes").runs)
    assert epoch > 2
    for asked, epochs in ((epoch, 1), (epoch + 1, 2), (3 * epoch - 1, 3)):
        (run,) = lab(f"of-{asked}", steps=asked, mechanisms="all-classes").runs
        assert run.steps == epochs * epoch
        assert run.curve[-1].step == run.steps


def test_stages_are_announced_seed_by_seed(lab: Lab) -> None:
    told: list[str] = []
    lab("one", seeds=[2, 1], marginals="70/20/10,60/40", announce=told.append)
    trainings = [one for one in told if one.startswith("training ")]
    expected = [
        f"{mechanism}, {marginals} %, seed {seed}"
        for seed in (2, 1)
        for marginals in ("70/20/10", "60/40")
        for mechanism in ("all-classes", "btl-mask-mean")
    ]
    assert [one.split(" (")[0] for one in trainings] == [
        f"training {number} of 8: {name}" for number, name in enumerate(expected, start=1)
    ]
    assert all("left)" in one for one in trainings[1:])


def test_the_embedded_notes_are_the_default(tiny_encoder: Path, tmp_path: Path) -> None:
    settings = LabSettings.model_validate(
        {"model": "bias-only", "mechanisms": "all-classes", "marginals": "70/30", "encoder": str(tiny_encoder),
         "tokens": 3000, "batch_tokens": 512, "steps": 2, "measurements": 1, "simulations": 499}
    )  # fmt: skip
    results = bias_lab(out=tmp_path / "deep" / "lab", settings=settings)
    assert results.text.name == "demo"
    assert (tmp_path / "deep" / "lab" / "biaslab.json").is_file()
