"""One training: when it is measured, what it is called, what makes it another one."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raretag.experiments import LabSettings
from raretag.experiments.biaslab.results import LabText
from raretag.experiments.biaslab.training import Training, measured_steps, shown_marginals, slug

TEXT = LabText(
    name="notes", documents={"training": 2, "held_out": 1}, tokens={"training": 200, "held_out": 100}, sha256="abc"
)


def training(**content: Any) -> Training:
    """Of the first mechanism of the settings; what is no setting is told to the training."""
    own = {key: content.pop(key) for key in ("text", "encoder", "seed", "marginals", "precision") if key in content}
    chosen = LabSettings.model_validate({"mechanisms": "btl-mask", "model": "full", **content})
    told = {"text": TEXT, "encoder": "sha", "seed": 1, "marginals": (0.6, 0.4), "precision": "float32", **own}
    return Training(mechanisms=dict(chosen.mechanisms), settings=chosen, **told)


@settings(deadline=None, max_examples=200)
@given(st.integers(1, 5000), st.integers(1, 100))
def test_measured_early_and_late_and_at_the_end(steps: int, number: int) -> None:
    found = measured_steps(steps, number=number)
    assert found == sorted(set(found))
    assert found[-1] == steps
    assert found[0] >= 1
    assert 1 <= len(found) <= number
    if number > 1 and steps >= 100:
        # from a fiftieth of the steps on, ever further apart
        assert found[0] == pytest.approx(steps / 50, abs=1)
        gaps = [b - a for a, b in pairwise(found)]
        assert all(b >= a - 1 for a, b in pairwise(gaps))


def test_measured_steps_by_hand() -> None:
    assert measured_steps(1, number=8) == [1]
    assert measured_steps(400, number=1) == [400]
    assert measured_steps(800, number=3) == [16, 113, 800]
    assert measured_steps(3, number=50) == [1, 2, 3]


@pytest.mark.parametrize(
    ("marginals", "shown"),
    [
        ((0.6, 0.25, 0.1, 0.04, 0.01), "60/25/10/4/1"),
        ((0.99, 0.01), "99/1"),
        ((0.995, 0.005), "99.5/0.5"),
        ((1 / 3, 2 / 3), "33.3333/66.6667"),
        ((0.07, 0.93), "7/93"),
        ((0.9999999, 0.0000001), "100/1e-05"),
    ],
)
def test_marginals_are_shown_in_per_cent(marginals: tuple[float, ...], shown: str) -> None:
    assert shown_marginals(marginals) == f"{shown} %"
    assert slug(marginals).replace("-", "") == shown.replace("/", "").replace("-", "")
    assert "/" not in slug(marginals)


def test_a_training_is_named_for_people() -> None:
    assert training().name == "btl-mask, 60/40 %, seed 1"


def test_the_same_is_in_the_same_folder() -> None:
    assert training().folder == training().folder
    assert training().folder.startswith("btl-mask-60-40-1-")
    assert len({Path(training().folder).name}) == 1


@pytest.mark.parametrize(
    "content",
    [
        {"seed": 2}, {"marginals": (0.4, 0.6)}, {"encoder": "other"}, {"precision": "bfloat16"},
        {"text": TEXT.model_copy(update={"sha256": "def"})}, {"steps": 7}, {"measurements": 3}, {"learning_rate": 0.1},
        {"batch_tokens": 99}, {"ledger_steps": 3}, {"scheme": "BIO"}, {"design": "word-type"}, {"model": "frozen"},
        {"windows": {"max_tokens": 99}}, {"mechanisms": "knn"}, {"mechanisms": "btl-relabel"},
        {"mechanisms": {"btl-mask": {"neighbours": {"weight": 0.5}}}},
    ],
)  # fmt: skip
def test_what_changes_results_changes_the_folder(content: dict[str, Any]) -> None:
    assert training(**content).folder != training().folder


@pytest.mark.parametrize(
    "content",
    [
        {"checkpoint_seconds": 1}, {"simulations": 999}, {"steps": 240}, {"seeds": [1, 2]},
        {"text": TEXT.model_copy(update={"name": "other"})},
    ],
)  # fmt: skip
def test_what_changes_none_does_not(content: dict[str, Any]) -> None:
    assert training(**content).folder == training().folder


def test_an_option_at_its_default_is_no_other_training() -> None:
    plain = {"mine": {"objective": {"name": "focal"}, "sampler": {"name": "balanced"}}}
    spelled = {"mine": {"objective": {"name": "focal", "start": 0.0}, "about": "other words", "decision": "argmax"}}
    spelled["mine"]["sampler"] = {"name": "balanced", "start": 0.0}
    assert training(mechanisms=plain).folder == training(mechanisms=spelled).folder


def test_nothing_is_finished_in_an_empty_folder(tmp_path: Path) -> None:
    assert training().finished(tmp_path) is None
