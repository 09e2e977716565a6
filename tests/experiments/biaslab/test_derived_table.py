"""The marginals that algebra gives to weights and BTL batches, reached by training biases; and the way back."""

from __future__ import annotations

from pathlib import Path

import pytest

from raretag.experiments import BiasLabResults, LabSettings, bias_lab
from raretag.experiments.biaslab.results import PARTS

# fixed points of each loss on labels drawn at .60/.25/.10/.04/.01, solved by hand with each label in a fourth of the
# batches (Rehman et al. 2024, arXiv 2409.03238, leaves these variants of BTL open); rounded to three digits
DERIVED = {
    "btl-relabel": (0.900, 0.063, 0.025, 0.010, 0.0025),
    "btl-mask": (0.871, 0.074, 0.036, 0.016, 0.004),
    "btl-mask-sum": (0.500, 0.257, 0.151, 0.072, 0.020),
    "btl-mask-mean": (0.500, 0.125, 0.125, 0.125, 0.125),
    "weighted-loss": (0.424, 0.331, 0.159, 0.068, 0.018),
}


@pytest.fixture(scope="module")
def results(tiny_encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> BiasLabResults:
    """Labels drawn for some 60,000 tokens, so that their own shares are within 0.005 of the planted ones."""
    settings = LabSettings.model_validate(
        {
            "model": "bias-only",
            "marginals": "60/25/10/4/1",
            "mechanisms": list(DERIVED),
            "encoder": str(tiny_encoder),
            "tokens": 60_000,
            "steps": 800,
            "batch_tokens": 2048,
            "measurements": 1,
            "ledger_steps": 1000,
            "simulations": 499,
        }
    )
    return bias_lab(out=tmp_path_factory.mktemp("table") / "lab", settings=settings)


@pytest.mark.parametrize("mechanism", DERIVED)
def test_training_reaches_the_derived_marginals(mechanism: str, results: BiasLabResults) -> None:
    (summary,) = [one for one in results.summaries if one.mechanism == mechanism]
    assert summary.labels == ("O", "L1", "L2", "L3", "L4")
    # the model is constant, so that both parts are told the same
    for part in PARTS:
        soft = summary.end.cell(part, "soft", "raw")
        assert soft.predicted == pytest.approx(DERIVED[mechanism], abs=0.01)
    # which the objective and its batches foretold
    assert summary.effective_prior == pytest.approx(DERIVED[mechanism], abs=0.005)


@pytest.mark.parametrize("mechanism", DERIVED)
def test_restoring_the_prior_leads_back_to_the_empirical_shares(mechanism: str, results: BiasLabResults) -> None:
    (summary,) = [one for one in results.summaries if one.mechanism == mechanism]
    restored = summary.end.cell("training", "soft", "restored")
    assert restored.predicted == pytest.approx(summary.empirical["training"], abs=0.005)
    raw = summary.end.cell("training", "soft", "raw")
    assert restored.tv.mean is not None
    assert raw.tv.mean is not None
    assert restored.tv.mean < raw.tv.mean / 20


def test_the_variants_of_one_method_differ_in_direction(results: BiasLabResults) -> None:
    """What BTL leaves open decides whether it amplifies or flattens."""
    verdicts = {one.mechanism: one.verdict for one in results.conclusions}
    assert verdicts["btl-relabel"] == verdicts["btl-mask"] == "amplifies"
    assert verdicts["btl-mask-mean"] == verdicts["weighted-loss"] == verdicts["btl-mask-sum"] == "flattens"
