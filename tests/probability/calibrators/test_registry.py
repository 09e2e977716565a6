"""Names of calibrators, and what is read from a file of them."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from raretag.errors import DataError, UsageError
from raretag.probability import Scores
from raretag.probability.calibrators import CALIBRATORS, calibrator, load_calibration
from raretag.tagging import Tokens, build_schema


def test_every_calibrator_says_what_it_is() -> None:
    for name, entry in CALIBRATORS.items():
        assert entry.about, name
        assert entry.source, name
        assert entry.method.__doc__, name


@pytest.mark.parametrize(
    ("name", "options", "told"),
    [
        ("platt", {}, "Choose one of: temperature"),
        ("vector", {"ridge": -1}, "ridge"),
        ("logit-adjustment", {"tau": 3}, "tau"),
        ("tau-norm", {"tau": -0.1}, "tau"),
        ("marginal-matching", {"counts": "both"}, "counts"),
        ("temperature", {"ridge": 1}, "none"),
    ],
)
def test_unknown_names_and_options(name: str, options: dict[str, object], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        calibrator(name, options)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("platt", {}),
        ("temperature", {"temperature": 0.0}),
        ("temperature", {"temperature": float("nan")}),
        ("vector", {"scales": {"O": -1.0}}),
        ("frequency-groups", {}),
        ("frequency-groups", {"temperatures": {"O": 0.0}}),
        ("prior-restore", {"taught": {"O": -0.5}, "target": {"O": 1.0}}),
    ],
)
def test_no_calibration(name: str, parameters: dict[str, object]) -> None:
    with pytest.raises(DataError, match="Calibrate again"):
        load_calibration(name, parameters)


PRIOR = {"O": 0.7, "B-A": 0.2, "I-A": 0.1}


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("temperature", {"temperature": 1.0}),
        ("vector", {"features": "centred", "scales": dict.fromkeys(PRIOR, 1.0), "biases": dict.fromkeys(PRIOR, 0.0)}),
        ("frequency-groups", {"temperatures": dict.fromkeys(("O", "head", "medium", "tail"), 1.0)}),
        ("prior-restore", {"taught": PRIOR, "target": PRIOR}),
        ("logit-adjustment", {"taught": PRIOR, "target": dict.fromkeys(PRIOR, 1.0), "strength": 0.0}),
        ("tau-norm", {"tau": 0.0, "norms": PRIOR, "outside_weight": [1.0, 2.0], "outside_bias": 0.3}),
    ],
)
def test_parameters_of_no_change_change_nothing(name: str, parameters: dict[str, object]) -> None:
    p = np.array([[0.9, 0.1, 0.0], [0.2, 0.3, 0.5], [1e-12, 1 - 1e-6, 1e-6]], dtype=np.float32)
    tokens = Tokens(ids=np.full(3, -1), starts=np.arange(3), ends=np.arange(3) + 1)
    scores = Scores(document="a", tokens=tokens, probabilities=p, hidden=np.ones((3, 2), dtype=np.float16))
    found = load_calibration(name, parameters).apply(scores, schema=build_schema(["A"]))
    np.testing.assert_allclose(found.probabilities, p, rtol=1e-6)


def test_no_torch_is_needed() -> None:
    code = "import sys, raretag.probability.calibrators; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
