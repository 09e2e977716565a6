"""`raretag biaslab`: what a person sees, what lies in the folder, and what bad input is answered with."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from .conftest import Run

SMALL = ("--set", "tokens=6000", "--set", "simulations=999", "--set", "measurements=2", "--steps", 20)


def test_everything_is_there(raretag: Run, notes: Path, tmp_path: Path) -> None:
    out = tmp_path / "lab"
    command: list[object] = ["biaslab", "--data", notes, "--out", out, "--model", "bias-only", "--seeds", "1,2"]
    command += ["--mechanisms", "all-classes,btl-mask-mean-knn", "--marginals", "90/10", *SMALL]
    shown = raretag(*command, "--json", tmp_path / "figures.json")
    assert shown.code == 0, shown.err
    figures = json.loads((out / "biaslab.json").read_text(encoding="utf-8"))
    assert json.loads((tmp_path / "figures.json").read_text(encoding="utf-8")) == figures
    assert figures["text"]["name"] == notes.name
    assert {(run["mechanism"], run["seed"]) for run in figures["runs"]} == {
        (mechanism, seed) for mechanism in ("all-classes", "btl-mask-mean-knn") for seed in (1, 2)
    }
    assert "btl-mask-mean-knn" in shown.out
    assert "planted: 90/10 %" in shown.out
    page = (out / "biaslab.html").read_text(encoding="utf-8")
    for conclusion in figures["conclusions"]:
        assert all(part in page for part in conclusion["sentences"][0].split("'")[:1])
    for figure in ("predicted", "amplification", "gradient-share"):
        ET.parse(out / f"{figure}-90-10.svg")
    # nothing of the notes is written
    words = max(
        (line for file in notes.glob("*.txt") for line in file.read_text(encoding="utf-8").splitlines()), key=len
    )
    assert not [path for path in out.rglob("*") if path.is_file() and words.encode() in path.read_bytes()]
    assert raretag(*command).code == 2
    again = raretag(*command, "--resume")
    assert again.code == 0
    assert "training" not in again.err
    assert json.loads((out / "biaslab.json").read_text(encoding="utf-8")) == figures


def test_json_alone_on_standard_output(raretag: Run, tmp_path: Path) -> None:
    shown = raretag(
        "biaslab", "--out", tmp_path / "lab", "--model", "bias-only", "--mechanisms", "all-classes",
        "--marginals", "0.9/0.1", *SMALL, "--json", "-",
    )  # fmt: skip
    assert json.loads(shown.out)["summaries"][0]["marginals"] == "90/10 %"


@pytest.mark.parametrize(
    ("words", "told", "code"),
    [
        (("--marginals", "60/30"), ("marginals", "sum to 0.9"), 2),
        (("--marginals", "100/0"), ("above 0",), 2),
        (("--marginals", "1"), ("two probabilities",), 2),
        (("--marginals", "some/none"), ("60/25/10/4/1",), 2),
        (("--marginals", "99.99/0.01"), ("100,000 tokens", "0.0001"), 1),
        (("--mechanisms", "btl-masc"), ("no mechanism 'btl-masc'", "did you mean btl-mask?"), 2),
        (("--mechanisms", "focal+ldam"), ("two of the kind objective",), 2),
        (("--mechanisms", "ldam"), ("head.name",), 2),
        (("--design", "tokens"), ("design", "'word-type'"), 2),
        (("--model", "half"), ("model",), 2),
        (("--seeds", "1,1"), ("seeds",), 2),
        (("--steps", "0"), ("steps",), 2),
        (("--set", "token=3"), ("did you mean tokens?",), 2),
        (("--set", "held_out=1", "--set", "measurements=0"), ("held_out", "measurements", "2 settings"), 2),
        (("--set", "encoder=./nowhere"), ("encoder",), 2),
        (("--data", "absent"), ("absent",), 1),
        (("--config", "absent.yaml"), ("absent.yaml",), 2),
    ],
)
def test_bad_input(raretag: Run, tmp_path: Path, words: tuple[str, ...], told: tuple[str, ...], code: int) -> None:
    shown = raretag("biaslab", "--out", tmp_path / "lab", *words)
    assert shown.code == code, shown.err
    assert "Traceback" not in shown.err
    assert "unforeseen" not in shown.err
    for word in told:
        assert word in shown.err, shown.err
    assert not (tmp_path / "lab" / "biaslab.json").exists()


def test_a_folder_of_something_else_is_left_alone(raretag: Run, notes: Path) -> None:
    before = sorted(notes.iterdir())
    assert raretag("biaslab", "--out", notes).code == 2
    shown = raretag("biaslab", "--out", notes, "--resume")
    assert shown.code == 2
    assert "not a folder of the bias lab" in shown.err
    assert sorted(notes.iterdir()) == before
