"""Every objective, sampler, head and preset trains in the lab and comes out in finite figures."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from raretag.experiments import LabSettings
from raretag.experiments.biaslab.designs import build_design
from raretag.experiments.biaslab.judging import judged
from raretag.experiments.biaslab.mechanisms import PRESETS
from raretag.experiments.biaslab.models import CachedTokens, bias_only
from raretag.experiments.biaslab.results import PARTS, Run
from raretag.experiments.biaslab.text import Text
from raretag.experiments.biaslab.training import Training
from raretag.objectives import OBJECTIVES, REGULARISERS
from raretag.sampling import SAMPLERS

SHARED = [name for name, entry in OBJECTIVES.items() if entry.fits("softmax")]


@pytest.fixture(scope="module")
def plain(small_text: Text) -> CachedTokens:
    return bias_only(small_text)


def train(text: Text, trainable: CachedTokens, folder: Path, *, mechanisms: Any, **content: Any) -> list[Run]:
    """Two epochs of a few batches, measured once."""
    settings = LabSettings.model_validate(
        {"mechanisms": mechanisms, "model": "frozen", "steps": 4, "batch_tokens": 128, "measurements": 1,
         "ledger_steps": 2, **content}
    )  # fmt: skip
    marginals = (0.6, 0.25, 0.15)
    design = build_design(settings.design, text, marginals=marginals)
    training = Training(
        mechanisms=dict(settings.mechanisms),
        marginals=marginals,
        seed=3,
        settings=settings,
        text=text.facts,
        encoder="tiny",
        precision="float32",
    )
    runs = training.carry_out(folder, trainable=trainable, design=design, callbacks=())
    return [judged(run, design=design, mechanism=settings.mechanisms[run.mechanism], simulations=99) for run in runs]


def check(run: Run) -> None:
    """All the grid and the ledger, in shares that sum to 1; that figures are finite is checked by the record itself."""
    assert len(run.curve) == 1
    assert len(run.curve[0].cells) == 12
    assert run.curve[0].step == run.steps >= 4
    for cell in run.curve[0].cells:
        assert sum(cell.predicted) == pytest.approx(1, abs=1e-5)
        assert min(cell.predicted) >= 0
        assert cell.p_value is None or 0 < cell.p_value <= 1
    assert sum(run.effective_prior) == pytest.approx(1)
    assert min(run.effective_prior) >= 0
    assert len(run.effective_prior) == len(run.labels) == 3
    assert all(sum(run.empirical[part]) == pytest.approx(1) for part in PARTS)
    figures = [value for rows in (run.ledger.loss, run.ledger.gradient) for row in rows for value in row]
    assert figures
    assert all(value is not None and math.isfinite(value) for value in figures)


@pytest.mark.parametrize("name", [*SHARED, *SAMPLERS, *REGULARISERS, "knn"])
def test_every_objective_sampler_and_regulariser(
    name: str, small_text: Text, plain: CachedTokens, tmp_path: Path
) -> None:
    (run,) = train(small_text, plain, tmp_path, mechanisms=name, model="bias-only")
    assert run.mechanism == name
    check(run)


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset(name: str, small_text: Text, plain: CachedTokens, tmp_path: Path) -> None:
    (run,) = train(small_text, plain, tmp_path, mechanisms=name, model="bias-only")
    check(run)


@pytest.mark.parametrize("name", [name for name, entry in OBJECTIVES.items() if entry.fits("per-label")])
def test_every_objective_that_labels_kept_apart_can_have(
    name: str, small_text: Text, plain: CachedTokens, tmp_path: Path
) -> None:
    (run,) = train(small_text, plain, tmp_path, mechanisms=f"{name}+per-label", model="bias-only")
    check(run)


@pytest.mark.parametrize("name", SAMPLERS)
def test_every_sampler_where_labels_are_kept_apart(
    name: str, small_text: Text, plain: CachedTokens, tmp_path: Path
) -> None:
    (run,) = train(small_text, plain, tmp_path, mechanisms=f"{name}+per-label", model="bias-only")
    check(run)


@pytest.mark.parametrize("name", ["cosine", "ldam+cosine", "seesaw+cosine+balanced", "focal+per-class", "knn+cosine"])
def test_heads_on_an_encoders_vectors(name: str, small_text: Text, seen: CachedTokens, tmp_path: Path) -> None:
    (run,) = train(small_text, seen, tmp_path, mechanisms=name)
    check(run)


@pytest.mark.parametrize("name", ["all-classes", "btl-relabel", "per-label"])
@pytest.mark.parametrize("scheme", ["IO", "BIO"])
@pytest.mark.parametrize("design", ["token", "word-type"])
def test_every_design_and_scheme(
    design: str, scheme: str, name: str, small_text: Text, seen: CachedTokens, tmp_path: Path
) -> None:
    (run,) = train(small_text, seen, tmp_path, mechanisms=name, design=design, scheme=scheme)
    check(run)


def test_mechanisms_that_share_a_training_share_all_but_what_becomes_of_it(
    small_text: Text, seen: CachedTokens, tmp_path: Path
) -> None:
    plain, voted = train(small_text, seen, tmp_path, mechanisms={"plain": {}, "voted": {"neighbours": {"weight": 0.9}}})
    check(plain)
    check(voted)
    assert plain.ledger == voted.ledger
    assert plain.curve != voted.curve
