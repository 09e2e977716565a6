"""What a person gets who chooses nothing: two models, calibrated out of fold, thresholds, marked notes."""

from __future__ import annotations

import json
from pathlib import Path

from .conftest import Run


def test_from_notes_to_decisions(raretag: Run, notes: Path, tiny_encoder: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    quick = ["--set", "optimiser.epochs=2", "--set", "optimiser.learning_rate=0.02"]
    trained = raretag("train", notes, "--out", run, "--encoder", tiny_encoder, *quick)
    assert trained.code == 0, trained.err
    assert "model 2 of 2" in trained.err
    # what is still to be done for the thresholds
    assert all(f"raretag {word} {run}" in trained.err.replace("\n", "") for word in ("calibrate", "decide", "evaluate"))
    manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["settings"]["objective"]["name"] == "cross-entropy"
    assert manifest["settings"]["ensemble"] == [{"objective": {"name": "effective-number"}}]

    calibrated = raretag("calibrate", run, notes, "--folds", 2)
    assert calibrated.code == 0, calibrated.err
    # both models of both folds
    assert calibrated.err.count("model 2 of 2") == 2
    content = json.loads((run / "calibration.json").read_text(encoding="utf-8"))
    assert content["fitted_on"]["documents"] == manifest["data"]["train"]

    decided = raretag("decide", run)
    assert decided.code == 0, decided.err
    policy = json.loads((run / "policy.json").read_text(encoding="utf-8"))
    assert policy["rule"] == "thresholds"
    recipe = json.loads((run / "recipe.json").read_text(encoding="utf-8"))
    assert recipe["after"]["policy"] == {"rule": "thresholds", "beta": {"medium": 2, "tail": 2}}

    evaluated = raretag("evaluate", run, notes)
    assert evaluated.code == 0, evaluated.err
    told = json.loads((run / "evaluation.json").read_text(encoding="utf-8"))
    assert told["decisions"]["policy"]["rule"] == "thresholds"
    annotated = raretag("annotate", run, notes, tmp_path / "annotated")
    assert annotated.code == 0, annotated.err
    assert len([*(tmp_path / "annotated").rglob("*.ann")]) == len([*notes.rglob("*.ann")])
