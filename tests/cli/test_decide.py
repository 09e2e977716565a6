"""`raretag decide` on real parts: fixed before test documents are opened, then used by evaluate and annotate."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from raretag.corpus import Corpus
from raretag.corpus.demo import demo_corpus
from raretag.corpus.formats import read_corpus
from raretag.decision.deciding import Deciding
from raretag.errors import UsageError
from raretag.training import RunFolder

from .conftest import Run

# a model that learned little still accepts what is cheap to be wrong about, and sends to review what is dear to miss
COSTS = """\
currency: EUR
default: {miss: 40, false_alarm: 2}
labels: {Symptom: {miss: 100, false_alarm: 0.05}}
review: 2
"""


@pytest.fixture(scope="module")
def calibrated(tmp_path_factory: pytest.TempPathFactory, run_folder: Path, corpus: Corpus) -> Path:
    """A calibrated run; the tests work on copies."""
    from raretag.probability.calibrated import CALIBRATION
    from raretag.probability.calibrating import calibrate
    from raretag.probability.calibration_data import held_out_data, save_data
    from raretag.probability.run_context import context_of

    folder = RunFolder.open(Path(shutil.copytree(run_folder, tmp_path_factory.mktemp("calibrated") / "run")))
    known = {document.fingerprint for document in corpus.documents}
    fresh = tuple(one for one in demo_corpus(documents=24, seed=5).documents if one.fingerprint not in known)
    told = held_out_data(folder, Corpus(documents=fresh))
    save_data(folder, told)
    fitted = calibrate(told, method="bias-corrected-temperature", options={}, context=context_of(folder))
    folder.write(CALIBRATION, fitted.to_json())
    for left in ("openings.json", "policy.json", "evaluation.json"):
        (folder.path / left).unlink(missing_ok=True)
    return folder.path


@pytest.fixture
def own_run(tmp_path: Path, calibrated: Path) -> Path:
    """A copy that the command may write into."""
    return Path(shutil.copytree(calibrated, tmp_path / "run"))


@pytest.fixture
def costs(tmp_path: Path) -> Path:
    """A file of costs."""
    (tmp_path / "costs.yaml").write_text(COSTS, encoding="utf-8")
    return tmp_path / "costs.yaml"


def content(file: Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return told


def test_costs_are_fixed_before_the_test_and_used_in_it(
    raretag: Run, own_run: Path, costs: Path, notes: Path, tmp_path: Path
) -> None:
    done = raretag("decide", own_run, "--costs", costs, "--json", tmp_path / "figures.json")
    assert done.code == 0, done.err
    assert "EUR per 1,000 notes" in done.out
    policy = content(own_run / "policy.json")
    assert policy == content(tmp_path / "figures.json")
    assert policy["rule"] == "costs"
    assert policy["opened_before"] == []
    calibration = content(own_run / "calibration.json")
    assert policy["fixed_on"]["documents"] == calibration["fitted_on"]["documents"]

    assert raretag("evaluate", own_run, notes, "--resamples", 200).code == 0
    figures = content(own_run / "evaluation.json")
    assert figures["cost"]["per_1000_notes"] < figures["cost"]["argmax_per_1000_notes"]
    told = figures["decisions"]
    assert told["policy"]["opened_before"] == 0
    assert told["used"]["routes"]["gold"] == figures["counts"]["mentions"]
    assert told["used"]["strict"]["micro"]["f1"] == figures["strict"]["micro"]["f1"]
    assert set(told["p_values"]) == {"micro_f1", "macro_f1", "cost"}
    shares = [point["reviewed"] for point in told["review_curve"]]
    recalls = [point["recall"] for point in told["review_curve"]]
    assert shares == sorted(shares)
    assert recalls == sorted(recalls)
    assert recalls[-1] >= told["used"]["routes"]["recall"]
    assert list(told["cost_curve"]["rules"]) == ["argmax", "policy", "least expected cost"]
    manifest = content(own_run / "manifest.json")
    (opening,) = content(own_run / "openings.json")["openings"]
    assert opening["documents"] == manifest["data"]["test"]


def test_a_policy_fixed_after_the_test_says_so(raretag: Run, own_run: Path, costs: Path, notes: Path) -> None:
    assert raretag("evaluate", own_run, notes, "--resamples", 0).code == 0
    assert raretag("evaluate", own_run, notes, "--resamples", 0).code == 0
    assert len(content(own_run / "openings.json")["openings"]) == 1
    late = raretag("decide", own_run, "--costs", costs)
    assert late.code == 0, late.err
    assert "test documents were opened before" in late.err
    assert [one["documents"] for one in content(own_run / "policy.json")["opened_before"]] == [8]
    told = raretag("evaluate", own_run, notes, "--resamples", 0)
    assert "8 documents of these had been opened before the policy was fixed" in told.err
    assert content(own_run / "evaluation.json")["decisions"]["policy"]["opened_before"] == 8


def test_a_promise_is_told_or_refused(raretag: Run, own_run: Path, notes: Path) -> None:
    done = raretag("decide", own_run, "--rule", "argmax", "--recall-floor", "0.9")
    assert done.code == 0, done.err
    promise = content(own_run / "policy.json")["promise"]
    assert promise["units"]
    labels = {label for unit in (*promise["units"], *promise["refused"]) for label in unit["labels"]}
    assert labels == set(content(own_run / "schema.json")["labels"])
    assert "promise: missed at most" in done.out
    assert ("nothing is promised" in done.out) == bool(promise["refused"])
    assert raretag("evaluate", own_run, notes, "--resamples", 0).code == 0
    told = content(own_run / "evaluation.json")["decisions"]
    assert [one["labels"] for one in told["promises"]] == [unit["labels"] for unit in promise["units"]]


def test_a_budget(raretag: Run, own_run: Path) -> None:
    done = raretag("decide", own_run, "--review-budget", "0.1", "--json", "-")
    assert done.code == 0, done.err
    told = json.loads(done.out)
    assert told["rule"] == "thresholds"
    assert 0 < told["budget"]["reviewed_share"] <= 0.1
    assert 0 < told["cross_fitted"]["used"]["reviewed_share"] < 0.2


def test_annotate_marks_what_the_policy_accepts_and_routes_the_rest(
    raretag: Run, own_run: Path, costs: Path, notes: Path, tmp_path: Path
) -> None:
    early = raretag("annotate", own_run, notes, tmp_path / "early.jsonl", "--routes", tmp_path / "early-routes")
    assert early.code == 2
    assert "no policy" in early.err
    assert raretag("decide", own_run, "--costs", costs).code == 0
    routes = tmp_path / "routes.jsonl"
    done = raretag("annotate", own_run, notes, tmp_path / "out.jsonl", "--routes", routes, "--least", "0.001")
    assert done.code == 0, done.err
    assert "to review" in done.err
    told = [json.loads(line) for line in routes.read_text(encoding="utf-8").splitlines()]
    assert {one["route"] for one in told} == {"accept", "review", "drop"}
    accepted = {(one["document"], one["label"], one["start"], one["end"]) for one in told if one["route"] == "accept"}
    marked = read_corpus(tmp_path / "out.jsonl").documents
    assert accepted == {(d.id, m.label, m.start, m.end) for d in marked for m in d.mentions}
    assert all(one["probability"] >= 0.001 and one["expected_cost"] >= 0 for one in told if one["route"] == "drop")
    again = raretag("annotate", own_run, notes, tmp_path / "more.jsonl", "--routes", routes)
    assert again.code == 2
    inside = raretag("annotate", own_run, notes, tmp_path / "more.jsonl", "--routes", notes / "routes.jsonl")
    assert inside.code == 2


def test_a_policy_of_another_calibration_is_refused(raretag: Run, own_run: Path, costs: Path, notes: Path) -> None:
    assert raretag("decide", own_run, "--costs", costs).code == 0
    calibration = content(own_run / "calibration.json")
    calibration["mentions"]["temperature"] = 1.7
    (own_run / "calibration.json").write_text(json.dumps(calibration), encoding="utf-8")
    for words in (("evaluate", own_run, notes), ("annotate", own_run, notes, own_run.parent / "out")):
        refused = raretag(*words)
        assert refused.code == 1
        assert "another calibration" in refused.err
        assert "raretag decide" in refused.err
    (own_run / "calibration.json").unlink()
    assert raretag("evaluate", own_run, notes).code == 1


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--rule", "costs"], "needs costs"),
        (["--rule", "guess"], "guess"),
        (["--recall-floor", "1.2"], "not between 0 and 1"),
        (["--recall-floor", "much"], "no recall floor"),
        (["--recall-floor", "0.9", "--recall-floor", "tail=0.8"], "stands beside others"),
        (["--recall-floor", "tail=0.9", "--recall-floor", "tail=0.8"], "two recall floors"),
        (["--recall-floor", "Drgu=0.9"], "did you mean Drug?"),
        (["--review-budget", "2"], "not between 0 and 1"),
        (["--review-budget", "0"], "not between 0 and 1"),
    ],
)
def test_wrong_usage(raretag: Run, own_run: Path, words: list[str], told: str) -> None:
    refused = raretag("decide", own_run, *words)
    assert refused.code == 2, refused.err
    assert told in refused.err
    assert not (own_run / "policy.json").exists()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("currency: EUR\ndefault: {miss: -1, false_alarm: 2}\nlabels: {Drgu: {miss: 3}}\n", ["default.miss", "Drug?"]),
        ("currency: EUR\ndefault: {miss: 1}\n", ["default.false_alarm: is missing"]),
        ("- a list\n", ["costs.yaml"]),
    ],
)
def test_bad_costs(raretag: Run, own_run: Path, costs: Path, text: str, told: list[str]) -> None:
    costs.write_text(text, encoding="utf-8")
    refused = raretag("decide", own_run, "--costs", costs)
    assert refused.code == 2
    assert all(one in refused.err for one in told)


def test_a_floor_with_costs_needs_the_price_of_a_review(raretag: Run, own_run: Path, costs: Path) -> None:
    costs.write_text("currency: EUR\ndefault: {miss: 20, false_alarm: 2}\n", encoding="utf-8")
    refused = raretag("decide", own_run, "--costs", costs, "--recall-floor", "0.9")
    assert refused.code == 2
    assert "no price of a review" in refused.err


def test_costs_of_nothing_are_refused(raretag: Run, own_run: Path, costs: Path) -> None:
    costs.write_text("currency: EUR\ndefault: {miss: 0, false_alarm: 0}\nreview: 0\n", encoding="utf-8")
    refused = raretag("decide", own_run, "--costs", costs)
    assert refused.code == 2
    assert "as good as any other" in refused.err


def test_where_nothing_can_be_promised_nothing_is_fixed(raretag: Run, own_run: Path) -> None:
    refused = raretag("decide", own_run, "--rule", "argmax", "--recall-floor", "0.999")
    assert refused.code == 1
    assert "nothing can be promised" in refused.err
    assert not (own_run / "policy.json").exists()


def test_what_cannot_be_recorded_is_not_opened(
    raretag: Run, own_run: Path, notes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: RunFolder, name: str, content: dict[str, Any]) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(RunFolder, "write", full)
    refused = raretag("evaluate", own_run, notes)
    assert refused.code == 1
    assert "cannot be written into the run folder" in refused.err
    assert refused.out == ""


def test_a_policy_that_was_edited_is_told(raretag: Run, own_run: Path, costs: Path, notes: Path) -> None:
    assert raretag("decide", own_run, "--costs", costs).code == 0
    good = content(own_run / "policy.json")
    for damage in ({"fixed_at": "yesterday"}, {"fixed_on": {**good["fixed_on"], "documents": {}}}):
        (own_run / "policy.json").write_text(json.dumps({**good, **damage}), encoding="utf-8")
        refused = raretag("evaluate", own_run, notes)
        assert refused.code == 1
        assert "the policy is damaged" in refused.err


def test_routes_need_a_folder(raretag: Run, own_run: Path, costs: Path, notes: Path, tmp_path: Path) -> None:
    assert raretag("decide", own_run, "--costs", costs).code == 0
    refused = raretag("annotate", own_run, notes, tmp_path / "out", "--routes", tmp_path / "no" / "routes.jsonl")
    assert refused.code == 2
    assert not (tmp_path / "out").exists()


def test_an_uncalibrated_run_and_damaged_files(raretag: Run, run_folder: Path, own_run: Path, notes: Path) -> None:
    refused = raretag("decide", run_folder)
    assert refused.code == 2
    assert "raretag calibrate" in refused.err
    (own_run / "openings.json").write_text('{"openings": 3}', encoding="utf-8")
    assert "openings" in raretag("decide", own_run).err
    (own_run / "openings.json").unlink()
    (own_run / "policy.json").write_text("{", encoding="utf-8")
    broken = raretag("evaluate", own_run, notes)
    assert broken.code == 1
    assert "policy.json" in broken.err


def test_a_calibration_of_other_documents_is_refused(raretag: Run, own_run: Path) -> None:
    file = own_run / "calibration-gold.json"
    content = json.loads(file.read_text(encoding="utf-8"))
    content["documents"].pop()
    file.write_text(json.dumps(content), encoding="utf-8")
    refused = raretag("decide", own_run)
    assert refused.code == 1
    assert "was not fitted on the calibration documents that lie beside it" in refused.err
    assert not (own_run / "policy.json").exists()
    (own_run / "calibration.json").unlink()
    assert raretag("decide", own_run).code == 1


def test_a_policy_is_written_though_a_part_cannot_have_it(
    raretag: Run, own_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_few(*_: object) -> None:
        raise UsageError("the budget is spent in one part", remedy="Give more")

    monkeypatch.setattr(Deciding, "cross_decided", too_few)
    done = raretag("decide", own_run)
    assert done.code == 0, done.err
    assert "what it comes to is not told" in done.err
    assert "the budget is spent in one part" in done.err
    assert "cross_fitted" not in json.loads((own_run / "policy.json").read_text(encoding="utf-8"))


def test_a_policy_without_its_calibration_is_not_passed_over(
    raretag: Run, own_run: Path, notes: Path, tmp_path: Path
) -> None:
    assert raretag("decide", own_run).code == 0
    (own_run / "calibration.json").unlink()
    for words in (["annotate", own_run, notes, tmp_path / "out"], ["evaluate", own_run, notes]):
        refused = raretag(*words)
        assert refused.code == 1
        assert "this run has no calibration" in refused.err


def test_a_least_probability_that_nothing_would_use(raretag: Run, own_run: Path, notes: Path, tmp_path: Path) -> None:
    refused = raretag("annotate", own_run, notes, tmp_path / "out", "--least", "0.9")
    assert refused.code == 2
    assert "--routes" in refused.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("after", ['{"policy": {"rule": "foo"}}', "3"])
def test_a_recipe_that_the_run_folder_does_not_hold_right(raretag: Run, own_run: Path, after: str) -> None:
    (own_run / "recipe.json").write_text(f'{{"recipe": "mine", "after": {after}}}', encoding="utf-8")
    refused = raretag("decide", own_run)
    assert refused.code == 1
    assert "recipe.json" in refused.err
    assert "Mend what this file says" in refused.err
