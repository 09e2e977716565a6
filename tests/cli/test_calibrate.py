"""`raretag calibrate` on real parts: figures before and after, and what is refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from raretag.corpus import Corpus
from raretag.corpus.demo import demo_corpus
from raretag.corpus.formats import write_corpus

from .conftest import Run


@pytest.fixture
def own_run(tmp_path: Path, run_folder: Path) -> Path:
    """A copy that the command may write into."""
    return Path(shutil.copytree(run_folder, tmp_path / "run"))


@pytest.fixture
def others(tmp_path: Path, corpus: Corpus) -> Path:
    """Notes that the run has not seen."""
    known = {document.fingerprint for document in corpus.documents}
    fresh = [one for one in demo_corpus(documents=8, seed=5).documents if one.fingerprint not in known]
    write_corpus(Corpus(documents=tuple(fresh), format="brat"), tmp_path / "others", format="brat")
    return tmp_path / "others"


def test_figures_before_and_after(raretag: Run, own_run: Path, others: Path) -> None:
    done = raretag("calibrate", own_run, others, "--json", own_run.parent / "figures.json")
    assert done.code == 0, done.err
    assert "mention ECE" in done.out
    assert "total variation" in done.out
    content = json.loads((own_run / "calibration.json").read_text(encoding="utf-8"))
    assert content == json.loads((own_run.parent / "figures.json").read_text(encoding="utf-8"))
    figures = content["cross_fitted"]
    assert figures["after"]["calibration"]["brier"] < figures["before"]["calibration"]["brier"] + 0.01
    assert content["fitted_on"]["documents"].keys() == {path.stem for path in others.glob("*.txt")}


def test_notes_without_gold(raretag: Run, own_run: Path, others: Path) -> None:
    assert raretag("calibrate", own_run, others).code == 0
    for file in others.glob("*.ann"):
        file.write_text("", encoding="utf-8")
    done = raretag("calibrate", own_run, others, "--method", "prior-restore")
    assert done.code == 0, done.err
    assert "notes that nobody has annotated" in done.err
    assert "raretag decide" not in done.err
    content = json.loads((own_run / "calibration.json").read_text(encoding="utf-8"))
    assert "cross_fitted" not in content
    assert {tuple(told) for told in content["mentions"]["parameters"].values()} == {(1, 1, 0, 0)}
    # what had been calibrated on gold before is no ground for a policy any more
    refused = raretag("decide", own_run)
    assert refused.code == 2
    assert "annotated documents" in refused.err
    refused = raretag("calibrate", own_run, others, "--method", "temperature")
    assert refused.code == 1
    assert "gold tag" in refused.err
    (own_run / "policy.json").write_text("{}", encoding="utf-8")
    before = (own_run / "calibration.json").read_text(encoding="utf-8")
    refused = raretag("calibrate", own_run, others, "--method", "prior-restore")
    assert refused.code == 2
    assert "policy.json" in refused.err
    assert (own_run / "calibration.json").read_text(encoding="utf-8") == before


def test_documents_of_the_run_are_refused(raretag: Run, own_run: Path, notes: Path) -> None:
    refused = raretag("calibrate", own_run, notes)
    assert refused.code == 1
    assert "belong to the run's training, validation or test" in refused.err
    assert "--folds" in refused.err
    assert not (own_run / "calibration.json").exists()


def test_out_of_fold(raretag: Run, own_run: Path, notes: Path) -> None:
    done = raretag("calibrate", own_run, notes, "--folds", 2, "--method", "temperature")
    assert done.code == 0, done.err
    assert "fold 2 of 2" in done.err
    content = json.loads((own_run / "calibration.json").read_text(encoding="utf-8"))
    manifest = json.loads((own_run / "manifest.json").read_text(encoding="utf-8"))
    assert content["fitted_on"]["documents"] == manifest["data"]["train"]
    assert content["fitted_on"]["folds"] == 2


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--method", "temprature"], "no calibrator 'temprature'"),
        (["--set", "ridge=-1"], "ridge"),
        (["--set", "rigde=1"], "rigde"),
        (["--folds", "1"], "folds"),
    ],
)
def test_wrong_usage_is_told_before_anything_is_read(
    raretag: Run, own_run: Path, others: Path, words: list[str], told: str
) -> None:
    refused = raretag("calibrate", own_run, others, *words)
    assert refused.code == 2
    assert told in refused.err


def test_a_prior_that_is_one_of_several_is_told_before_folds_are_trained(
    raretag: Run, own_run: Path, notes: Path
) -> None:
    file = own_run / "manifest.json"
    manifest = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps({**manifest, "prior": {**manifest["prior"], "unique": False}}), encoding="utf-8")
    shown = raretag("calibrate", own_run, notes, "--folds", 2, "--method", "prior-restore")
    assert shown.code == 2
    assert "several optima" in shown.err
    assert "fold 1" not in shown.err


def test_evaluate_uses_the_calibration_and_refuses_its_documents(
    raretag: Run, own_run: Path, others: Path, notes: Path
) -> None:
    before = raretag("evaluate", own_run, notes, "--resamples", 0)
    assert "raretag calibrate makes them truer" in before.out
    assert "uncalibrated" not in json.loads((own_run / "evaluation.json").read_text(encoding="utf-8"))
    assert raretag("calibrate", own_run, others).code == 0
    refused = raretag("evaluate", own_run, others)
    assert refused.code == 1
    assert "training or calibration saw all" in refused.err
    after = raretag("evaluate", own_run, notes, "--resamples", 0)
    assert "probabilities, calibrated: mention ECE" in after.out
    content = json.loads((own_run / "evaluation.json").read_text(encoding="utf-8"))
    assert content["calibration"]["brier"] != content["uncalibrated"]["calibration"]["brier"]
    assert content["data"]["left_out_calibration"] == 0
    assert content["fidelity"].keys() == {"soft", "hard", "sampled"}
    # which mentions are marked does not change
    assert before.out.split("probabilities")[0] == after.out.split("probabilities")[0]


def test_only_calibrated_documents_are_left_out(raretag: Run, own_run: Path, others: Path, tmp_path: Path) -> None:
    few = tmp_path / "few"
    few.mkdir()
    for path in sorted(others.iterdir())[:10]:
        shutil.copy(path, few / path.name)
    assert raretag("calibrate", own_run, few).code == 0
    done = raretag("evaluate", own_run, others, "--resamples", 0)
    assert done.code == 0, done.err
    assert "left out: 5 documents that calibration saw" in done.err


def test_annotate_gives_calibrated_probabilities(raretag: Run, own_run: Path, others: Path, tmp_path: Path) -> None:
    assert raretag("annotate", own_run, others, tmp_path / "before.jsonl").code == 0
    assert raretag("calibrate", own_run, others).code == 0
    assert raretag("annotate", own_run, others, tmp_path / "after.jsonl").code == 0
    before, after = ((tmp_path / f"{name}.jsonl").read_text(encoding="utf-8") for name in ("before", "after"))
    assert before.count('"score"') == after.count('"score"') > 0
    assert before != after
