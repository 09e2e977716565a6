from __future__ import annotations

import pytest
import torch

from raretag.training import precision
from raretag.training.fine_tuning import fastest_precision_for
from raretag.training.settings import TrainSettings


@pytest.mark.parametrize(("bfloat16", "expected"), [(0.1, "bfloat16"), (0.9, "float32"), (3.0, "float32")])
def test_bfloat16_only_where_it_is_clearly_faster(
    monkeypatch: pytest.MonkeyPatch, bfloat16: float, expected: str
) -> None:
    seconds = {torch.float32: 1.0, torch.bfloat16: bfloat16}
    monkeypatch.setattr(precision, "_product_seconds", seconds.__getitem__)
    assert precision.fastest_precision() == expected


def test_a_named_precision_is_taken_at_its_word() -> None:
    assert fastest_precision_for(TrainSettings(precision="float32")) == "float32"
    assert fastest_precision_for(TrainSettings(precision="bfloat16")) == "bfloat16"
    assert fastest_precision_for(TrainSettings()) in {"float32", "bfloat16"}
