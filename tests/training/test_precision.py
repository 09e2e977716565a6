from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from raretag.corpus import Corpus
from raretag.training import train
from raretag.training.precision import fastest_precision
from raretag.training.settings import TrainSettings


@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [
        ({"avx2": True, "avx512_bf16": True}, "bfloat16"),
        ({"amx_bf16": True, "avx512_bf16": False}, "bfloat16"),
        ({"avx512_f": True, "avx512_bf16": False}, "float32"),
        ({"architecture": "arm64"}, "float32"),
    ],
)
def test_bfloat16_only_where_the_cpu_has_instructions_for_it(
    monkeypatch: pytest.MonkeyPatch, capabilities: dict[str, bool | str], expected: str
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)
    assert fastest_precision() == expected


@pytest.mark.parametrize(
    ("asked", "here", "expected"),
    [("float32", "bfloat16", "float32"), ("bfloat16", "float32", "bfloat16"), ("auto", "bfloat16", "bfloat16")],
)
def test_a_run_is_judged_in_the_format_it_asks_for(
    monkeypatch: pytest.MonkeyPatch,
    small_settings: dict[str, Any],
    small_corpus: Corpus,
    tmp_path: Path,
    asked: str,
    here: str,
    expected: str,
) -> None:
    monkeypatch.setattr("raretag.training.precision.fastest_precision", lambda: here)
    settings = TrainSettings.model_validate({**small_settings, "precision": asked})
    assert train(small_corpus, out=tmp_path / "run", settings=settings).predictor().precision == expected
